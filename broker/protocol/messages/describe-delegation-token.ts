import { array, bytes, int16, int32, int64, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BOTH } from '../api.ts'

export const describeDelegationTokenRequest = message(
  { name: 'DescribeDelegationTokenRequest', apiKey: 41, validVersions: '1-3', flexibleVersions: '2+' },
  {
    owners: array(
      struct({
        principalType: string(),
        principalName: string(),
      }),
      { nullable: true },
    ),
  },
)
export type DescribeDelegationTokenRequest = Infer<typeof describeDelegationTokenRequest>

export const describeDelegationTokenResponse = message(
  { name: 'DescribeDelegationTokenResponse', apiKey: 41, validVersions: '1-3', flexibleVersions: '2+' },
  {
    errorCode: int16(),
    tokens: array(
      struct({
        principalType: string(),
        principalName: string(),
        tokenRequesterPrincipalType: string({ versions: '3+' }),
        tokenRequesterPrincipalName: string({ versions: '3+' }),
        issueTimestamp: int64(),
        expiryTimestamp: int64(),
        maxTimestamp: int64(),
        tokenId: string(),
        hmac: bytes(),
        renewers: array(
          struct({
            principalType: string(),
            principalName: string(),
          }),
        ),
      }),
    ),
    throttleTimeMs: int32(),
  },
)
export type DescribeDelegationTokenResponse = Infer<typeof describeDelegationTokenResponse>

export const describeDelegationTokenApi = api(describeDelegationTokenRequest, describeDelegationTokenResponse, {
  listeners: BOTH,
})
