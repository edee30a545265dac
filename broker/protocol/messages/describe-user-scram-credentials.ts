import { array, int16, int32, int8, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BOTH } from '../api.ts'

export const describeUserScramCredentialsRequest = message(
  { name: 'DescribeUserScramCredentialsRequest', apiKey: 50, validVersions: '0', flexibleVersions: '0+' },
  {
    users: array(
      struct({
        name: string(),
      }),
      { nullable: true },
    ),
  },
)
export type DescribeUserScramCredentialsRequest = Infer<typeof describeUserScramCredentialsRequest>

export const describeUserScramCredentialsResponse = message(
  { name: 'DescribeUserScramCredentialsResponse', apiKey: 50, validVersions: '0', flexibleVersions: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ cut: true, nullable: true }),
    results: array(
      struct({
        user: string(),
        errorCode: int16(),
        errorMessage: string({ cut: true, nullable: true }),
        credentialInfos: array(
          struct({
            mechanism: int8(),
            iterations: int32(),
          }),
        ),
      }),
    ),
  },
)
export type DescribeUserScramCredentialsResponse = Infer<typeof describeUserScramCredentialsResponse>

export const describeUserScramCredentialsApi = api(
  describeUserScramCredentialsRequest,
  describeUserScramCredentialsResponse,
  { listeners: BOTH },
)
