import type { KafkaError } from './kafka-error.ts'

/** What became of each item: its result, or why it failed. */
export type Outcomes<K, T> = ReadonlyMap<K, T | KafkaError>

export interface BrokerNode {
  readonly id: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

export interface ClusterDescription {
  readonly clusterId: string | null
  /** -1 where there is none. */
  readonly controllerId: number
  readonly brokers: readonly BrokerNode[]
}

export interface PartitionDescription {
  readonly partition: number
  /** -1 where the partition has no leader. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly offlineReplicas: readonly number[]
}

export interface TopicDescription {
  readonly name: string
  readonly topicId: string
  readonly isInternal: boolean
  /** In order of their numbers. */
  readonly partitions: readonly PartitionDescription[]
}

export interface NewTopic {
  readonly name: string
  /** Left out: the cluster's default. */
  readonly partitions?: number
  readonly replicationFactor?: number
  /** The replicas of partition 0, 1, …; instead of `partitions` and `replicationFactor`. */
  readonly assignments?: readonly (readonly number[])[]
  readonly configs?: Readonly<Record<string, string>>
}

export interface CreatedTopic {
  readonly topicId: string
  /** -1 where the broker does not tell. */
  readonly partitions: number
  readonly replicationFactor: number
}

export interface PartitionIncrease {
  readonly name: string
  /** The number of partitions to have then. */
  readonly totalCount: number
  /** The replicas of each partition that is added. */
  readonly assignments?: readonly (readonly number[])[]
}

/** Kafka's ids of what has a configuration. */
export const ConfigResourceType = { topic: 2, broker: 4, brokerLogger: 8, clientMetrics: 16, group: 32 } as const
export type ConfigResourceType = keyof typeof ConfigResourceType

/** Where a value comes from, by Kafka's ids. */
export const CONFIG_SOURCES = [
  'UNKNOWN',
  'DYNAMIC_TOPIC_CONFIG',
  'DYNAMIC_BROKER_CONFIG',
  'DYNAMIC_DEFAULT_BROKER_CONFIG',
  'STATIC_BROKER_CONFIG',
  'DEFAULT_CONFIG',
  'DYNAMIC_BROKER_LOGGER_CONFIG',
  'CLIENT_METRICS_CONFIG',
  'GROUP_CONFIG',
] as const
export type ConfigSource = (typeof CONFIG_SOURCES)[number]

export interface ConfigEntry {
  readonly name: string
  /** Null where it is sensitive, or not set. */
  readonly value: string | null
  readonly source: ConfigSource
  readonly isReadOnly: boolean
  readonly isSensitive: boolean
}

/** Kafka's ids of the operations of IncrementalAlterConfigs (KIP-339). */
export const CONFIG_OPERATIONS = { set: 0, delete: 1, append: 2, subtract: 3 } as const

export interface ConfigChange {
  readonly name: string
  readonly operation: keyof typeof CONFIG_OPERATIONS
  /** Null for `delete`. */
  readonly value: string | null
}

export interface ReplicaSize {
  readonly topic: string
  readonly partition: number
  readonly sizeBytes: bigint
  /** How far behind the high watermark, or for a future replica the current one, it is. */
  readonly offsetLag: bigint
  /** It is being moved here from another directory. */
  readonly isFuture: boolean
}

export interface LogDirDescription {
  readonly path: string
  /** Undefined while the directory works. */
  readonly error: KafkaError | undefined
  /** Of its file system; -1 where the broker does not tell. */
  readonly totalBytes: bigint
  readonly usableBytes: bigint
  readonly replicas: readonly ReplicaSize[]
}
