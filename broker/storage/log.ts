import type { DiskError } from '../env/disk.ts'
import { assert } from '../lib/assert.ts'
import type { AbortedTxn } from './aborted-txn-index.ts'
import { DelayedRemoval } from './delayed-removal.ts'
import { StorageError } from './errors.ts'
import type { LeaderEpochCache } from './leader-epochs.ts'
import { type LoadedLog, loadLog } from './loader.ts'
import type { LogConfig } from './log-config.ts'
import {
  type AppendResult,
  type LogListener,
  type PartitionLogDeps,
  type PartitionLogOptions,
  refused,
} from './log-types.ts'
import { LogAppender } from './log-appender.ts'
import { LogCutter } from './log-cutter.ts'
import { LogOffsets } from './log-offsets.ts'
import { LogReader } from './log-reader.ts'
import { LogWriter } from './log-writer.ts'
import { TopicIdFile } from './partition-metadata.ts'
import type { AppendOrigin } from './producer-entry.ts'
import type { ProducerState } from './producer-state.ts'
import { emptySlice, type LogSlice } from './read.ts'
import type { LogSegments } from './segments.ts'
import type { LogTail } from './tail-cache.ts'
import type { FoundOffset } from './timestamps.ts'

/** Resolution of a log's share of `segment.jitter.ms`. */
const JITTER_STEPS = 0x1_0000_0000

export type { LogSlice } from './read.ts'
export type { AppendResult, PartitionLogDeps, PartitionLogOptions } from './log-types.ts'

/**
 * One replica's log. Appends are synchronous and staged in memory; `writeStaged` brings them to the file in one write, and only then,
 * or after the sync that `flush.messages` asks for, they count. After a failure of the disk every append is refused.
 */
export class PartitionLog {
  readonly topic: string
  readonly partition: number
  readonly directory: string
  readonly leaderEpochs: LeaderEpochCache
  readonly producers: ProducerState
  readonly #deps: PartitionLogDeps
  readonly #segments: LogSegments
  readonly #tail: LogTail
  readonly #writer: LogWriter
  readonly #appender: LogAppender
  readonly #reader: LogReader
  readonly #cutter: LogCutter
  readonly #offsets: LogOffsets
  readonly #removal: DelayedRemoval
  readonly #topicIdFile: TopicIdFile
  readonly #listeners: LogListener[] = []
  #topicId: string | null
  #closed = false

