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
/** On a busy machine for longer; and a broker may die before its first heartbeat to a controller that has just been elected. */
const LOOK_EVERY_MS = 500

/**
 * A broker without a heartbeat connection is looked after until it has one: where nobody listens any more at its address, it is gone, and
 * its partitions need not wait for broker.session.timeout.ms. One that says nothing may only be slow: its session decides.
 */
export class HeartbeatConnections {
  readonly #listener: string
  readonly #deps: HeartbeatConnectionsDeps
  readonly #current = new Map<number, Requester>()
  /** By the broker, what stands for the latest watch: the ones before it end. */
  readonly #watches = new Map<number, symbol>()

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
      this.watch(brokerId)
    })
  }

  isConnected(brokerId: number): boolean {
    return this.#current.has(brokerId)
  }

  /** Looks after a broker that is registered, until a heartbeat connection of it is here. */
  watch(brokerId: number): void {
    const watch = Symbol('watch')
    this.#watches.set(brokerId, watch)
    void this.#look(brokerId, watch).finally(() => {
      if (this.#watches.get(brokerId) === watch) this.#watches.delete(brokerId)
    })
  }

  async #look(brokerId: number, watch: symbol): Promise<void> {
    const { clock, controller } = this.#deps
    const epoch = this.#liveEpoch(brokerId)
    if (epoch === undefined) return
    const isMissed = (): boolean =>
      controller.isActive &&
      this.#watches.get(brokerId) === watch &&
      !this.#current.has(brokerId) &&
      this.#liveEpoch(brokerId) === epoch
    for (let look = 0; isMissed(); look += 1) {
      const delayMs = LOOKS_AFTER_MS[look] ?? LOOK_EVERY_MS
      await new Promise<void>((resolve) => clock.setTimer(delayMs, resolve))
      if (isMissed() && (await this.#probe(brokerId)) === 'refused' && isMissed()) {
        return controller.brokerUnreachable(brokerId)
      }
    }
  }

  /** Undefined where the broker is fenced, or not there: nobody waits for it. */
  #liveEpoch(brokerId: number): number | undefined {
    const broker = this.#deps.image().brokers.get(brokerId)
    return broker === undefined || broker.isFenced ? undefined : broker.epoch
  }

  async #probe(brokerId: number): Promise<'refused' | 'unknown'> {
    const broker = this.#deps.image().brokers.get(brokerId)
    const endpoint = broker?.endpoints.find(({ name }) => name === this.#listener) ?? broker?.endpoints[0]
    if (endpoint === undefined) return 'unknown'
    return probe(endpoint, this.#deps.network)
  }
}
