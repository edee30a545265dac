import { pino } from 'pino'
import type { KafkaCluster, KafkaTopic, Resource } from '../../operator/api/resource.ts'
import { KAFKA_CLUSTER, KAFKA_TOPIC } from '../../operator/api/resource.ts'
import type { KafkaState, QuorumReplica } from '../../operator/kafka/state.ts'
import { EventRecorder } from '../../operator/kube/events.ts'
import { TopicRefusal } from '../../operator/topic/admin.ts'
import type { NewTopic, TopicAdmin, TopicState } from '../../operator/topic/admin.ts'
import { SimClock } from './clock.ts'
import { FakeKube } from './kube.ts'
import { SimRandom } from './random.ts'

type Pool = KafkaCluster['spec']['pools'][number]

/** A pool as an API server stores it. */
export function pool(change: Partial<Pool> = {}): Pool {
  return {
    name: 'nodes',
    roles: ['controller', 'broker'],
    replicas: 1,
    storage: { size: '10Gi', volumes: 1 },
    resources: {},
    template: {},
    ...change,
  }
}

/** A KafkaCluster as an API server stores it. */
export function kafkaCluster(change: Partial<KafkaCluster['spec']> = {}, name = 'orders'): KafkaCluster {
  return {
    apiVersion: KAFKA_CLUSTER.apiVersion,
    kind: KAFKA_CLUSTER.kind,
    metadata: { name, namespace: 'kafka', uid: `uid-of-${name}`, generation: 1 },
    spec: {
      distribution: 'bundled',
      version: '4.3',
      pools: [pool()],
      listeners: [{ name: 'plain', port: 9092, type: 'internal', tls: false }],
      config: {},
      topics: { namespaces: ['*'], deleteProtection: false },
      rebalance: { onScale: 'auto' },
      durability: { policy: 'enforce' },
      ...change,
    },
  }
}

/** A KafkaTopic of the cluster kafka/orders. */
export function kafkaTopic(
  change: Partial<KafkaTopic['spec']> = {},
  name = 'payments',
  namespace = 'team',
): KafkaTopic {
  return {
    apiVersion: KAFKA_TOPIC.apiVersion,
    kind: KAFKA_TOPIC.kind,
    metadata: { name, namespace },
    spec: {
      cluster: { name: 'orders', namespace: 'kafka' },
      partitions: 3,
      config: {},
      deletionPolicy: 'delete',
      ...change,
    },
  }
}

/** A cluster's topics in memory. */
export class FakeTopics implements TopicAdmin {
  readonly topics = new Map<
    string,
    { topicId: string; partitions: number; replicas: number; config: Map<string, string> }
  >()
  readonly calls: string[] = []
  /** Topics that have records. */
  readonly filled = new Set<string>()
  /** What every call rejects with. */
  failure: Error | null = null
  /** What changes reject with. */
  refusal: TopicRefusal | null = null
  #ids = 0

  async describe(name: string): Promise<TopicState | null> {
    if (this.failure !== null) throw this.failure
    const found = this.topics.get(name)
    return found === undefined ? null : { ...found, config: new Map(found.config) }
  }

  async create({ name, partitions, replicas, config }: NewTopic): Promise<TopicState> {
    this.#change(`create ${name}`)
    if (this.topics.has(name)) throw new TopicRefusal('TOPIC_ALREADY_EXISTS', `Topic '${name}' already exists.`)
    const made = { topicId: `id-${++this.#ids}`, partitions, replicas: replicas ?? 1, config: new Map(config) }
    this.topics.set(name, made)
    return { ...made, config }
  }

  async grow(name: string, partitions: number): Promise<void> {
    this.#change(`grow ${name} ${partitions}`)
    this.#mustGet(name).partitions = partitions
  }

  async alterConfig(name: string, set: ReadonlyMap<string, string>, unset: readonly string[]): Promise<void> {
    this.#change(`alterConfig ${name}`)
    const { config } = this.#mustGet(name)
    for (const [key, value] of set) config.set(key, value)
    for (const key of unset) config.delete(key)
  }

  async delete(topicId: string): Promise<void> {
    const found = [...this.topics].find(([, topic]) => topic.topicId === topicId)
    const name = found?.[0] ?? topicId
    this.#change(`delete ${name}`)
    this.topics.delete(name)
  }

  async hasRecords(name: string): Promise<boolean> {
    if (this.failure !== null) throw this.failure
    return this.filled.has(name)
  }

  #change(call: string): void {
    if (this.failure !== null) throw this.failure
    if (this.refusal !== null) throw this.refusal
    this.calls.push(call)
  }

  #mustGet(name: string) {
    const found = this.topics.get(name)
    if (found === undefined) throw new TopicRefusal('UNKNOWN_TOPIC_OR_PARTITION', 'no such topic')
    return found
  }
}

/** A cluster of one node, broker and controller, without topics. */
export function kafkaState(change: Partial<KafkaState> = {}): KafkaState {
  return {
    clusterId: '',
    brokers: new Map([[0, { rack: null }]]),
    quorum: { leaderId: 0, voters: [quorumReplica(0)], observers: [] },
    partitions: [],
    metadataVersion: { finalized: 30, min: 7, max: 30 },
    ...change,
  }
}

/** One that has all that the leader has. */
export function quorumReplica(id: number, lagMs: number | null = 0): QuorumReplica {
  return { id, directoryId: `directory-of-${id}`, logEndOffset: 100, lagMs }
}

/** What most parts of the operator depend on. */
export function operatorWorld(seed = 1) {
  const api = new FakeKube()
  const clock = new SimClock()
  const random = new SimRandom(seed)
  const logger = pino({ level: 'silent' })
  const events = new EventRecorder({ instance: 'test' }, { api, clock, random, logger })
  return { api, clock, random, logger, events }
}

interface WithConditions extends Resource {
  status?: { conditions?: { type: string; status: string; reason: string; message: string }[] }
}

/** `Ready=False InvalidSpec: message`, or undefined. */
export function condition(object: WithConditions | null, type: string): string | undefined {
  const found = object?.status?.conditions?.find((candidate) => candidate.type === type)
  return found === undefined ? undefined : `${found.status} ${found.reason}: ${found.message}`
}
