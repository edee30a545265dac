import type { AdminClient } from '../../broker/client/admin-client.ts'
import type { ConfigChange, Outcomes } from '../../broker/client/admin-types.ts'
import { KafkaError } from '../../broker/client/kafka-error.ts'
import { TopicRefusal } from './admin.ts'
import type { NewTopic, TopicAdmin, TopicState } from './admin.ts'

/** A cluster's topics by the Kafka protocol. */
export class KafkaTopicAdmin implements TopicAdmin {
  readonly #client: AdminClient

  constructor(client: AdminClient) {
    this.#client = client
  }

  async describe(name: string): Promise<TopicState | null> {
    const topic = (await this.#client.metadata([name])).get(name)
    if (isUnknownTopic(topic)) return null
    const { topicId, partitions } = resultOf(topic)
    const configs = (await this.#client.describeConfigs('topic', [name])).get(name)
    if (isUnknownTopic(configs)) return null
    const own = resultOf(configs).filter(({ source }) => source === 'DYNAMIC_TOPIC_CONFIG')
    return {
      topicId,
      partitions: partitions.length,
      replicas: partitions[0]?.replicas.length ?? 0,
      config: new Map(own.map((entry) => [entry.name, entry.value ?? ''])),
    }
  }

  async create({ name, partitions, replicas, config }: NewTopic): Promise<void> {
    const replication = replicas === null ? {} : { replicationFactor: replicas }
    const topic = { name, partitions, ...replication, configs: Object.fromEntries(config) }
    only(await this.#client.createTopics([topic]))
  }

  async grow(name: string, partitions: number): Promise<void> {
    only(await this.#client.createPartitions([{ name, totalCount: partitions }]))
  }

  async alterConfig(name: string, set: ReadonlyMap<string, string>, unset: readonly string[]): Promise<void> {
    const changes: ConfigChange[] = [
      ...[...set].map(([key, value]) => ({ name: key, operation: 'set' as const, value })),
      ...unset.map((key) => ({ name: key, operation: 'delete' as const, value: null })),
    ]
    only(await this.#client.incrementalAlterConfigs('topic', new Map([[name, changes]])))
  }

  async delete(name: string): Promise<void> {
    const outcome = (await this.#client.deleteTopics([name])).get(name)
    if (!isUnknownTopic(outcome)) resultOf(outcome)
  }
}

function only<T>(outcomes: Outcomes<string, T>): T {
  return resultOf([...outcomes.values()][0])
}

/** Throws where the item failed; a failure that cannot pass is a refusal. */
function resultOf<T>(outcome: T | KafkaError | undefined): T {
  if (outcome === undefined) throw new Error('the broker left the topic out of its answer')
  if (!(outcome instanceof KafkaError)) return outcome
  if (outcome.isRetriable) throw outcome
  throw new TopicRefusal(outcome.code, outcome.message)
}

function isUnknownTopic(outcome: unknown): outcome is KafkaError {
  return outcome instanceof KafkaError && outcome.code === 'UNKNOWN_TOPIC_OR_PARTITION'
}
