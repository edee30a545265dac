import { ZERO_UUID } from '../lib/uuid.ts'
import { ApiKey } from '../protocol/api-key.ts'
import type { ResponseInputOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { DescribeTopicPartitionsRequest } from '../protocol/messages/describe-topic-partitions.ts'
import { authorizedOperations, TOPIC_OPERATIONS } from './authorized-operations.ts'
import type { ClusterView, PartitionView, TopicView } from './cluster-view.ts'
import type { Handler } from './handler.ts'
import { describePartition } from './metadata.ts'
import { isTopicName } from '../controller/topic-name.ts'

type Response = ResponseInputOf<typeof ApiKey.DescribeTopicPartitions>
type TopicResponse = NonNullable<Response['topics']>[number]

export interface DescribeTopicPartitionsDeps {
  readonly cluster: () => ClusterView
  /** max.request.partition.size.limit */
  readonly partitionLimit: number
}

/** DescribeTopicPartitions (75), v0: topics page by page, with eligible leader replicas (KIP-966). */
export function describeTopicPartitionsHandler(
  deps: DescribeTopicPartitionsDeps,
): Handler<typeof ApiKey.DescribeTopicPartitions> {
  return {
    key: ApiKey.DescribeTopicPartitions,
    handle: (request, { listener }) => page(deps.cluster(), request, deps.partitionLimit, listener),
  }
}

function namesOf(cluster: ClusterView, request: DescribeTopicPartitionsRequest): string[] {
  const names =
    request.topics.length > 0
      ? [...new Set(request.topics.map(({ name }) => name))]
      : cluster.topics().map(({ name }) => name)
  const from = request.cursor?.topicName ?? ''
  return names.filter((name) => name >= from).sort((a, b) => (a < b ? -1 : 1))
}

function page(
  cluster: ClusterView,
  request: DescribeTopicPartitionsRequest,
  partitionLimit: number,
  listener: string,
): Response {
  const { cursor } = request
  if (!isCursorValid(request))
    return { topics: request.topics.map(({ name }) => failed(name, ErrorCode.INVALID_REQUEST)) }
  let left = Math.max(1, Math.min(partitionLimit, request.responsePartitionLimit))
  const topics: TopicResponse[] = []
  for (const name of namesOf(cluster, request)) {
    const topic = cluster.topic(name)
    const first = cursor?.topicName === name ? cursor.partitionIndex : 0
    if (left === 0) return { throttleTimeMs: 0, topics, nextCursor: { topicName: name, partitionIndex: first } }
    if (topic === undefined) {
      topics.push(missing(name))
      continue
    }
    const partitions = topic.partitions.filter(({ index }) => index >= first)
    topics.push(describeTopic(cluster, topic, partitions.slice(0, left), listener))
    const next = partitions[left]
    if (next !== undefined)
      return { throttleTimeMs: 0, topics, nextCursor: { topicName: name, partitionIndex: next.index } }
    left -= partitions.length
  }
  return { throttleTimeMs: 0, topics, nextCursor: null }
}

/** A cursor stands at a partition of one of the topics, where topics are named. */
function isCursorValid({ cursor, topics }: DescribeTopicPartitionsRequest): boolean {
  if (cursor === null) return true
  return cursor.partitionIndex >= 0 && (topics.length === 0 || topics.some(({ name }) => name === cursor.topicName))
}

function failed(name: string, errorCode: ErrorCode): TopicResponse {
  return { errorCode, name, topicId: ZERO_UUID, isInternal: false, partitions: [] }
}

function missing(name: string): TopicResponse {
  const errorCode = isTopicName(name) ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.INVALID_TOPIC_EXCEPTION
  return { ...failed(name, errorCode), topicAuthorizedOperations: authorizedOperations(true, TOPIC_OPERATIONS) }
}

function describeTopic(
  cluster: ClusterView,
  topic: TopicView,
  partitions: readonly PartitionView[],
  listener: string,
): TopicResponse {
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.isInternal,
    partitions: partitions.map((partition) => ({
      ...describePartition(cluster, partition, listener),
      eligibleLeaderReplicas: [...partition.eligibleLeaderReplicas],
      lastKnownElr: [...partition.lastKnownElr],
    })),
    topicAuthorizedOperations: authorizedOperations(true, TOPIC_OPERATIONS),
  }
}
