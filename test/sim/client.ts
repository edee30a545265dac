import { ClientConnection } from '../../broker/client/connection.ts'
import { KafkaError } from '../../broker/client/kafka-error.ts'
import type { Clock } from '../../broker/env/clock.ts'
import type { Env } from '../../broker/env/env.ts'
import type { Address } from '../../broker/env/network.ts'
import { ApiKey } from '../../broker/protocol/api-key.ts'
import type { RequestInputOf, ResponseOf } from '../../broker/protocol/apis.ts'
import { ErrorCode } from '../../broker/protocol/errors.ts'
import type { SimRandom } from '../fakes/random.ts'

const REQUEST_TIMEOUT_MS = 3000
const RETRY_MS = 50
const RETRY_MS_MAX = 200

/** Whom a request is for. */
export type Target =
  | { readonly type: 'any' }
  | { readonly type: 'at'; readonly address: Address }
  | { readonly type: 'leader'; readonly topic: string; readonly partition: number }
  | { readonly type: 'broker'; readonly id: number }
  | { readonly type: 'coordinator'; readonly group: string }

export const ANY: Target = { type: 'any' }

interface Leader {
  readonly brokerId: number
  readonly epoch: number
}

/** A client of a cluster: finds leaders and coordinators, forgets them when they disappoint, connects anew whenever it must. */
export class SimClient {
  readonly clock: Clock
  /** Who answered last. */
  lastHost = ''
  readonly #name: string
  readonly #env: Env
  readonly #bootstrap: readonly Address[]
  readonly #random: SimRandom
  readonly #connections = new Map<string, ClientConnection>()
  readonly #brokers = new Map<number, Address>()
  readonly #leaders = new Map<string, Leader>()
  /** The highest that was seen: a broker that knows less is not believed (KIP-320). */
  readonly #epochs = new Map<string, number>()
  readonly #coordinators = new Map<string, Address>()
  #any: Address

  constructor(options: { name: string; bootstrap: readonly Address[] }, deps: { env: Env; random: SimRandom }) {
    this.#name = options.name
    this.#bootstrap = options.bootstrap
    this.#env = deps.env
    this.#random = deps.random
    this.clock = deps.env.clock
    this.#any = this.#random.pick(this.#bootstrap)
  }

  /** Rejects with KafkaError; whether the broker has done what was asked is not known then. */
  async request<K extends ApiKey>(key: K, body: RequestInputOf<K>, target: Target = ANY): Promise<ResponseOf<K>> {
    const address = await this.#find(target)
    const connection = await this.#connect(address)
    const response = await connection.request(key, body)
    this.lastHost = address.host
    return response
  }

  /** As `request`; undefined where there is no answer. */
  async tryOnce<K extends ApiKey>(key: K, body: RequestInputOf<K>, target: Target): Promise<ResponseOf<K> | undefined> {
    try {
      return await this.request(key, body, target)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      return undefined
    }
  }

  /** As `request`, until there is an answer that is no retriable error, or undefined once `isOver`. */
  async insist<K extends ApiKey>(
    key: K,
    body: RequestInputOf<K> | (() => RequestInputOf<K>),
    isDone: (response: ResponseOf<K>) => boolean,
    isOver: () => boolean,
    target: Target = ANY,
  ): Promise<ResponseOf<K> | undefined> {
    for (let delayMs = RETRY_MS; !isOver(); delayMs = Math.min(2 * delayMs, RETRY_MS_MAX)) {
      try {
        if (target.type !== 'any') await this.#find(target)
        const response = await this.request(key, typeof body === 'function' ? body() : body, target)
        if (isDone(response)) return response
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
      }
      this.#forget(target)
      await this.sleep(delayMs)
    }
    return undefined
  }

  /** The epoch of the leader that is known now; -1 where none is. */
  leaderEpoch(topic: string, partition: number): number {
    return this.#leaders.get(`${topic}-${partition}`)?.epoch ?? -1
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.setTimer(ms, resolve))
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close()
  }

  async #find(target: Target): Promise<Address> {
    switch (target.type) {
      case 'any':
        return this.#any
      case 'at':
        return target.address
      case 'broker':
        return this.#broker(target.id)
      case 'leader':
        return this.#findLeader(target.topic, target.partition)
      default:
        return this.#coordinators.get(target.group) ?? this.#findCoordinator(target.group)
    }
  }

  #forget(target: Target): void {
    this.#any = this.#random.pick(this.#bootstrap)
    if (target.type === 'leader') this.#leaders.delete(`${target.topic}-${target.partition}`)
    if (target.type === 'coordinator') this.#coordinators.delete(target.group)
  }

  async #findLeader(topic: string, partition: number): Promise<Address> {
    const name = `${topic}-${partition}`
    if (!this.#leaders.has(name)) await this.#refresh(topic)
    return this.#broker(this.#leaders.get(name)?.brokerId ?? -1)
  }

  #broker(id: number): Address {
    const address = this.#brokers.get(id)
    if (address === undefined) throw KafkaError.network(`there is no broker ${id}`)
    return address
  }

  async #refresh(topic: string): Promise<void> {
    const { brokers, topics } = await this.request(ApiKey.Metadata, {
      topics: [{ name: topic }],
      allowAutoTopicCreation: false,
    })
    for (const { nodeId, host, port } of brokers) this.#brokers.set(nodeId, { host, port })
    for (const { partitionIndex, leaderId, leaderEpoch, errorCode } of topics[0]?.partitions ?? []) {
      if (errorCode === ErrorCode.LEADER_NOT_AVAILABLE || leaderId < 0) continue
      const name = `${topic}-${partitionIndex}`
      if (leaderEpoch < (this.#epochs.get(name) ?? 0)) continue
      this.#epochs.set(name, leaderEpoch)
      this.#leaders.set(name, { brokerId: leaderId, epoch: leaderEpoch })
    }
  }

  async #findCoordinator(group: string): Promise<Address> {
    const { coordinators } = await this.request(ApiKey.FindCoordinator, { keyType: 0, coordinatorKeys: [group] })
    const [found] = coordinators
    if (found?.errorCode !== ErrorCode.NONE) throw KafkaError.network(`${group} has no coordinator`)
    const address = { host: found.host, port: found.port }
    this.#coordinators.set(group, address)
    return address
  }

  async #connect(address: Address): Promise<ClientConnection> {
    const name = `${address.host}:${address.port}`
    const known = this.#connections.get(name)
    if (known?.isOpen === true) return known
    const options = { address, clientId: this.#name, connectTimeoutMs: 500, requestTimeoutMs: REQUEST_TIMEOUT_MS }
    const opened = await ClientConnection.open(options, { network: this.#env.network, clock: this.clock })
    this.#connections.set(name, opened)
    return opened
  }
}
