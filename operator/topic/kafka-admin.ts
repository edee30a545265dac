import type { AdminClient } from '../../broker/client/admin-client.ts'
import type {
  ConfigChange,
  ConfigEntry,
  CreatedTopic,
  Outcomes,
  TopicDescription,
} from '../../broker/client/admin-types.ts'
import { listReassignments } from '../../broker/client/admin-topics.ts'
import { KafkaError } from '../../broker/client/kafka-error.ts'
import { TopicRefusal } from './admin.ts'
import type { NewTopic, TopicAdmin, TopicState } from './admin.ts'
import { Batcher } from './batcher.ts'

/**
 * Of one request. Topics, but for creation: the controller makes at most 10,000 records at a time. What is told of 100 topics is garbage before the
 * collector has to move it; with 500 half of the CPU time of a resync was the collector's.
 */
const DESCRIBE_MAX = 100
const CREATE_PARTITIONS_MAX = 2000
const CHANGE_MAX = 200

interface Increase {
  readonly name: string
  readonly totalCount: number
}

interface Alteration {
  readonly name: string
  readonly changes: readonly ConfigChange[]
}

/** A cluster's topics by the Kafka protocol. What many ask for at a time goes into one request. */
export class KafkaTopicAdmin implements TopicAdmin {
  readonly #client: AdminClient
  readonly #describe: Batcher<string, TopicState | null | Error>
  readonly #create: Batcher<NewTopic, CreatedTopic | Error>
  readonly #grow: Batcher<Increase, null | Error>
  readonly #alter: Batcher<Alteration, null | Error>
  readonly #delete: Batcher<string, null | Error>
  readonly #sizes: Batcher<string, boolean | Error>

