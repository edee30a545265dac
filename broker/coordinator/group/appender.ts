import type { ErrorCode } from '../../protocol/errors.ts'

/** What the coordinator needs of the partitions of `__consumer_offsets`. */
export interface Appender {
  /**
   * Appends one batch and resolves when it is committed (acks=all), with the offset that its first record got. Batches of a partition
   * are appended in the order of the calls. Never waits for ever: after offsets.commit.timeout.ms it is REQUEST_TIMED_OUT.
   */
  append(partition: number, batch: Uint8Array): Promise<{ error: ErrorCode; baseOffset: number }>
  /** What a batch of the partition may have, as its settings are now. */
  batchBytesMax(partition: number): number
  /**
   * Committed batches from `fromOffset` on, or from the start of the log where that is later; the first batch may begin before it.
   * Goes on at `nextOffset`, unless `endReached`. Rejects where the partition cannot be read.
   */
  read(
    partition: number,
    fromOffset: number,
  ): Promise<{ buffers: readonly Uint8Array[]; nextOffset: number; endReached: boolean }>
  /** Partitions of `__consumer_offsets`; offsets.topic.num.partitions while it does not exist. */
  partitionCount(): number
}

/** What the coordinator asks of the cluster's metadata. */
export interface TopicNames {
  /** Undefined for a topic id that no topic has. */
  nameOf(topicId: string): string | undefined
  idOf(name: string): string | undefined
  exists(name: string, partition: number): boolean
}

export interface GroupLogger {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
