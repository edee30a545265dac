import { bytes, int16, int32, int64 } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BOTH } from '../api.ts'

export const renewDelegationTokenRequest = message(
  { name: 'RenewDelegationTokenRequest', apiKey: 39, validVersions: '1-2', flexibleVersions: '2+' },
  {
    hmac: bytes(),
    renewPeriodMs: int64(),
  },
)
export type RenewDelegationTokenRequest = Infer<typeof renewDelegationTokenRequest>

export const renewDelegationTokenResponse = message(
  { name: 'RenewDelegationTokenResponse', apiKey: 39, validVersions: '1-2', flexibleVersions: '2+' },
  {
    errorCode: int16(),
    expiryTimestampMs: int64(),
    throttleTimeMs: int32(),
  },
)
export type RenewDelegationTokenResponse = Infer<typeof renewDelegationTokenResponse>

export const renewDelegationTokenApi = api(renewDelegationTokenRequest, renewDelegationTokenResponse, {
  listeners: BOTH,
  forwardable: true,
})