  private constructor(options: PartitionLogOptions, loaded: LoadedLog, deps: PartitionLogDeps) {
    this.topic = options.topic
    this.partition = options.partition
    this.#topicId = options.topicId
    this.directory = options.directory
    this.leaderEpochs = loaded.leaderEpochs
    this.producers = loaded.producers
    this.#deps = deps
    this.#segments = loaded.segments
    this.#tail = deps.tailCache.tail()
    this.#topicIdFile = new TopicIdFile(options, deps)
    this.#writer = this.#newWriter(options, loaded)
    const name = `${this.topic}-${this.partition}`
    const parts = { ...loaded, writer: this.#writer }
    const { writer, leaderEpochs, producers, logStartOffset } = parts
    const onTrimmed = (): void => this.#tell('trimmed')
    this.#offsets = new LogOffsets({ name, logStartOffset }, { writer, leaderEpochs, producers, onTrimmed })
    this.#removal = new DelayedRemoval({ ...deps, onError: (error) => void this.#writer.fail(error) })
    this.#cutter = new LogCutter(options, { ...deps, ...parts, offsets: this.#offsets, removal: this.#removal })
    this.#appender = new LogAppender({ name }, { ...parts, offsets: this.#offsets, cutter: this.#cutter })
    this.#reader = new LogReader({
      segments: this.#segments,
      tail: this.#tail,
      leaderEpochs: this.leaderEpochs,
      writer: this.#writer,
      compute: deps.compute,
      isTolerable: deps.isTolerable,
    })
  }

  #newWriter({ directory, config }: PartitionLogOptions, loaded: LoadedLog): LogWriter {
    const { clock, random, onStaged, onFailure } = this.#deps
    const jitter = random.below(JITTER_STEPS) / JITTER_STEPS
    return new LogWriter(
      { ...loaded, directory, config, jitter },
      {
        ...this.#deps,
        clock,
        segments: this.#segments,
        leaderEpochs: this.leaderEpochs,
        topicIdFile: this.#topicIdFile,
        tail: this.#tail,
        onStaged: () => onStaged?.(this),
        onWritten: () => this.#tell('written'),
        onAcknowledgeable: () => this.#tell('acknowledgeable'),
        onFailure: (error) => onFailure?.(error),
        beforeRoll: () => this.producers.takeSnapshot(),
      },
    )
  }

  /** Opens the log in `directory`, a new one where there is none, and recovers it after a crash. Throws DiskError. */
  static async open(options: PartitionLogOptions, deps: PartitionLogDeps): Promise<PartitionLog> {
    const log = new PartitionLog(options, await loadLog(options, deps), deps)
    // What survived a crash in the page cache only is not durable yet.
    if (log.logEndOffset > log.syncedOffset) await log.flush()
    return log
  }

  /** Null where the log was loaded without `partition.metadata`, until `adoptTopicId`. */
  get topicId(): string | null {
    return this.#topicId
  }
  /** The log dir that holds `directory`. */
  get parentDirectory(): string {
    return this.directory.slice(0, this.directory.lastIndexOf('/'))
  }
  get config(): LogConfig {
    return this.#writer.config
  }
  get logStartOffset(): number {
    return this.#offsets.logStartOffset
  }
  /** The next offset to assign; staged appends count. */
  get logEndOffset(): number {
    return this.#writer.logEndOffset
  }
  /** Everything below is in the file, and synced where `flush.messages` asks for it: what acknowledgements may cover. */
  get acknowledgeableOffset(): number {
    return this.#writer.acknowledgeableOffset
  }
  get highWatermark(): number {
    return this.#offsets.highWatermark
  }
  /** The high watermark, or less: the first offset of an open transaction. */
  get lastStableOffset(): number {
    return this.#offsets.lastStableOffset
  }
  /** Everything below survives a power loss. */
  get syncedOffset(): number {
    return this.#writer.syncedOffset
  }
  /** Where recovery starts after a crash: before or at `syncedOffset`. */
  get recoveryPoint(): number {
    return this.#writer.recoveryPoint
  }
  /** For the checkpoint. */
  get notedRecoveryPoint(): number {
    return this.#writer.notedRecoveryPoint
  }
  get lastFlushMs(): number {
    return this.#writer.lastFlushMs
  }
  get isFailed(): boolean {
    return this.#writer.isFailed
  }
  get segmentCount(): number {
    return this.#segments.count
  }
  /** Rising. */
  get segmentBaseOffsets(): number[] {
    return [...this.#segments].map(({ baseOffset }) => baseOffset)
  }
  sizeInBytes(): number {
    return this.#segments.sizeInBytes()
  }

  listen(listener: LogListener): void {
    this.#listeners.push(listener)
  }

  #tell(event: keyof LogListener): void {
    for (const listener of this.#listeners) listener[event]?.()
  }

  /**
   * Appends validated batches, whose bytes now belong to the log: stamps base offsets and the leader epoch in place and checks the
   * producer's epoch and sequence. A batch with a producer id comes alone. A repetition of one of the producer's last five batches is
   * not appended again. Nothing is written yet, but that a full segment is closed and the next one made.
   */
  appendAsLeader(bytes: Uint8Array, leaderEpoch: number, origin: AppendOrigin = 'CLIENT'): AppendResult {
    return this.#refusal() ?? this.#appender.appendAsLeader(bytes, leaderEpoch, origin)
  }

  /**
   * Appends batches as a leader has them: their offsets continue at `logEndOffset`, or behind it where compaction left a gap. A batch
   * that is cut off at the end is left out, and so is what a leader after `leaderEpoch`, of which they are, has written.
   */
  appendAsFollower(bytes: Uint8Array, leaderEpoch = Infinity): AppendResult {
    return this.#refusal() ?? this.#appender.appendAsFollower(bytes, leaderEpoch)
  }

  #refusal(): AppendResult | undefined {
    assert(!this.#cutter.isCutting, 'no append while the log is truncated')
    return this.#closed
      ? refused('KAFKA_STORAGE_ERROR', `The log of ${this.topic}-${this.partition} is closed`)
      : undefined
  }

  /** Writes what was appended since the last call; the end of the tick calls it. A failure is told to `onFailure`. */
  writeStaged(): void {
    this.#writer.writeStaged()
  }

  /** Resolves when everything appended before is durable. Rejects with StorageError KAFKA_STORAGE_ERROR. */
  flush(): Promise<void> {
    return this.#writer.flush()
  }

  /** Begins a new segment, unless the active one is empty. Throws StorageError KAFKA_STORAGE_ERROR. */
  roll(): void {
    this.#writer.guard(() => this.#writer.roll())
  }

  /** Moves the high watermark up to `offset`, as far as the log goes; it never goes back but by a truncation. */
  updateHighWatermark(offset: number): void {
    this.#offsets.updateHighWatermark(offset)
  }

  /**
   * Whole batches that end before `limitOffset`, from the one that holds `offset` on, as many as `maxBytes` allow, and one more than
   * that with `minOneBatch` where the first is larger. Synchronous where the tail cache has them. Throws, or rejects with, StorageError:
   * OFFSET_OUT_OF_RANGE outside [logStartOffset, logEndOffset], KAFKA_STORAGE_ERROR where the disk failed.
   */
  read(offset: number, maxBytes: number, limitOffset: number, minOneBatch: boolean): LogSlice | Promise<LogSlice> {
    if (this.isFailed || this.#closed) throw new StorageError('KAFKA_STORAGE_ERROR', `${this.directory} is closed`)
    if (offset < this.logStartOffset || offset > this.logEndOffset) throw this.#offsets.outOfRange(offset)
    const limit = Math.min(limitOffset, this.#writer.writtenOffset)
    if (offset >= limit) return emptySlice(offset)
    return this.#reader.read({ offset, maxBytes, limitOffset: limit, minOneBatch })
  }

  /** The first record whose timestamp is at least `timestampMs`; null where there is none. */
  offsetForTimestamp(timestampMs: number): Promise<FoundOffset | null> {
    return this.#reader.offsetForTimestamp({ timestampMs, startOffset: this.logStartOffset })
  }

  /** The first record with the largest timestamp (KIP-734); null where no record has one. */
  offsetOfMaxTimestamp(): Promise<FoundOffset | null> {
    // What is only staged counts for the largest time already, and is searched for in the files.
    this.writeStaged()
    return this.#reader.offsetOfMaxTimestamp()
  }

  /** Transactions that were aborted and have records in [`offset`, `endOffset`): what a read_committed fetch is told. */
  abortedTxns(offset: number, endOffset: number): AbortedTxn[] {
    return this.#reader.abortedTxns(offset, endOffset)
  }

  /** Deletes records before `offset`, lazily. Throws StorageError OFFSET_OUT_OF_RANGE beyond the high watermark. */
  incrementLogStartOffset(offset: number): void {
    this.#offsets.incrementLogStartOffset(offset)
  }

  /** Drops what retention gives up, nothing while the log is cut; returns the number of segments. Throws StorageError KAFKA_STORAGE_ERROR. */
  deleteOldSegments(nowMs: number): number {
    return this.#cutter.deleteOldSegments(nowMs)
  }

  /**
   * Drops all records from `offset` on, and more where one before it is damaged: the log ends where the batches do that are left. Nobody may
   * append meanwhile. Rejects with StorageError KAFKA_STORAGE_ERROR.
   */
  truncateTo(offset: number): Promise<void> {
    return this.#cutter.truncateTo(offset)
  }

  /** Drops all records; the next one gets `offset`, and the log begins there or at `logStartOffset`. Throws StorageError KAFKA_STORAGE_ERROR. */
  truncateFullyAndStartAt(offset: number, logStartOffset = offset): void {
    this.#cutter.truncateFullyAndStartAt(offset, logStartOffset)
  }

  /** The cluster's id of the topic. Throws StorageError INCONSISTENT_TOPIC_ID where the log is of another topic of that name. */
  adoptTopicId(topicId: string): void {
    if (this.#topicId === topicId) return
    if (this.#topicId !== null) {
      const message = `${this.directory} is of the topic with id ${this.#topicId}, not ${topicId}`
      throw new StorageError('INCONSISTENT_TOPIC_ID', message)
    }
    this.#writer.guard(() => this.#topicIdFile.write(topicId))
    this.#topicId = topicId
  }

  updateConfig(config: LogConfig): void {
    this.#writer.config = config
    for (const segment of this.#segments) segment.configure(config)
  }

  /**
   * Makes everything durable and closes the files: after this, and the clean-shutdown marker, a start reads no log. Rejects with StorageError:
   * where too many files are open, it can be tried again.
   */
  async close(): Promise<void> {
    if (this.#writer.isClosed) return
    this.writeStaged()
    this.#closed = true
    if (!this.isFailed) {
      this.#writer.guard(() => {
        this.producers.takeSnapshot()
        this.#segments.active.seal()
      })
      await this.flush()
    }
    this.closeFiles()
  }

  /** Closes the files as they are: the log is about to be deleted, or its disk has failed. */
  closeFiles(): void {
    this.#closed = true
    this.#writer.close()
    this.#removal.close()
    this.#tail.clear()
    this.leaderEpochs.close()
    for (const segment of this.#segments) segment.close()
  }

  /** The disk of this log has failed, as another log found out. */
  fail(error: DiskError): void {
    this.#writer.fail(error)
  }
}
