import type { Clock } from '../env/clock.ts'
import type { Address, Network } from '../env/network.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestInputOf, ResponseOf } from '../protocol/apis.ts'
import { KafkaError } from './kafka-error.ts'
import { Peer } from './peer.ts'

export interface ControllerClientOptions {
  readonly clientId: string
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
}

export interface ControllerClientDeps {
  readonly network: Network
  readonly clock: Clock
  /** Where the active controller listens, as far as this node knows. */
  readonly controllerAddress: () => Address | undefined
}

/** The active controller, wherever it is, over one connection. Whoever asks decides whether and when to ask again. */
export class ControllerClient {
  readonly #options: ControllerClientOptions
  readonly #deps: ControllerClientDeps
  #peer: Peer | undefined
  #isClosed = false

  constructor(options: ControllerClientOptions, deps: ControllerClientDeps) {
    this.#options = options
    this.#deps = deps
  }

  /** Rejects with KafkaError: BROKER_NOT_AVAILABLE where no controller is known, and as `Peer.request` does. */
  async request<K extends ApiKey>(key: K, body: RequestInputOf<K>, timeoutMs?: number): Promise<ResponseOf<K>> {
    this.relocate()
    const peer = this.#peer
    if (peer === undefined) {
      throw new KafkaError('BROKER_NOT_AVAILABLE', 'no active controller is known', { isRetriable: true })
    }
    return peer.request(key, body, timeoutMs)
  }

  /** The controller may be elsewhere now: what the one before still owes is rejected. */
  relocate(): void {
    const address = this.#isClosed ? undefined : this.#deps.controllerAddress()
    if (address?.host === this.#peer?.address.host && address?.port === this.#peer?.address.port) return
    this.#peer?.close()
    this.#peer = address === undefined ? undefined : new Peer({ ...this.#options, address }, this.#deps)
  }

  /** Closes at once; what is pending is rejected, and what is asked later. */
  close(): void {
    this.#isClosed = true
    this.#peer?.close()
    this.#peer = undefined
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
