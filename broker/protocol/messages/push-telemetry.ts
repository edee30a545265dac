import { bool, bytes, int16, int32, int8, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const pushTelemetryRequest = message(
  { name: 'PushTelemetryRequest', apiKey: 72, validVersions: '0', flexibleVersions: '0+' },
  {
    clientInstanceId: uuid(),
    subscriptionId: int32(),
    terminating: bool(),
    compressionType: int8(),
    metrics: bytes(),
  },
)
export type PushTelemetryRequest = Infer<typeof pushTelemetryRequest>

export const pushTelemetryResponse = message(
  { name: 'PushTelemetryResponse', apiKey: 72, validVersions: '0', flexibleVersions: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
  },
)
export type PushTelemetryResponse = Infer<typeof pushTelemetryResponse>

export const pushTelemetryApi = api(pushTelemetryRequest, pushTelemetryResponse, { listeners: BROKER })
