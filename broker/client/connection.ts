import type { Clock, Timer } from '../env/clock.ts'
import type { Address, Connection, Network } from '../env/network.ts'
import { ApiKey } from '../protocol/api-key.ts'
import type { Api } from '../protocol/api.ts'
import { APIS, type RequestInputOf, type ResponseOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { FrameDecoder, type FrameMemory } from '../protocol/frame-decoder.ts'
import { correlationIdOf, decodeResponse, encodeRequest } from '../protocol/frame.ts'
import type { VersionRange } from '../schema/versions.ts'
import { KafkaError } from './kafka-error.ts'

export interface ClientConnectionOptions {
  readonly address: Address
  readonly clientId: string
  /** For the TCP connection. */
  readonly connectTimeoutMs: number
  /** For each answer, unless the request says otherwise. */
  readonly requestTimeoutMs: number
  /** The largest response that is taken, once the versions are negotiated; 100 MiB where nothing is said. */
  readonly maxResponseBytes?: number
}

export interface ClientConnectionDeps {
  readonly network: Network
  readonly clock: Clock
  /** Where the memory of answers comes from, for those who give it back; else it is new. */
  readonly memory?: FrameMemory
  /** Counts what goes over the connection, for those who tell of it. */
  readonly traffic?: Traffic
}

/** What went over some connections. */
export interface Traffic {
  requests: number
  responses: number
  sentBytes: number
  receivedBytes: number
}

/** What the broker is told of this client (KIP-511). */
const SOFTWARE = { clientSoftwareName: 'ottla', clientSoftwareVersion: '0.1.0' }
const RESPONSE_BYTES_MAX = 100 * 1024 * 1024

interface Pending {
  readonly timer: Timer
  receive(frame: Uint8Array): void
  reject(error: KafkaError): void
}

/**
 * One connection to a broker, its versions negotiated. Requests are pipelined: each gets its answer by correlation id. What makes the
 * stream unusable (a malformed or unasked answer, one that does not come in time) closes the connection, and fails all that is pending.
 */
export class ClientConnection {
  readonly #options: ClientConnectionOptions
  readonly #clock: Clock
  readonly #connection: Connection
  readonly #frames: FrameDecoder
  readonly #traffic: Traffic | undefined
  readonly #pending = new Map<number, Pending>()
  #versions: ReadonlyMap<number, VersionRange> = new Map()
  #nextCorrelationId = 0
  #failure: KafkaError | undefined

  private constructor(options: ClientConnectionOptions, deps: ClientConnectionDeps, connection: Connection) {
    this.#options = options
    this.#clock = deps.clock
    this.#traffic = deps.traffic
    this.#connection = connection
    this.#frames = new FrameDecoder(RESPONSE_BYTES_MAX, deps.memory)
    connection.onData(
      (chunk) => this.#receive(chunk),
      () => this.#frames.space(),
    )
    connection.onClose((error) => this.#fail(KafkaError.network(`${this.#peer} closed the connection`, error)))
  }

  /**
   * Connects and asks for the versions, unless `signal` tells meanwhile that nobody wants to know any more. Rejects with KafkaError:
   * NETWORK_EXCEPTION, REQUEST_TIMED_OUT, or the broker's.
   */
  static async open(
    options: ClientConnectionOptions,
    deps: ClientConnectionDeps,
    signal?: AbortSignal,
  ): Promise<ClientConnection> {
    const { host, port } = options.address
    const connecting = deps.network.connect(options.address, options.connectTimeoutMs, signal)
    const connection = await connecting.catch((error: unknown) => {
      throw KafkaError.network(`no connection to ${host}:${port}: ${String(error)}`, error)
    })
    const client = new ClientConnection(options, deps, connection)
    const abandon = (): void => client.close()
    signal?.addEventListener('abort', abandon)
    try {
      if (signal?.aborted === true) abandon()
      await client.#negotiate()
      client.#frames.maxFrameBytes = options.maxResponseBytes ?? RESPONSE_BYTES_MAX
    } catch (error) {
      client.close()
      throw error
    } finally {
      signal?.removeEventListener('abort', abandon)
    }
    return client
  }

  get isOpen(): boolean {
    return this.#failure === undefined
  }

  /** The latest version that both sides have. Throws KafkaError UNSUPPORTED_VERSION. */
  versionOf(key: ApiKey): number {
    const ours = APIS[key]
    const theirs = this.#versions.get(key)
    const version = Math.min(ours.advertisedVersions.max, theirs?.max ?? -1)
    if (theirs !== undefined && version >= Math.max(ours.versions.min, theirs.min)) return version
    const offered = theirs === undefined ? 'none' : `${theirs.min}-${theirs.max}`
    throw new KafkaError('UNSUPPORTED_VERSION', `${this.#peer} has of ${ours.name} the versions ${offered}`, {
      isRetriable: false,
    })
  }

  /**
   * Sends a request in the latest common version and gives the answer, whatever error codes are in it. For requests that are answered:
   * not for Produce with acks 0. Rejects with KafkaError: NETWORK_EXCEPTION, REQUEST_TIMED_OUT, UNSUPPORTED_VERSION.
   */
  async request<K extends ApiKey>(key: K, body: RequestInputOf<K>, timeoutMs?: number): Promise<ResponseOf<K>> {
    const api: Api<unknown, RequestInputOf<K>, ResponseOf<K>> = APIS[key]
    const version = this.versionOf(key)
    return this.#send(api, version, body, timeoutMs, (frame) => decodeResponse(api, version, frame))
  }

  /** Closes at once; what is pending is rejected. */
  close(): void {
    this.#fail(KafkaError.network(`the connection to ${this.#peer} was closed here`))
  }

  [Symbol.dispose](): void {
    this.close()
  }

  get #peer(): string {
    return `${this.#options.address.host}:${this.#options.address.port}`
  }

  /** A broker that does not know our version answers in version 0 and says which it knows (KIP-511). */
  async #negotiate(): Promise<void> {
    const api = APIS[ApiKey.ApiVersions]
    let version = api.advertisedVersions.max
    for (;;) {
      const asked = version
      const answer = await this.#send(api, asked, SOFTWARE, undefined, (frame) =>
        decodeResponse(api, errorCodeOf(frame) === ErrorCode.UNSUPPORTED_VERSION ? 0 : asked, frame),
      )
      const versions = new Map(
        answer.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, { min: minVersion, max: maxVersion }]),
      )
      if (answer.errorCode === ErrorCode.NONE) {
        this.#versions = versions
        return
      }
      if (answer.errorCode !== ErrorCode.UNSUPPORTED_VERSION || asked === 0) throw KafkaError.fromCode(answer.errorCode)
      version = Math.min(versions.get(api.key)?.max ?? 0, asked - 1)
    }
  }

  #send<In, Out>(
    api: Api<unknown, In>,
    version: number,
    body: In,
    timeoutMs: number | undefined,
    decode: (frame: Uint8Array) => Out,
  ): Promise<Out> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    const correlationId = this.#nextCorrelationId
    this.#nextCorrelationId = (correlationId + 1) & 0x7fff_ffff
    const waitMs = timeoutMs ?? this.#options.requestTimeoutMs
    return new Promise((resolve, reject) => {
      const frame = encodeRequest(api, version, correlationId, this.#options.clientId, body)
      const timer = this.#clock.setTimer(waitMs, () => this.#fail(this.#timedOut(api, waitMs)))
      this.#pending.set(correlationId, { timer, reject, receive: (answer) => resolve(decode(answer)) })
      this.#sent(frame)
      this.#connection.write(frame)
    })
  }

  #sent(frame: readonly Uint8Array[]): void {
    if (this.#traffic === undefined) return
    this.#traffic.requests++
    for (const { length } of frame) this.#traffic.sentBytes += length
  }

  #timedOut(api: Api, waitMs: number): KafkaError {
    const message = `${this.#peer} did not answer ${api.name} in ${waitMs} ms`
    return new KafkaError('REQUEST_TIMED_OUT', message, { isRetriable: true })
  }

  #receive(chunk: Uint8Array): void {
    if (this.#failure !== undefined) return
    if (this.#traffic !== undefined) this.#traffic.receivedBytes += chunk.length
    try {
      this.#frames.push(chunk)
      for (let frame = this.#frames.next(); frame !== undefined; frame = this.#frames.next()) this.#answer(frame)
    } catch (error) {
      this.#fail(KafkaError.network(`${this.#peer} sent what cannot be read: ${String(error)}`, error))
    }
  }

  #answer(frame: Uint8Array): void {
    const correlationId = correlationIdOf(frame)
    const pending = this.#pending.get(correlationId)
    if (pending === undefined) throw new Error(`an answer to ${correlationId}, which was not asked`)
    // Throws where it is malformed; then it is still pending, and fails with the rest.
    pending.receive(frame)
    if (this.#traffic !== undefined) this.#traffic.responses++
    this.#pending.delete(correlationId)
    pending.timer.cancel()
  }

  #fail(error: KafkaError): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    this.#connection.destroy()
    for (const pending of this.#pending.values()) {
      pending.timer.cancel()
      pending.reject(error)
    }
    this.#pending.clear()
  }
}

/** The error code that an ApiVersions response of any version begins with, behind the correlation id. */
function errorCodeOf(frame: Uint8Array): number {
  return frame.length < 6 ? ErrorCode.NONE : new DataView(frame.buffer, frame.byteOffset).getInt16(4)
}
