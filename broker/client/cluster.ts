import type { Clock } from '../env/clock.ts'
import type { Address, Network } from '../env/network.ts'
import type { Random } from '../env/random.ts'
import { ClientConnection } from './connection.ts'
import { KafkaError } from './kafka-error.ts'

export interface ClusterOptions {
  /** At least one; brokers that are learned later come to these, and do not replace them. */
  readonly bootstrap: readonly Address[]
  readonly clientId: string
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
}

export interface ClusterDeps {
  readonly network: Network
  readonly clock: Clock
  readonly random: Random
}

/** The brokers of a cluster as far as they are known, and one connection to each that is used. */
export class Cluster {
  readonly #options: ClusterOptions
  readonly #deps: ClusterDeps
  readonly #connections = new Map<string, Promise<ClientConnection>>()
  #brokers: ReadonlyMap<number, Address> = new Map()
  readonly #closing = new AbortController()

  constructor(options: ClusterOptions, deps: ClusterDeps) {
    this.#options = options
    this.#deps = deps
  }

  /** Replaces what is known of the brokers. */
  learn(brokers: ReadonlyMap<number, Address>): void {
    this.#brokers = brokers
  }

  addressOf(brokerId: number): Address | undefined {
    return this.#brokers.get(brokerId)
  }

  /** A connection to `address`: the one that there is, or a new one. Rejects with KafkaError. */
  async connect(address: Address): Promise<ClientConnection> {
    if (this.#closing.signal.aborted)
      throw new KafkaError('NETWORK_EXCEPTION', 'the client is closed', { isRetriable: false })
    const key = `${address.host}:${address.port}`
    const known = this.#connections.get(key)
    const connection = await known?.catch(() => undefined)
    if (connection?.isOpen) return connection
    // Another caller may have replaced it meanwhile.
    if (this.#connections.get(key) !== known) return this.connect(address)
    const { clientId, requestTimeoutMs, connectTimeoutMs } = this.#options
    const options = { address, clientId, requestTimeoutMs, connectTimeoutMs }
    const opening = ClientConnection.open(options, this.#deps, this.#closing.signal)
    this.#connections.set(key, opening)
    return opening
  }

  /** A connection to whichever broker has one or takes one. Rejects with the last failure when none does. */
  async any(): Promise<ClientConnection> {
    const addresses = [...this.#brokers.values(), ...this.#options.bootstrap]
    const first = this.#deps.random.below(addresses.length)
    let failure: unknown
    for (const address of [...addresses.slice(first), ...addresses.slice(0, first)]) {
      try {
        return await this.connect(address)
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }

  /** Ends all connections, those included that are being made; resolves when there is none. */
  async close(): Promise<void> {
    this.#closing.abort()
    const opening = [...this.#connections.values()]
    this.#connections.clear()
    for (const settled of await Promise.allSettled(opening)) {
      if (settled.status === 'fulfilled') settled.value.close()
    }
  }
}
