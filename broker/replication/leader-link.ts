import { Peer } from '../client/peer.ts'
import type { Clock } from '../env/clock.ts'
import type { Address, Network } from '../env/network.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestInputOf, ResponseOf } from '../protocol/apis.ts'
import type { FrameMemory } from '../protocol/frame-decoder.ts'

export interface LeaderLinkOptions {
  readonly leaderId: number
  readonly clientId: string
  readonly requestTimeoutMs: number
}

export interface LeaderLinkDeps {
  readonly network: Network
  readonly clock: Clock
  /** What the answers are received into; whoever has used one up gives it back. */
  readonly memory: FrameMemory
  /** Where the leader listens for other brokers; undefined where it is not registered. */
  readonly addressOf: (brokerId: number) => Address | undefined
}

/** socket.connection.setup.timeout.ms of Kafka's clients. */
const CONNECT_TIMEOUT_MS = 10_000

/** The connection to one leader, wherever it listens at the time. */
export class LeaderLink {
  readonly leaderId: number
  readonly #options: LeaderLinkOptions
  readonly #deps: LeaderLinkDeps
  #peer: Peer | undefined
  #dropped = false
  #closed = false

  constructor(options: LeaderLinkOptions, deps: LeaderLinkDeps) {
    this.leaderId = options.leaderId
    this.#options = options
    this.#deps = deps
  }

  /** As `Peer.request`; also rejects where nobody knows the leader's address. */
  async request<K extends ApiKey>(key: K, body: RequestInputOf<K>, timeoutMs?: number): Promise<ResponseOf<K>> {
    return this.#current().request(key, body, timeoutMs)
  }

  /** Breaks the connection off: what is pending is rejected, and the next request makes another. */
  drop(): void {
    this.#dropped = true
    this.#peer?.close()
    this.#peer = undefined
  }

  /** Whether the connection was dropped since this was asked last. */
  takeDropped(): boolean {
    const dropped = this.#dropped
    this.#dropped = false
    return dropped
  }

  close(): void {
    this.#closed = true
    this.#peer?.close()
  }

  #current(): Peer {
    if (this.#closed) throw new Error(`the link to broker ${this.leaderId} is closed`)
    const address = this.#deps.addressOf(this.leaderId)
    if (address === undefined) throw new Error(`the address of broker ${this.leaderId} is not known`)
    const { clientId, requestTimeoutMs } = this.#options
    if (this.#peer !== undefined && isSame(this.#peer.address, address)) return this.#peer
    this.#peer?.close()
    this.#peer = new Peer({ address, clientId, connectTimeoutMs: CONNECT_TIMEOUT_MS, requestTimeoutMs }, this.#deps)
    return this.#peer
  }
}

function isSame(a: Address, b: Address): boolean {
  return a.host === b.host && a.port === b.port
}
