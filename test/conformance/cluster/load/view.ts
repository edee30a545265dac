import { setTimeout as sleep } from 'node:timers/promises'
import { KafkaError } from '../../../../broker/client/kafka-error.ts'
import { Peer } from '../../../../broker/client/peer.ts'
import type { Address } from '../../../../broker/env/network.ts'
import { nodeEnv } from '../../../../broker/host/env.ts'
import { ApiKey } from '../../../../broker/protocol/api-key.ts'
import type { RequestInputOf, ResponseOf } from '../../../../broker/protocol/apis.ts'

export interface Leader {
  readonly brokerId: number
  readonly topicId: string
  readonly peer: Peer
}

const CONNECT_MS_MAX = 1000
/** For a broker that is asked who leads, or which versions it has: one that does not answer soon is passed over. */
const METADATA_MS_MAX = 1000

/** One client's view of a cluster: who leads what, and a connection to each broker. Nothing is asked twice unless the caller does. */
export class ClusterView {
  readonly #topic: string
  readonly #env = nodeEnv()
  readonly #peers = new Map<string, Peer>()
  readonly #bootstrap: readonly Address[]
  readonly #leaders = new Map<number, Leader>()
  #refreshing: Promise<void> | undefined
  #next = 0

  constructor(topic: string, bootstrap: readonly Address[]) {
    this.#topic = topic
    this.#bootstrap = bootstrap
  }

  leaderOf(partition: number): Leader | undefined {
    return this.#leaders.get(partition)
  }

  /** Learns the leaders anew from one of the brokers, another each time; leaves all as it was where none answers. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  /** Asks the brokers in turn until one answers. Rejects with the last one's failure. */
  async any<K extends ApiKey>(key: K, body: RequestInputOf<K>, timeoutMs?: number): Promise<ResponseOf<K>> {
    let failure: unknown
    for (let tries = 0; tries < this.#bootstrap.length; tries++) {
      const address = this.#bootstrap[this.#next++ % this.#bootstrap.length] as Address
      try {
        return await this.peer(address).request(key, body, timeoutMs)
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }

  peer(address: Address): Peer {
    const key = `${address.host}:${address.port}`
    const known = this.#peers.get(key)
    if (known !== undefined) return known
    const options = { address, clientId: 'load', connectTimeoutMs: CONNECT_MS_MAX, requestTimeoutMs: METADATA_MS_MAX }
    const peer = new Peer(options, this.#env)
    this.#peers.set(key, peer)
    return peer
  }

  close(): void {
    for (const peer of this.#peers.values()) peer.close()
  }

  async #refresh(): Promise<void> {
    const body = { topics: [{ name: this.#topic }], allowAutoTopicCreation: false }
    const answer = await this.any(ApiKey.Metadata, body, METADATA_MS_MAX).catch(() => undefined)
    const topic = answer?.topics[0]
    if (answer === undefined || topic === undefined) return
    const brokers = new Map(answer.brokers.map((broker) => [broker.nodeId, broker]))
    for (const { partitionIndex, leaderId } of topic.partitions) {
      const broker = brokers.get(leaderId)
      if (broker === undefined) this.#leaders.delete(partitionIndex)
      else this.#leaders.set(partitionIndex, { brokerId: leaderId, topicId: topic.topicId, peer: this.peer(broker) })
    }
  }
}

/** Repeats `ask` while it fails in a way that may pass, for `msMax` at most. */
export async function patiently<T>(ask: () => Promise<T>, msMax = 30_000): Promise<T> {
  const deadline = performance.now() + msMax
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof KafkaError && error.isRetriable) || performance.now() > deadline) throw error
      await sleep(100)
    }
  }
}
