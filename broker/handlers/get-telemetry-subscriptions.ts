import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { ZERO_UUID } from '../lib/uuid.ts'
import type { Handler } from './handler.ts'

export interface GetTelemetrySubscriptionsDeps {
  readonly newUuid: () => string
  readonly telemetryMaxBytes: number
}

const PUSH_INTERVAL_MS = 300_000

/**
 * GetTelemetrySubscriptions (71), v0 (KIP-714): answered, with nothing subscribed, for clients that ask all the same. Not advertised:
 * no telemetry receiver is there to push to.
 */
export function getTelemetrySubscriptionsHandler(
  deps: GetTelemetrySubscriptionsDeps,
): Handler<typeof ApiKey.GetTelemetrySubscriptions> {
  return {
    key: ApiKey.GetTelemetrySubscriptions,
    isHidden: true,
    handle: ({ clientInstanceId }) => ({
      throttleTimeMs: 0,
      errorCode: ErrorCode.NONE,
      clientInstanceId: clientInstanceId === ZERO_UUID ? deps.newUuid() : clientInstanceId,
      subscriptionId: 0,
      acceptedCompressionTypes: [],
      pushIntervalMs: PUSH_INTERVAL_MS,
      telemetryMaxBytes: deps.telemetryMaxBytes,
      deltaTemporality: true,
      requestedMetrics: [],
    }),
  }
}
