import { bytes, int16, int32, int64 } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BOTH } from '../api.ts'

export const expireDelegationTokenRequest = message(
  { name: 'ExpireDelegationTokenRequest', apiKey: 40, validVersions: '1-2', flexibleVersions: '2+' },
  {
    hmac: bytes(),
    expiryTimePeriodMs: int64(),
  },
)
export type ExpireDelegationTokenRequest = Infer<typeof expireDelegationTokenRequest>

export const expireDelegationTokenResponse = message(
  { name: 'ExpireDelegationTokenResponse', apiKey: 40, validVersions: '1-2', flexibleVersions: '2+' },
  {
    errorCode: int16(),
    expiryTimestampMs: int64(),
    throttleTimeMs: int32(),
  },
)
export type ExpireDelegationTokenResponse = Infer<typeof expireDelegationTokenResponse>

export const expireDelegationTokenApi = api(expireDelegationTokenRequest, expireDelegationTokenResponse, {
  listeners: BOTH,
  forwardable: true,
})
