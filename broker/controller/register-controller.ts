import type { MetadataImage } from '../metadata/image.ts'
import { supportsControllerRegistration } from '../metadata/record-versions.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestOf, ResponseInputOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { Outcome } from './result.ts'

type Request = RequestOf<typeof ApiKey.ControllerRegistration>
type Response = ResponseInputOf<typeof ApiKey.ControllerRegistration>

const TOO_OLD = 'The current MetadataVersion is too old to support controller registrations.'

/** KIP-919: the endpoints and features of a controller. */
export function registerController(image: MetadataImage, request: Request): Outcome<Response> {
  if (!supportsControllerRegistration(image.metadataVersion)) {
    return {
      records: [],
      response: { throttleTimeMs: 0, errorCode: ErrorCode.UNSUPPORTED_VERSION, errorMessage: TOO_OLD },
    }
  }
  const { controllerId, incarnationId, listeners: endPoints, features } = request
  const value = { controllerId, incarnationId, zkMigrationReady: false, endPoints, features }
  return {
    records: [{ type: 'RegisterControllerRecord', version: 0, value }],
    response: { throttleTimeMs: 0, errorCode: ErrorCode.NONE, errorMessage: null },
  }
}
