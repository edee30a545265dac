import { ErrorCode } from '../protocol/errors.ts'
import type { PartitionLog } from '../storage/log.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { AppendRules } from './append-rules.ts'
import type { PartitionState } from './partition-state.ts'
import { Partition, type PartitionDeps } from './partition.ts'

/** What the cluster knows of topics, whether or not they are hosted here. */
export interface TopicDirectory {
  nameOf(topicId: string): string | undefined
  hasPartition(topic: string, index: number): boolean
}

export interface ReplicaManagerDeps extends PartitionDeps {
  readonly topics: TopicDirectory
  readonly logger: Logger
}

/** A replica that this broker is to host. */
export interface HostedReplica {
  readonly topicId: string
  readonly log: PartitionLog
  readonly state: PartitionState
  readonly rules: AppendRules
}

/** The replicas hosted here, by topic and partition. */
export class ReplicaManager {
  readonly #nodeId: number
  readonly #deps: ReplicaManagerDeps
  readonly #partitions = new Map<string, Map<number, Partition>>()

  constructor(options: { readonly nodeId: number }, deps: ReplicaManagerDeps) {
    this.#nodeId = options.nodeId
    this.#deps = deps
  }

  /** The partition, or the error that a client gets: unknown to the cluster, or known and not hosted here. */
  find(topic: string, index: number): Partition | ErrorCode {
    const partition = this.#partitions.get(topic)?.get(index)
    if (partition !== undefined) return partition
    return this.#deps.topics.hasPartition(topic, index)
      ? ErrorCode.NOT_LEADER_OR_FOLLOWER
      : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  }

  /** As `find`, for clients that name topics by id (KIP-516). */
  findById(topicId: string, index: number): Partition | ErrorCode {
    const topic = this.#deps.topics.nameOf(topicId)
    if (topic === undefined) return ErrorCode.UNKNOWN_TOPIC_ID
    const found = this.find(topic, index)
    if (typeof found !== 'number' && found.topicId !== topicId) return ErrorCode.INCONSISTENT_TOPIC_ID
    return found
  }

  *partitions(): Iterable<Partition> {
    for (const partitions of this.#partitions.values()) yield* partitions.values()
  }

  get(topic: string, index: number): Partition | undefined {
    return this.#partitions.get(topic)?.get(index)
  }

  /** Starts to host a replica. */
  host(replica: HostedReplica): Partition {
    const { log } = replica
    const partition = new Partition({ nodeId: this.#nodeId, ...replica }, this.#deps)
    let partitions = this.#partitions.get(log.topic)
    if (partitions === undefined) this.#partitions.set(log.topic, (partitions = new Map()))
    partitions.set(log.partition, partition)
    return partition
  }

  /** Stops hosting a replica; whoever waits on it is told `error`. */
  drop(topic: string, index: number, error: ErrorCode): void {
    const partitions = this.#partitions.get(topic)
    const partition = partitions?.get(index)
    if (partitions === undefined || partition === undefined) return
    partitions.delete(index)
    if (partitions.size === 0) this.#partitions.delete(topic)
    partition.remove(error)
  }

  /** A log dir has failed: its replicas answer KAFKA_STORAGE_ERROR until they live elsewhere. */
  failDirectory(isInDirectory: (log: PartitionLog) => boolean): void {
    for (const partition of this.partitions()) {
      if (!isInDirectory(partition.log)) continue
      this.#deps.logger.error(
        { topic: partition.log.topic, partition: partition.log.partition },
        'a replica is offline: its log dir has failed',
      )
      partition.remove(ErrorCode.KAFKA_STORAGE_ERROR)
    }
  }
}
