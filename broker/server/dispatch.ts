import type { Clock } from '../env/clock.ts'
import type { AnswerBudget } from '../lib/answer-budget.ts'
import type { Api, ListenerKind } from '../protocol/api.ts'
import { decodeRequest, encodeResponse, type Request } from '../protocol/frame.ts'
import { errorName } from '../protocol/errors.ts'
import { ANONYMOUS, type Received, type RequestContext } from '../security/request-context.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { type ErrorCounter, errorCounter } from './error-counts.ts'
import type { Dispatcher, Peer, Reply } from './connection.ts'
import { Exchange } from './exchange.ts'

/** A handler with its types set aside: what it is given was decoded by `api`, what it gives is encoded by it. */
export interface ServedApi {
  readonly api: Api
  readonly overlaps: boolean
  /** The name under which a request is counted where that is not the API's. */
  readonly countedAs?: (request: unknown, version: number) => string | undefined
  handle(request: unknown, context: RequestContext): unknown
  /** How a version without a schema is answered; without it the connection ends. ApiVersions has one (KIP-511). */
  readonly onUnsupportedVersion?: { readonly version: number; readonly response: unknown }
}

export interface DispatcherDeps {
  readonly clock: Clock
  readonly metrics: Metrics
  readonly logger: Logger
  readonly answers: AnswerBudget
}

/** Decodes a frame, hands it to its API and encodes the answer: one listener kind's table of what is served. */
export class ApiDispatcher implements Dispatcher {
  readonly #apis = new Map<number, ServedApi>()
  /** Made when an API is asked for first. */
  readonly #errorCounters = new Map<number, ErrorCounter>()
  readonly #deps: DispatcherDeps

  constructor(apis: readonly ServedApi[], kind: ListenerKind, deps: DispatcherDeps) {
    for (const served of apis) if (served.api.listeners.includes(kind)) this.#apis.set(served.api.key, served)
    this.#deps = deps
  }

  mayOverlap(frame: Uint8Array): boolean {
    return this.#apiOf(frame)?.overlaps === true
  }

  #apiOf(frame: Uint8Array): ServedApi | undefined {
    if (frame.length < 2) return undefined
    return this.#apis.get(((frame[0] as number) << 8) | (frame[1] as number))
  }

  dispatch(received: Received, peer: Peer, receivedMs: number): Reply | Promise<Reply> {
    let request: Request
    try {
      request = decodeRequest(received.frame)
    } catch (error) {
      return this.#refuse(peer, error)
    }
    const served = this.#apis.get(request.header.requestApiKey)
    if (served === undefined) return this.#unserved(peer, request, 'no such API on this listener')
    if (!request.isSupported) return this.#unsupported(peer, request, served, receivedMs)
    return this.#handle(served, request, peer, received, receivedMs)
  }

  #handle(
    served: ServedApi,
    request: Request,
    peer: Peer,
    received: Received,
    receivedMs: number,
  ): Reply | Promise<Reply> {
    const { requestApiVersion: version, correlationId, clientId } = request.header
    const { clock } = this.#deps
    const startedMs = clock.monotonicMs()
    let body: unknown
    try {
      // Bytes behind the body are passed over, as Apache Kafka does: librdkafka 2.16 sends some.
      body = served.api.request.decode(request.body, version)
    } catch (error) {
      return this.#refuse(peer, error, served.api.name)
    }
    const metrics = this.#deps.metrics.request(served.countedAs?.(body, version) ?? served.api.name)
    const exchange = new Exchange({ metrics, answers: this.#deps.answers }, version, receivedMs, startedMs)
    const finish = (answer: unknown): Reply => {
      if (answer === 'none' || answer === 'close') return exchange.endWithout(answer, clock.monotonicMs())
      const api = served.api as Api<unknown, never, unknown, unknown>
      exchange.bytes = encodeResponse(api, version, correlationId, answer)
      exchange.answered(clock.monotonicMs(), throttleMs(answer))
      this.#errorsOf(served.api)(answer, (code) => metrics.error(errorName(code)))
      return exchange
    }
    try {
      const answer = served.handle(body, {
        apiVersion: version,
        clientId: clientId ?? '',
        clientAddress: peer.clientAddress,
        listener: peer.listener,
        principal: ANONYMOUS,
        onAbandoned: (gone) => peer.onAbandoned(gone),
        connection: peer,
        received,
      })
      if (!(answer instanceof Promise)) return finish(answer)
      exchange.handled(clock.monotonicMs())
      return answer.then(finish).catch((error: unknown) => this.#failed(served, peer, error))
    } catch (error) {
      return this.#failed(served, peer, error)
    }
  }

  #errorsOf(api: Api): ErrorCounter {
    const known = this.#errorCounters.get(api.key)
    if (known !== undefined) return known
    const counter = errorCounter(api.response.fields)
    this.#errorCounters.set(api.key, counter)
    return counter
  }

  #unsupported(peer: Peer, request: Request, served: ServedApi, receivedMs: number): Reply {
    const fallback = served.onUnsupportedVersion
    if (fallback === undefined) return this.#unserved(peer, request, 'no such version of this API')
    const { version, response } = fallback
    const nowMs = this.#deps.clock.monotonicMs()
    const { answers } = this.#deps
    const metrics = this.#deps.metrics.request(served.api.name)
    const exchange = new Exchange({ metrics, answers }, version, receivedMs, nowMs)
    const api = served.api as Api<unknown, never, unknown, unknown>
    exchange.bytes = encodeResponse(api, version, request.header.correlationId, response)
    exchange.answered(nowMs, 0)
    return exchange
  }

  #unserved(peer: Peer, request: Request, reason: string): Reply {
    const { requestApiKey: apiKey, requestApiVersion: apiVersion, clientId } = request.header
    this.#deps.logger.warn(
      { client: peer.clientAddress, listener: peer.listener, clientId, apiKey, apiVersion, reason },
      'closed a connection: unsupported request',
    )
    return 'close'
  }

  #refuse(peer: Peer, error: unknown, api?: string): Reply {
    const reason = error instanceof Error ? error.message : String(error)
    this.#deps.logger.warn(
      { client: peer.clientAddress, listener: peer.listener, api, reason },
      'closed a connection: malformed request',
    )
    return 'close'
  }

  /** A bug or a failed device: the client sees a broken connection and tries again, the log has the reason. */
  #failed(served: ServedApi, peer: Peer, error: unknown): Reply {
    this.#deps.logger.error(
      { client: peer.clientAddress, api: served.api.name, err: error },
      'closed a connection: a request failed',
    )
    return 'close'
  }
}

/** What the client is told of throttling, where the API tells it. */
function throttleMs(answer: unknown): number {
  const told = (answer as { readonly throttleTimeMs?: unknown }).throttleTimeMs
  return typeof told === 'number' ? told : 0
}
