import type { Handler } from './handlers/handler.ts'
import { UNSUPPORTED_VERSION_ANSWER } from './handlers/api-versions.ts'
import { ApiKey } from './protocol/api-key.ts'
import { APIS, type RequestOf } from './protocol/apis.ts'
import type { ServedApi } from './server/dispatch.ts'

/** When requests may be handled; those that come earlier wait. */
export interface Readiness {
  readonly isReady: () => boolean
  readonly ready: Promise<void>
}

export const ALWAYS_READY: Readiness = { isReady: () => true, ready: Promise.resolve() }

/** The API table as the server takes it: each handler with the messages that its types come from. */
export function servedApis(handlers: readonly Handler<ApiKey>[], readiness: Readiness): ServedApi[] {
  return handlers.map((handler) => {
    const handle: ServedApi['handle'] = (request, context) => handler.handle(request as RequestOf<ApiKey>, context)
    return {
      api: APIS[handler.key],
      overlaps: handler.overlaps === true,
      handle: (request, context) =>
        readiness.isReady() ? handle(request, context) : readiness.ready.then(() => handle(request, context)),
      ...(handler.countedAs === undefined
        ? {}
        : { countedAs: (request, version) => handler.countedAs?.(request as RequestOf<ApiKey>, version) }),
      ...(handler.key === ApiKey.ApiVersions ? { onUnsupportedVersion: UNSUPPORTED_VERSION_ANSWER } : {}),
    }
  })
}