  constructor(client: AdminClient) {
    this.#client = client
    this.#describe = new Batcher({ weightMax: DESCRIBE_MAX }, (names) => this.#describeAll(names))
    this.#create = new Batcher(
      { weightMax: CREATE_PARTITIONS_MAX, weightOf: ({ partitions }) => partitions },
      async (topics) => inOrder(topics, await client.createTopics(topics.map(requestOf))),
    )
    this.#grow = new Batcher({ weightMax: CHANGE_MAX }, async (increases) =>
      inOrder(increases, await client.createPartitions(increases)),
    )
    this.#alter = new Batcher({ weightMax: CHANGE_MAX }, async (alterations) => {
      const changes = new Map(alterations.map(({ name, changes: own }) => [name, own]))
      return inOrder(alterations, await client.incrementalAlterConfigs('topic', changes))
    })
    this.#delete = new Batcher({ weightMax: CHANGE_MAX }, async (ids) => {
      const outcomes = await client.deleteTopics(ids)
      return ids.map((id) => (isUnknownTopic(outcomes.get(id)) ? null : outcomeOf(outcomes, id)))
    })
    this.#sizes = new Batcher({ weightMax: DESCRIBE_MAX }, (names) => this.#haveRecords(names))
  }

  async describe(name: string): Promise<TopicState | null> {
    return resultOf(await this.#describe.ask(name))
  }

  async create(topic: NewTopic): Promise<TopicState> {
    const { topicId, partitions, replicationFactor } = resultOf(await this.#create.ask(topic))
    // Metadata may not have come round yet: the answer tells what it will say.
    return { topicId, partitions, replicas: replicationFactor, config: topic.config }
  }

  async grow(name: string, partitions: number): Promise<void> {
    resultOf(await this.#grow.ask({ name, totalCount: partitions }))
  }

  async alterConfig(name: string, set: ReadonlyMap<string, string>, unset: readonly string[]): Promise<void> {
    const changes: ConfigChange[] = [
      ...[...set].map(([key, value]) => ({ name: key, operation: 'set' as const, value })),
      ...unset.map((key) => ({ name: key, operation: 'delete' as const, value: null })),
    ]
    resultOf(await this.#alter.ask({ name, changes }))
  }

  async delete(topicId: string): Promise<void> {
    resultOf(await this.#delete.ask(topicId))
  }

  async hasRecords(name: string): Promise<boolean> {
    return resultOf(await this.#sizes.ask(name))
  }

  async #describeAll(names: readonly string[]): Promise<(TopicState | null | Error)[]> {
    const topics = await this.#client.metadata(names)
    const found = names.filter((name) => !(outcomeOf(topics, name) instanceof Error))
    const configs = await this.#client.describeConfigs('topic', found)
    const adding = await this.#adding(topics)
    return names.map((name) => {
      const topic = outcomeOf(topics, name)
      if (topic instanceof Error) return isUnknownTopic(topic) ? null : topic
      const entries = outcomeOf(configs, name)
      if (entries instanceof Error) return isUnknownTopic(entries) ? null : entries
      return stateOf(topic, entries, adding)
    })
  }

  /**
   * The replicas that partitions are on their way to, by topic and number: the metadata names them with those that are there. As long as one is on its
   * way it is not in sync, so nobody is asked where all are.
   */
  async #adding(topics: Outcomes<string, TopicDescription>): Promise<Adding> {
    const known = [...topics.values()].flatMap((topic) => (topic instanceof KafkaError ? [] : topic.partitions))
    if (known.every(({ replicas, isr }) => replicas.length === isr.length)) return new Map()
    const moves = await listReassignments(this.#client)
    return new Map(moves.map((move) => [`${move.topic}/${move.partition}`, move.adding]))
  }

  /** Empty is what the leader of each partition says is: of one that nobody answers for the others cannot tell. */
  async #haveRecords(names: readonly string[]): Promise<(boolean | Error)[]> {
    const topics = await this.#client.metadata(names)
    const { brokers } = await this.#client.describeCluster()
    const filled = new Set<string>()
    const told = new Set<string>()
    for (const [id, dirs] of await this.#client.describeLogDirs(brokers.map((broker) => broker.id))) {
      if (dirs instanceof KafkaError) throw dirs
      for (const { topic, partition, sizeBytes } of dirs.flatMap(({ replicas }) => replicas)) {
        told.add(`${id} ${topic}/${partition}`)
        if (sizeBytes > 0n) filled.add(topic)
      }
    }
    return names.map((name) => {
      if (filled.has(name)) return true
      const topic = outcomeOf(topics, name)
      if (topic instanceof Error) return isUnknownTopic(topic) ? false : topic
      const silent = topic.partitions.find(({ leader, partition }) => !told.has(`${leader} ${name}/${partition}`))
      return silent === undefined ? false : new Error(`no leader tells whether ${name}-${silent.partition} has records`)
    })
  }
}

function requestOf({ name, partitions, replicas, config }: NewTopic) {
  const replication = replicas === null ? {} : { replicationFactor: replicas }
  return { name, partitions, ...replication, configs: Object.fromEntries(config) }
}

type Adding = ReadonlyMap<string, readonly number[]>

function stateOf(
  { name, topicId, partitions }: TopicDescription,
  entries: readonly ConfigEntry[],
  adding: Adding,
): TopicState {
  const own = entries.filter(({ source }) => source === 'DYNAMIC_TOPIC_CONFIG')
  const counts = partitions.map(({ partition, replicas }) => {
    const coming = adding.get(`${name}/${partition}`) ?? []
    return replicas.filter((id) => !coming.includes(id)).length
  })
  return {
    topicId,
    partitions: partitions.length,
    replicas: counts.length === 0 ? 0 : Math.min(...counts),
    config: new Map(own.map((entry) => [entry.name, entry.value ?? ''])),
  }
}

function inOrder<T>(items: readonly { readonly name: string }[], outcomes: Outcomes<string, T>): (T | Error)[] {
  return items.map(({ name }) => outcomeOf(outcomes, name))
}

function outcomeOf<T>(outcomes: Outcomes<string, T>, name: string): T | Error {
  const outcome = outcomes.get(name)
  return outcome === undefined ? new Error(`the broker left topic ${name} out of its answer`) : outcome
}

/** Throws where the item failed; a failure that cannot pass is a refusal. */
function resultOf<T>(outcome: T | Error): T {
  if (!(outcome instanceof Error)) return outcome
  if (!(outcome instanceof KafkaError) || outcome.isRetriable) throw outcome
  throw new TopicRefusal(outcome.code, outcome.message)
}

const UNKNOWN: ReadonlySet<string> = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID'])

function isUnknownTopic(outcome: unknown): outcome is KafkaError {
  return outcome instanceof KafkaError && UNKNOWN.has(outcome.code)
}
