import { ClientConnection } from '../../broker/client/connection.ts'
import { KafkaError } from '../../broker/client/kafka-error.ts'
import type { Clock } from '../../broker/env/clock.ts'
import type { Env } from '../../broker/env/env.ts'
import type { Address } from '../../broker/env/network.ts'
import type { ApiKey } from '../../broker/protocol/api-key.ts'
import type { RequestInputOf, ResponseOf } from '../../broker/protocol/apis.ts'

const REQUEST_TIMEOUT_MS = 3000

/** A client's connection to the one broker: made anew whenever it has broken. */
export class SimClient {
  readonly clock: Clock
  readonly #env: Env
  readonly #address: Address
  readonly #name: string
  #connection: ClientConnection | undefined

  constructor(name: string, env: Env, address: Address) {
    this.#name = name
    this.#env = env
    this.clock = env.clock
    this.#address = address
  }

  /** Rejects with KafkaError; whether the broker has done what was asked is not known then. */
  async request<K extends ApiKey>(key: K, body: RequestInputOf<K>): Promise<ResponseOf<K>> {
    if (this.#connection?.isOpen !== true) this.#connection = await this.#connect()
    return this.#connection.request(key, body)
  }

  /** As `request`, until there is an answer that is no retriable error, or undefined once `isOver`. */
  async insist<K extends ApiKey>(
    key: K,
    body: RequestInputOf<K>,
    isDone: (response: ResponseOf<K>) => boolean,
    isOver: () => boolean,
  ): Promise<ResponseOf<K> | undefined> {
    while (!isOver()) {
      try {
        const response = await this.request(key, body)
        if (isDone(response)) return response
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
      }
      await this.sleep(20)
    }
    return undefined
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.setTimer(ms, resolve))
  }

  close(): void {
    this.#connection?.close()
  }

  #connect(): Promise<ClientConnection> {
    return ClientConnection.open(
      {
        address: this.#address,
        clientId: this.#name,
        connectTimeoutMs: 500,
        requestTimeoutMs: REQUEST_TIMEOUT_MS,
      },
      { network: this.#env.network, clock: this.clock },
    )
  }
}
