import { NotControllerError } from '../controller/metadata-writer.ts'
import { formatIpAddress } from '../lib/ip-address.ts'
import { ApiKey } from '../protocol/api-key.ts'
import type { Api } from '../protocol/api.ts'
import { APIS, type RequestOf, type ResponseInputOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { decodeRequest, encodeResponse, type Request } from '../protocol/frame.ts'
import type { EnvelopeRequest } from '../protocol/messages/envelope.ts'
import { SchemaError } from '../schema/error.ts'
import { inOwnMemory, type Principal, type RequestContext } from '../security/request-context.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Handler } from './handler.ts'
import { decodePrincipal } from './principal.ts'

type Response = ResponseInputOf<typeof ApiKey.Envelope>

const LENGTH_BYTES = 4

/**
 * Envelope (58), v0: a request that a broker sends on, with the principal and the address of its client (KIP-590). Answered as the request
 * in it would be; NOT_CONTROLLER where it belongs elsewhere. `served` are the handlers of what may be forwarded: they reject with
 * NotControllerError.
 */
export function envelopeHandler(
  served: readonly Handler<ApiKey>[],
  deps: { readonly logger: Logger },
): Handler<typeof ApiKey.Envelope> {
  const handlers = new Map<number, Handler<ApiKey>>(
    served.filter(({ key }) => APIS[key].forwardable).map((handler) => [handler.key, handler]),
  )
  return {
    key: ApiKey.Envelope,
    // Clients of one broker are no concern of each other: one that waits for a commit does not hold up the rest.
    overlaps: true,
    handle: async (envelope, context) => {
      const opened = open(envelope, handlers)
      return 'errorCode' in opened ? opened : answer(opened, envelope, context, deps.logger)
    },
  }
}

interface Opened {
  readonly request: Request
  readonly api: Api
  readonly body: unknown
  readonly handler: Handler<ApiKey>
  readonly principal: Principal
  readonly clientAddress: string
}

function refused(errorCode: ErrorCode): Response & { readonly errorCode: ErrorCode } {
  return { responseData: null, errorCode }
}

function open(
  envelope: EnvelopeRequest,
  handlers: ReadonlyMap<number, Handler<ApiKey>>,
): Opened | ReturnType<typeof refused> {
  const principal = principalOf(envelope)
  if (principal === undefined) return refused(ErrorCode.PRINCIPAL_DESERIALIZATION_FAILURE)
  const clientAddress = formatIpAddress(envelope.clientHostAddress)
  if (clientAddress === null) return refused(ErrorCode.INVALID_REQUEST)
  try {
    const request = decodeRequest(envelope.requestData)
    const handler = handlers.get(request.header.requestApiKey)
    if (handler === undefined || request.api === undefined) return refused(ErrorCode.INVALID_REQUEST)
    if (!request.isSupported) return refused(ErrorCode.UNSUPPORTED_VERSION)
    const body = request.api.request.decode(request.body, request.header.requestApiVersion)
    return { request, api: request.api, body, handler, principal, clientAddress }
  } catch (error) {
    if (error instanceof SchemaError) return refused(ErrorCode.INVALID_REQUEST)
    throw error
  }
}

function principalOf({ requestPrincipal }: EnvelopeRequest): Principal | undefined {
  try {
    return requestPrincipal === null ? undefined : decodePrincipal(requestPrincipal)
  } catch {
    return undefined
  }
}

async function answer(
  { request, api, body, handler, principal, clientAddress }: Opened,
  { requestData }: EnvelopeRequest,
  context: RequestContext,
  logger: Logger,
): Promise<Response> {
  const { requestApiVersion: apiVersion, correlationId, clientId } = request.header
  const inner = {
    ...context,
    apiVersion,
    clientId: clientId ?? '',
    clientAddress,
    principal,
    received: inOwnMemory(requestData),
    isForwarded: true,
  }
  try {
    const response = await handler.handle(body as RequestOf<ApiKey>, inner)
    const chunks = encodeResponse(api as Api<unknown, never, unknown, unknown>, apiVersion, correlationId, response)
    return { responseData: Buffer.concat(chunks).subarray(LENGTH_BYTES), errorCode: ErrorCode.NONE }
  } catch (error) {
    if (error instanceof NotControllerError) return refused(ErrorCode.NOT_CONTROLLER)
    // The connection has other clients' requests too; and where it ended, the broker would send this one again and again.
    logger.error({ client: clientAddress, api: api.name, err: error }, 'a request that a broker sent on failed')
    return refused(ErrorCode.UNKNOWN_SERVER_ERROR)
  }
}
