import { ErrorCode } from '../protocol/errors.ts'
import type { Partition } from './partition.ts'
import type { PartitionEvent, PartitionWatcher } from './waiters.ts'

/** What a client asks of one partition, as kept in its session. */
export interface SessionPartition {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly fetchOffset: number
  readonly maxBytes: number
  /** -1: the client does not track epochs. */
  readonly currentLeaderEpoch: number
  /** -1: none; else divergence from the leader's log is looked for (KIP-595). */
  readonly lastFetchedEpoch: number
  /** Of a follower's log. */
  readonly logStartOffset: number
}

/** The partition, or the error where this broker cannot serve it. */
export type FindPartition = (asked: SessionPartition) => Partition | ErrorCode

/** One partition of a client's fetches, from one to the next. */
export class FetchTarget implements PartitionWatcher {
  readonly key: string
  asked: SessionPartition
  /** As found when it was looked for last; an error where this broker cannot serve it. */
  partition: Partition | ErrorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  /** Its place among the client's partitions: the one with the least is read first. */
  place: number
  /** Something has happened to the partition since it was read. */
  hasMoved = false
  /** What the client was told last; incremental answers leave out what has not changed (KIP-227). */
  highWatermark = -1
  logStartOffset = -1
  readonly #onChanged: (target: FetchTarget, event: PartitionEvent) => void
  #watched: Partition | undefined

  constructor(
    options: { readonly key: string; readonly asked: SessionPartition; readonly place: number },
    onChanged: (target: FetchTarget, event: PartitionEvent) => void,
  ) {
    this.key = options.key
    this.asked = options.asked
    this.place = options.place
    this.#onChanged = onChanged
  }

  changed(event: PartitionEvent): void {
    this.#onChanged(this, event)
  }

  /** From now on everything that happens to the partition is heard of. */
  watch(): void {
    const partition = typeof this.partition === 'number' ? undefined : this.partition
    if (this.#watched === partition) return
    this.unwatch()
    partition?.watchers.add(this)
    this.#watched = partition
  }

  unwatch(): void {
    this.#watched?.watchers.delete(this)
    this.#watched = undefined
  }
}
