import { setTimeout as sleep } from 'node:timers/promises'
import { AdminClient } from '../../broker/client/admin-client.ts'
import type { PartitionDescription } from '../../broker/client/admin-types.ts'
import { KafkaError } from '../../broker/client/kafka-error.ts'
import { Peer } from '../../broker/client/peer.ts'
import type { Address } from '../../broker/env/network.ts'
import { nodeEnv } from '../../broker/host/env.ts'
import { ApiKey } from '../../broker/protocol/api-key.ts'
import { ErrorCode } from '../../broker/protocol/errors.ts'
import type { TestCluster } from '../conformance/cluster/rig/cluster.ts'
import type { ClusterNode } from '../conformance/cluster/rig/cluster-node.ts'
import { activeController } from '../conformance/cluster/rig/watch.ts'
import type { Figures } from './round.ts'

const PARTITIONS_PER_TOPIC = 100
/** Apache's controller makes no more than 10,000 records at a request. */
const TOPICS_PER_REQUEST = 10
const LATEST = -1n
/** Each look takes the brokers' time too. */
const LOOK_MS = 250
const STEP_MS_MAX = 180_000

interface TopicPartition {
  readonly topic: string
  readonly partition: number
  readonly leader: number
}

/** Creates `count` partitions of three replicas, then stops and starts a node that is not the active controller. Figures in ms. */
export async function measureMany(cluster: TestCluster, count: number): Promise<Figures> {
  await using many = new ManyPartitions(cluster, count)
  const create = await timed(async () => {
    await many.create()
    await many.served()
  })
  const controller = await activeController(cluster)
  const node = cluster.nodes.find(({ id }) => id !== controller) as ClusterNode
  const stop = await timed(() => node.stop(STEP_MS_MAX))
  const restart = await timed(async () => {
    await node.start()
    await many.inSync()
    await many.served()
  })
  return {
    [`create_${count}_partitions_ms`]: create,
    [`stop_with_${count}_partitions_ms`]: stop,
    [`restart_with_${count}_partitions_ms`]: restart,
  }
}

async function timed(body: () => Promise<void>): Promise<number> {
  const beganMs = performance.now()
  await body()
  return performance.now() - beganMs
}

/** Topics of a hundred partitions each. */
class ManyPartitions {
  readonly #cluster: TestCluster
  readonly #names: readonly string[]
  readonly #admin: AdminClient
  readonly #peers: ReadonlyMap<number, Peer>

  constructor(cluster: TestCluster, count: number) {
    const env = nodeEnv()
    const bootstrap = cluster.brokerAddresses
    this.#cluster = cluster
    this.#names = Array.from({ length: count / PARTITIONS_PER_TOPIC }, (_, index) => `many-${index}`)
    this.#admin = new AdminClient({ bootstrap, requestTimeoutMs: STEP_MS_MAX, timeoutMs: STEP_MS_MAX }, env)
    const options = { clientId: 'bench', connectTimeoutMs: 5000, requestTimeoutMs: STEP_MS_MAX }
    const peerOf = (node: ClusterNode): Peer => new Peer({ ...options, address: node.place.broker as Address }, env)
    this.#peers = new Map(cluster.brokers.map((node) => [node.id, peerOf(node)]))
  }

  async create(): Promise<void> {
    for (let first = 0; first < this.#names.length; first += TOPICS_PER_REQUEST) {
      const names = this.#names.slice(first, first + TOPICS_PER_REQUEST)
      const topics = names.map((name) => ({ name, partitions: PARTITIONS_PER_TOPIC, replicationFactor: 3 }))
      const outcomes = await this.#admin.createTopics(topics)
      for (const outcome of outcomes.values()) if (outcome instanceof KafkaError) throw outcome
    }
  }

  /** Resolves when every replica is in sync. */
  inSync(): Promise<void> {
    return this.#once('in sync', async () => {
      const partitions = await this.#partitions()
      return partitions.every(({ leader, isr, replicas }) => leader >= 0 && isr.length === replicas.length)
    })
  }

  /** Resolves when every partition's leader tells its end. */
  served(): Promise<void> {
    const waiting = new Set<string>(this.#names)
    return this.#once('served', async () => {
      const led = (await this.#described([...waiting])).flatMap(({ topic, partitions }) =>
        partitions.map(({ partition, leader }): TopicPartition => ({ topic, partition, leader })),
      )
      const failed = await Promise.all([...this.#peers].map(([id, peer]) => this.#unserved(id, peer, led)))
      const leaderless = led.filter(({ leader }) => leader < 0).map(({ topic }) => topic)
      const left = new Set([...failed.flat(), ...leaderless])
      for (const name of waiting) if (!left.has(name)) waiting.delete(name)
      return waiting.size === 0
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.#peers.values()) peer.close()
    await this.#admin[Symbol.asyncDispose]()
  }

  /** The topics of which a broker does not serve all that it leads. */
  async #unserved(id: number, peer: Peer, led: readonly TopicPartition[]): Promise<string[]> {
    const byTopic = new Map<string, { partitionIndex: number; timestamp: bigint }[]>()
    for (const { topic, partition, leader } of led) {
      if (leader !== id) continue
      const partitions = byTopic.get(topic) ?? []
      partitions.push({ partitionIndex: partition, timestamp: LATEST })
      byTopic.set(topic, partitions)
    }
    const topics = [...byTopic].map(([name, partitions]) => ({ name, partitions }))
    if (topics.length === 0) return []
    const body = { replicaId: -1, isolationLevel: 0, topics }
    const answer = await peer.request(ApiKey.ListOffsets, body).catch(() => undefined)
    if (answer === undefined) return topics.map(({ name }) => name)
    const fails = ({ errorCode }: { errorCode: number }): boolean => errorCode !== ErrorCode.NONE
    return answer.topics.filter(({ partitions }) => partitions.some(fails)).map(({ name }) => name)
  }

  async #partitions(): Promise<PartitionDescription[]> {
    return (await this.#described(this.#names)).flatMap(({ partitions }) => [...partitions])
  }

  async #described(
    names: readonly string[],
  ): Promise<{ topic: string; partitions: readonly PartitionDescription[] }[]> {
    const described = await this.#admin.metadata(names)
    return [...described].map(([topic, description]) => {
      if (description instanceof KafkaError) throw description
      return { topic, partitions: description.partitions }
    })
  }

  async #once(what: string, look: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + STEP_MS_MAX
    while (!(await look().catch(notYet))) {
      if (performance.now() > deadline) {
        const running = this.#cluster.nodes.filter(({ isRunning }) => isRunning).map(({ id }) => id)
        throw new Error(`not ${what} after ${STEP_MS_MAX} ms, nodes ${running.join()} run`)
      }
      await sleep(LOOK_MS)
    }
  }
}

/** A broker that has not heard of a topic yet, or is not reached: it is looked for again. */
function notYet(error: unknown): false {
  if (error instanceof KafkaError && error.isRetriable) return false
  throw error
}
