import { array, bytes, int16, int32, int64, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BOTH } from '../api.ts'

export const createDelegationTokenRequest = message(
  { name: 'CreateDelegationTokenRequest', apiKey: 38, validVersions: '1-3', flexibleVersions: '2+' },
  {
    ownerPrincipalType: string({ versions: '3+', nullable: true }),
    ownerPrincipalName: string({ versions: '3+', nullable: true }),
    renewers: array(
      struct({
        principalType: string(),
        principalName: string(),
      }),
    ),
    maxLifetimeMs: int64(),
  },
)
export type CreateDelegationTokenRequest = Infer<typeof createDelegationTokenRequest>

export const createDelegationTokenResponse = message(
  { name: 'CreateDelegationTokenResponse', apiKey: 38, validVersions: '1-3', flexibleVersions: '2+' },
  {
    errorCode: int16(),
    principalType: string(),
    principalName: string(),
    tokenRequesterPrincipalType: string({ versions: '3+' }),
    tokenRequesterPrincipalName: string({ versions: '3+' }),
    issueTimestampMs: int64(),
    expiryTimestampMs: int64(),
    maxTimestampMs: int64(),
    tokenId: string(),
    hmac: bytes(),
    throttleTimeMs: int32(),
  },
)
export type CreateDelegationTokenResponse = Infer<typeof createDelegationTokenResponse>

export const createDelegationTokenApi = api(createDelegationTokenRequest, createDelegationTokenResponse, {
  listeners: BOTH,
  forwardable: true,
})
