import { array, bool, int16, int32, int8, string, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const getTelemetrySubscriptionsRequest = message(
  { name: 'GetTelemetrySubscriptionsRequest', apiKey: 71, validVersions: '0', flexibleVersions: '0+' },
  {
    clientInstanceId: uuid(),
  },
)
export type GetTelemetrySubscriptionsRequest = Infer<typeof getTelemetrySubscriptionsRequest>

export const getTelemetrySubscriptionsResponse = message(
  { name: 'GetTelemetrySubscriptionsResponse', apiKey: 71, validVersions: '0', flexibleVersions: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    clientInstanceId: uuid(),
    subscriptionId: int32(),
    acceptedCompressionTypes: array(int8()),
    pushIntervalMs: int32(),
    telemetryMaxBytes: int32(),
    deltaTemporality: bool(),
    requestedMetrics: array(string()),
  },
)
export type GetTelemetrySubscriptionsResponse = Infer<typeof getTelemetrySubscriptionsResponse>

export const getTelemetrySubscriptionsApi = api(getTelemetrySubscriptionsRequest, getTelemetrySubscriptionsResponse, {
  listeners: BROKER,
})
