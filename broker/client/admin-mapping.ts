import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestInputOf, ResponseOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import {
  CONFIG_SOURCES,
  type ConfigEntry,
  type CreatedTopic,
  type LogDirDescription,
  type NewTopic,
  type Outcomes,
  type TopicDescription,
} from './admin-types.ts'
import { KafkaError } from './kafka-error.ts'

/** Of a list in a response. */
type Item<T extends { readonly [key in K]: readonly unknown[] }, K extends string> = T[K][number]

/** An item of a response that says how it went. */
interface Result {
  readonly errorCode: number
  readonly errorMessage?: string | null
}

/** The outcome of each item, under its name. */
export function outcomes<R extends Result, T>(
  results: readonly R[],
  nameOf: (result: R) => string,
  valueOf: (result: R) => T,
): Outcomes<string, T> {
  return new Map(results.map((result) => [nameOf(result), outcome(result, valueOf)]))
}

function outcome<R extends Result, T>(result: R, valueOf: (result: R) => T): T | KafkaError {
  if (result.errorCode === ErrorCode.NONE) return valueOf(result)
  return KafkaError.fromCode(result.errorCode, result.errorMessage ?? null)
}

export function creatableTopic(
  topic: NewTopic,
): NonNullable<RequestInputOf<typeof ApiKey.CreateTopics>['topics']>[number] {
  const { name, partitions = -1, replicationFactor = -1, assignments, configs = {} } = topic
  return {
    name,
    numPartitions: assignments === undefined ? partitions : -1,
    replicationFactor: assignments === undefined ? replicationFactor : -1,
    assignments: assignments?.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
    configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
  }
}

export function createdTopic(result: Item<ResponseOf<typeof ApiKey.CreateTopics>, 'topics'>): CreatedTopic {
  const { topicId, numPartitions, replicationFactor } = result
  return { topicId, partitions: numPartitions, replicationFactor }
}

export function topicDescription(topic: Item<ResponseOf<typeof ApiKey.Metadata>, 'topics'>): TopicDescription {
  const partitions = topic.partitions.map((partition) => ({
    partition: partition.partitionIndex,
    leader: partition.leaderId,
    leaderEpoch: partition.leaderEpoch,
    replicas: partition.replicaNodes,
    isr: partition.isrNodes,
    offlineReplicas: partition.offlineReplicas,
  }))
  partitions.sort((a, b) => a.partition - b.partition)
  return { name: topic.name ?? '', topicId: topic.topicId, isInternal: topic.isInternal, partitions }
}

export function configEntry(
  config: Item<Item<ResponseOf<typeof ApiKey.DescribeConfigs>, 'results'>, 'configs'>,
): ConfigEntry {
  const { name, value, configSource, readOnly, isSensitive } = config
  return { name, value, source: CONFIG_SOURCES[configSource] ?? 'UNKNOWN', isReadOnly: readOnly, isSensitive }
}

export function logDir(result: Item<ResponseOf<typeof ApiKey.DescribeLogDirs>, 'results'>): LogDirDescription {
  const { errorCode, logDir: path, totalBytes, usableBytes, topics } = result
  const replicas = topics.flatMap(({ name: topic, partitions }) =>
    partitions.map(({ partitionIndex, partitionSize, offsetLag, isFutureKey }) => ({
      topic,
      partition: partitionIndex,
      sizeBytes: partitionSize,
      offsetLag,
      isFuture: isFutureKey,
    })),
  )
  const error = errorCode === ErrorCode.NONE ? undefined : KafkaError.fromCode(errorCode)
  return { path, error, totalBytes, usableBytes, replicas }
}
