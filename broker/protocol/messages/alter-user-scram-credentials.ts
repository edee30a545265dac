import { array, bytes, int16, int32, int8, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BOTH } from '../api.ts'

export const alterUserScramCredentialsRequest = message(
  { name: 'AlterUserScramCredentialsRequest', apiKey: 51, validVersions: '0', flexibleVersions: '0+' },
  {
    deletions: array(
      struct({
        name: string(),
        mechanism: int8(),
      }),
    ),
    upsertions: array(
      struct({
        name: string(),
        mechanism: int8(),
        iterations: int32(),
        salt: bytes(),
        saltedPassword: bytes(),
      }),
    ),
  },
)
export type AlterUserScramCredentialsRequest = Infer<typeof alterUserScramCredentialsRequest>

export const alterUserScramCredentialsResponse = message(
  { name: 'AlterUserScramCredentialsResponse', apiKey: 51, validVersions: '0', flexibleVersions: '0+' },
  {
    throttleTimeMs: int32(),
    results: array(
      struct({
        user: string(),
        errorCode: int16(),
        errorMessage: string({ cut: true, nullable: true }),
      }),
    ),
  },
)
export type AlterUserScramCredentialsResponse = Infer<typeof alterUserScramCredentialsResponse>

export const alterUserScramCredentialsApi = api(alterUserScramCredentialsRequest, alterUserScramCredentialsResponse, {
  listeners: BOTH,
  forwardable: true,
})
