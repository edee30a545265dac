import { ApiKey } from '../protocol/api-key.ts'
import type { Api } from '../protocol/api.ts'
import type { ResponseInputOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { Handler } from './handler.ts'

const SOFTWARE_VERSION = 3
/** What clients may be called: KIP-511. */
const SOFTWARE_NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

export interface FeatureLevels {
  readonly epoch: number
  readonly supported: readonly { readonly name: string; readonly minVersion: number; readonly maxVersion: number }[]
  readonly finalized: readonly { readonly name: string; readonly level: number }[]
}

type Response = ResponseInputOf<typeof ApiKey.ApiVersions>

/** What an unsupported version is answered with, in version 0: enough for the client to try again with a version that is. */
export const UNSUPPORTED_VERSION_ANSWER: { readonly version: number; readonly response: Response } = {
  version: 0,
  response: {
    errorCode: ErrorCode.UNSUPPORTED_VERSION,
    apiKeys: [{ apiKey: ApiKey.ApiVersions, minVersion: 0, maxVersion: 4 }],
  },
}

/** ApiVersions (18), v0 to v4: the APIs that are served here, and the feature levels (KIP-35, KIP-511, KIP-584). */
export function apiVersionsHandler(deps: {
  readonly served: () => readonly Api[]
  readonly features: () => FeatureLevels
}): Handler<typeof ApiKey.ApiVersions> {
  return {
    key: ApiKey.ApiVersions,
    handle: (request, context) => {
      const named = SOFTWARE_NAME.test(request.clientSoftwareName) && SOFTWARE_NAME.test(request.clientSoftwareVersion)
      if (context.apiVersion >= SOFTWARE_VERSION && !named) return { errorCode: ErrorCode.INVALID_REQUEST, apiKeys: [] }
      const { epoch, supported, finalized } = deps.features()
      // A minimum of 0 came late: clients up to v3 fail on it, so they are not told of such features (KIP-1022).
      const visible = context.apiVersion >= 4 ? supported : supported.filter(({ minVersion }) => minVersion > 0)
      return {
        errorCode: ErrorCode.NONE,
        apiKeys: deps.served().map(({ key, advertisedVersions }) => ({
          apiKey: key,
          minVersion: advertisedVersions.min,
          maxVersion: advertisedVersions.max,
        })),
        throttleTimeMs: 0,
        supportedFeatures: visible.map((feature) => ({ ...feature })),
        finalizedFeaturesEpoch: BigInt(epoch),
        finalizedFeatures: finalized.map(({ name, level }) => ({
          name,
          maxVersionLevel: level,
          minVersionLevel: level,
        })),
        zkMigrationReady: false,
      }
    },
  }
}
