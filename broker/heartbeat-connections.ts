import type { Clock } from './env/clock.ts'
import type { Network } from './env/network.ts'
import type { MetadataImage } from './metadata/image.ts'
import { probe } from './probe.ts'
import type { Requester } from './security/request-context.ts'

export interface HeartbeatConnectionsDeps {
  readonly network: Network
  readonly clock: Clock
  readonly image: () => MetadataImage
  readonly controller: { readonly isActive: boolean; brokerUnreachable(brokerId: number): void }
}

/** A process that dies closes its sockets one after the other: its listener may outlive the connection for a moment. */
const LOOKS_AFTER_MS: readonly number[] = [0, 50, 200]

/**
 * A broker whose heartbeat connection breaks is looked after at once. Where nobody listens any more at its address, it is gone, and its
 * partitions need not wait for broker.session.timeout.ms. One that says nothing may only be slow: its session decides.
 */
export class HeartbeatConnections {
  readonly #listener: string
  readonly #deps: HeartbeatConnectionsDeps
  readonly #current = new Map<number, Requester>()

  constructor(options: { readonly listener: string }, deps: HeartbeatConnectionsDeps) {
    this.#listener = options.listener
    this.#deps = deps
  }

  /** A heartbeat of the broker came on this connection, and was taken. */
  heard(brokerId: number, connection: Requester): void {
    if (this.#current.get(brokerId) === connection) return
    this.#current.set(brokerId, connection)
    connection.onClosed(() => {
      if (this.#current.get(brokerId) !== connection) return
      this.#current.delete(brokerId)
      void this.#look(brokerId)
    })
  }

  /** Whether anybody listens where the broker is registered; 'unknown' also where nothing comes back. */
  async probe(brokerId: number): Promise<'refused' | 'unknown'> {
    const broker = this.#deps.image().brokers.get(brokerId)
    const endpoint = broker?.endpoints.find(({ name }) => name === this.#listener) ?? broker?.endpoints[0]
    if (endpoint === undefined) return 'unknown'
    return probe(endpoint, this.#deps.network)
  }

  async #look(brokerId: number): Promise<void> {
    const { clock, controller, image } = this.#deps
    const epoch = image().brokers.get(brokerId)?.epoch
    for (const delayMs of LOOKS_AFTER_MS) {
      await new Promise<void>((resolve) => clock.setTimer(delayMs, resolve))
      if (!controller.isActive || this.#current.has(brokerId)) return
      const found = await this.probe(brokerId)
      const isSame = image().brokers.get(brokerId)?.epoch === epoch && !this.#current.has(brokerId)
      if (!isSame) return
      if (found === 'refused') return controller.brokerUnreachable(brokerId)
    }
  }
}
