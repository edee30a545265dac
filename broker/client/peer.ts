import type { Clock } from '../env/clock.ts'
import type { Address, Network } from '../env/network.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestInputOf, ResponseOf } from '../protocol/apis.ts'
import type { FrameMemory } from '../protocol/frame-decoder.ts'
import { ClientConnection, type Traffic } from './connection.ts'
import { KafkaError } from './kafka-error.ts'

export interface PeerOptions {
  readonly address: Address
  readonly clientId: string
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
}

export interface PeerDeps {
  readonly network: Network
  readonly clock: Clock
  /** Where the memory of answers comes from, for those who give it back. */
  readonly memory?: FrameMemory
  readonly traffic?: Traffic
}

/** A frame's length is an int32. */
const RESPONSE_BYTES_MAX = 2 ** 31 - 1

/**
 * Another node, over one connection that is made at the first request and anew at the first one after it broke. Whoever asks decides
 * whether and when to ask again. An answer may be of any size, as for Apache Kafka's clients: a batch that the leader has taken must come
 * to its followers, or all that they fetch from it stops.
 */
export class Peer {
  readonly #options: PeerOptions
  readonly #deps: PeerDeps
  #connecting: Promise<ClientConnection> | undefined
  #connection: ClientConnection | undefined
  readonly #closing = new AbortController()

  constructor(options: PeerOptions, deps: PeerDeps) {
    this.#options = options
    this.#deps = deps
  }

  get address(): Address {
    return this.#options.address
  }

  /** Rejects with KafkaError: NETWORK_EXCEPTION, REQUEST_TIMED_OUT, UNSUPPORTED_VERSION. */
  async request<K extends ApiKey>(key: K, body: RequestInputOf<K>, timeoutMs?: number): Promise<ResponseOf<K>> {
    const connection = this.#connection?.isOpen === true ? this.#connection : await this.#connect()
    return connection.request(key, body, timeoutMs)
  }

  /** Closes at once; what is pending is rejected, and what is asked later. */
  close(): void {
    this.#closing.abort()
    this.#connection?.close()
  }

  #connect(): Promise<ClientConnection> {
    const { address } = this.#options
    if (this.#closing.signal.aborted)
      return Promise.reject(KafkaError.network(`the peer ${address.host}:${address.port} was closed`))
    this.#connecting ??= this.#open().finally(() => {
      this.#connecting = undefined
    })
    return this.#connecting
  }

  async #open(): Promise<ClientConnection> {
    const { signal } = this.#closing
    const options = { ...this.#options, maxResponseBytes: RESPONSE_BYTES_MAX }
    const connection = await ClientConnection.open(options, this.#deps, signal)
    this.#connection = connection
    if (signal.aborted) connection.close()
    return connection
  }
}
