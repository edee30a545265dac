import { ApiKey } from '../protocol/api-key.ts'
import type { RequestInputOf, ResponseOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { AdminClient, Ask } from './admin-client.ts'
import { KafkaError } from './kafka-error.ts'

/** A partition as the controller knows it (KIP-966). */
export interface TopicPartitionDescription {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  /** -1 where the partition has no leader. */
  readonly leader: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

/** A reassignment under way (KIP-455). */
export interface Reassignment {
  readonly topic: string
  readonly partition: number
  /** All of them, those that come and those that go included. */
  readonly replicas: readonly number[]
  readonly adding: readonly number[]
  readonly removing: readonly number[]
}

type Cursor = NonNullable<RequestInputOf<typeof ApiKey.DescribeTopicPartitions>['cursor']>
type Page = ResponseOf<typeof ApiKey.DescribeTopicPartitions>

/** The most that brokers give by default: max.request.partition.size.limit. */
const PAGE_SIZE = 2000

/**
 * Every partition of every topic, internal ones too, in order. In pages, each of which is asked for when the one before has been dealt with: of a
 * million partitions nobody has to have all. A topic that is made or deleted meanwhile may be missing. Rejects with KafkaError.
 */
export async function* describeAllTopics(
  client: Pick<AdminClient, 'run'>,
): AsyncGenerator<readonly TopicPartitionDescription[], void> {
  let cursor: Cursor | null = null
  do {
    const page: Page = await client.run((ask) => pageFrom(ask, cursor))
    yield page.topics.flatMap(partitionsOf)
    cursor = page.nextCursor
  } while (cursor !== null)
}

function pageFrom(ask: Ask, cursor: Cursor | null): Promise<Page> {
  return ask(ApiKey.DescribeTopicPartitions, { topics: [], responsePartitionLimit: PAGE_SIZE, cursor })
}

function partitionsOf({ errorCode, name, topicId, partitions }: Page['topics'][number]): TopicPartitionDescription[] {
  // Deleted between two pages.
  if (errorCode !== ErrorCode.NONE || name === null) return []
  return partitions.map(({ partitionIndex, leaderId, replicaNodes, isrNodes }) => ({
    topic: name,
    topicId,
    partition: partitionIndex,
    leader: leaderId,
    replicas: replicaNodes,
    isr: isrNodes,
  }))
}

/** Those of all topics. Rejects with KafkaError. */
export function listReassignments(client: Pick<AdminClient, 'run'>): Promise<Reassignment[]> {
  return client.run(async (ask) => {
    const answer = await ask(ApiKey.ListPartitionReassignments, { topics: null })
    if (answer.errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(answer.errorCode, answer.errorMessage)
    return answer.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, replicas, addingReplicas, removingReplicas }) => ({
        topic: name,
        partition: partitionIndex,
        replicas,
        adding: addingReplicas,
        removing: removingReplicas,
      })),
    )
  })
}
