import type { Clock } from '../env/clock.ts'
import { parseIpAddress } from '../lib/ip-address.ts'
import { ApiKey } from '../protocol/api-key.ts'
import { APIS, type RequestOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { decodeResponse } from '../protocol/frame.ts'
import type { ControllerRequests } from '../replication/controller-requests.ts'
import type { RequestContext } from '../security/request-context.ts'
import type { Logger } from '../telemetry/logger.ts'
import { alterConfigsHandlers, type BrokerConfigChecksDeps } from './broker-config-checks.ts'
import { type Failure, failureOf, FORWARDED_KEYS, type ForwardedKey } from './forwarded-apis.ts'
import { type Answer, type Handler, handler } from './handler.ts'
import { encodePrincipal } from './principal.ts'

export interface ForwardingDeps extends BrokerConfigChecksDeps {
  readonly forwarding: {
    /** The way to the active controller that is used for nothing else: a change that waits holds up no heartbeat. */
    readonly controller: ControllerRequests
    /** request.timeout.ms: how long a controller is looked for. */
    readonly timeoutMs: number
  }
  readonly clock: Clock
  readonly logger: Logger
  /** Resolves when this broker acts on everything that it knows to be committed: what was just created can often be used at once. */
  readonly settled: () => Promise<void>
}

/** How long after a failure the controller is asked again. */
const RETRY_MS = 20
/** How long the answer waits at most until this broker acts on it itself. */
const SETTLE_MS = 500

const TIMED_OUT: Failure = { errorCode: ErrorCode.REQUEST_TIMED_OUT, errorMessage: 'The request timed out.' }
/** What is wrong is wrong between broker and controller: the client cannot know. */
const MISCONFIGURED: Failure = {
  errorCode: ErrorCode.UNKNOWN_SERVER_ERROR,
  errorMessage: 'The server experienced an unexpected error when processing the request.',
}

/** The APIs that the active controller answers, which this broker sends on to it with who asked and from where (KIP-590). */
export function forwardingHandlers(deps: ForwardingDeps): Handler<ApiKey>[] {
  const send = async <K extends ForwardedKey>(key: K, request: RequestOf<K>, context: RequestContext) => {
    const answer = await forward(deps, key, request, context)
    await settledSoon(deps)
    return answer
  }
  const handlerOf = <K extends ForwardedKey>(key: K) => handler(key, (request, context) => send(key, request, context))
  const checked = alterConfigsHandlers(send, deps)
  const others = FORWARDED_KEYS.filter((key) => checked.every((one) => one.key !== key))
  return [...checked, ...others.map((key) => handlerOf(key))]
}

async function forward<K extends ForwardedKey>(
  deps: ForwardingDeps,
  key: K,
  request: RequestOf<K>,
  context: RequestContext,
): Promise<Answer<K>> {
  const { clock, forwarding } = deps
  const deadlineMs = clock.monotonicMs() + forwarding.timeoutMs
  for (;;) {
    const leftMs = deadlineMs - clock.monotonicMs()
    if (leftMs <= 0) return failureOf(key, request, TIMED_OUT)
    const attempt = await attemptOnce(deps, key, request, context, leftMs)
    if (attempt !== 'again') return attempt
    await new Promise<void>((resolve) => clock.setTimer(RETRY_MS, resolve))
  }
}

/** What takes long, as thousands of replicas do, is not waited for: the cluster has changed, that is what was asked for. */
function settledSoon({ clock, settled }: ForwardingDeps): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.setTimer(SETTLE_MS, resolve)
    const done = () => {
      timer.cancel()
      resolve()
    }
    // A broker that cannot follow the metadata is about to end, and says why by itself.
    settled().then(done, done)
  })
}

/** 'again' where another controller may answer. */
async function attemptOnce<K extends ForwardedKey>(
  { forwarding, logger }: ForwardingDeps,
  key: K,
  request: RequestOf<K>,
  context: RequestContext,
  timeoutMs: number,
): Promise<Answer<K> | 'again'> {
  const api = APIS[key]
  try {
    const { errorCode, responseData } = await forwarding.controller.request(
      ApiKey.Envelope,
      {
        requestData: context.received.frame,
        requestPrincipal: encodePrincipal(context.principal),
        clientHostAddress: parseIpAddress(context.clientAddress) ?? UNKNOWN_ADDRESS,
      },
      timeoutMs,
    )
    if (errorCode === ErrorCode.NOT_CONTROLLER) return 'again'
    // The controller does not have this version: the client is to negotiate anew.
    if (errorCode === ErrorCode.UNSUPPORTED_VERSION) return 'close'
    if (errorCode !== ErrorCode.NONE || responseData === null) {
      logger.warn({ api: api.name, errorCode }, 'the controller refused what was forwarded to it')
      return failureOf(key, request, MISCONFIGURED)
    }
    return decodeResponse(api, context.apiVersion, responseData)
  } catch (error) {
    logger.debug({ api: api.name, err: error }, 'a request did not reach the controller; trying again')
    return 'again'
  }
}

const UNKNOWN_ADDRESS = new Uint8Array(4)
