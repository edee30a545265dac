import type { Clock } from '../env/clock.ts'
import { type Disk, DiskError } from '../env/disk.ts'
import { DirectoryNames } from './directory-names.ts'
import { isTooManyFiles, StorageError } from './errors.ts'
import { GroupFlusher } from './flusher.ts'
import type { LeaderEpochCache } from './leader-epochs.ts'
import type { LogConfig } from './log-config.ts'
import { type AppendSize, LogSegment } from './segment.ts'
import type { OpenFiles } from './open-files.ts'
import { RETRY_MS } from './patience.ts'
import type { TopicIdFile } from './partition-metadata.ts'
import type { LogSegments } from './segments.ts'
import type { CachedBytes, LogTail } from './tail-cache.ts'

export interface LogWriterOptions {
  readonly directory: string
  readonly config: LogConfig
  readonly logEndOffset: number
  readonly recoveryPoint: number
  /** Some of the names in the directory may not be durable, nor the directory's own. */
  readonly hasNewNames: boolean
  /** This log's share of `segment.jitter.ms`: 0 to 1. */
  readonly jitter: number
}

export interface LogWriterDeps {
  readonly disk: Disk
  readonly files: OpenFiles
  /** Of the directory that holds the log's. */
  readonly parentNames: DirectoryNames
  readonly clock: Clock
  readonly segments: LogSegments
  readonly leaderEpochs: LeaderEpochCache
  readonly topicIdFile: TopicIdFile
  readonly tail: LogTail
  /** Called at the first append since the last write. */
  readonly onStaged: () => void
  /** Called when more is in the file, before it may be acknowledged. */
  readonly onWritten: () => void
  /** Called when `acknowledgeableOffset` has moved. */
  readonly onAcknowledgeable: () => void
  /** Called once, when the disk has failed. */
  readonly onFailure: (error: DiskError) => void
  /** Saves what belongs to a segment that ends at `logEndOffset`; before the next one begins. */
  readonly beforeRoll: () => void
}

/**
 * The writing end of a log: stages appends, brings them to the active segment in one write, rolls segments, syncs. What a failed write
 * or sync was about never becomes acknowledgeable, and nothing is written after one.
 */
export class LogWriter {
  logEndOffset: number
  config: LogConfig
  readonly #directory: string
  readonly #jitter: number
  readonly #deps: LogWriterDeps
  readonly #flusher = new GroupFlusher(() => this.#sync())
  #staged: CachedBytes[] = []
  #writtenOffset: number
  #acknowledgeableOffset: number
  #syncedOffset: number
  readonly #foundRecoveryPoint: number
  #lastFlushMs: number
  readonly #names: DirectoryNames
  /** For `#names`: the last one that came; 0 where all are durable. */
  #lastName = 0
  /** For `parentNames`: the directory's own; 0 where it is durable. */
  readonly #ownName: number
  #resets = 0
  /** What failed the log: nothing is written from then on. */
  #failure: DiskError | undefined
  /** Too many files were open for a sync that is waited for: one timer is enough for all who do. */
  #isRetrying = false
  #closed = false

  constructor(options: LogWriterOptions, deps: LogWriterDeps) {
    this.config = options.config
    this.logEndOffset = options.logEndOffset
    this.#directory = options.directory
    this.#jitter = options.jitter
    this.#deps = deps
    this.#writtenOffset = options.logEndOffset
    this.#acknowledgeableOffset = options.logEndOffset
    this.#syncedOffset = options.recoveryPoint
    this.#foundRecoveryPoint = options.recoveryPoint
    this.#lastFlushMs = deps.clock.monotonicMs()
    this.#names = new DirectoryNames({ path: options.directory }, deps)
    if (options.hasNewNames) this.#lastName = this.#names.changed()
    this.#ownName = options.hasNewNames ? deps.parentNames.changed() : 0
  }

  get writtenOffset(): number {
    return this.#writtenOffset
  }
  get acknowledgeableOffset(): number {
    return this.#acknowledgeableOffset
  }
  /** Where recovery has to start: what is synced, less the segments whose indexes are not. */
  get recoveryPoint(): number {
    for (const segment of this.#deps.segments) {
      if (!segment.indexesSynced) return Math.min(segment.baseOffset, this.#syncedOffset)
    }
    return this.#syncedOffset
  }
  /**
   * The recovery point as the checkpoint says it. All of the active segment is read after a crash, so its start will do; its end would be taken, once
   * the next segment begins there, for that of one whose indexes are saved.
   */
  get notedRecoveryPoint(): number {
    const { active } = this.#deps.segments
    return active.isSealed ? this.recoveryPoint : Math.min(this.recoveryPoint, active.baseOffset)
  }
  /** No less than what the checkpoint on the disk says. */
  get notedAtMost(): number {
    return Math.max(this.notedRecoveryPoint, this.#foundRecoveryPoint)
  }
  /** Everything below survives a power loss. */
  get syncedOffset(): number {
    return this.#syncedOffset
  }
  /** By the monotonic clock. */
  get lastFlushMs(): number {
    return this.#lastFlushMs
  }
  get isFailed(): boolean {
    return this.#failure !== undefined
  }
  get isClosed(): boolean {
    return this.#closed
  }
  /** Counts truncations: what was read across one is not what it seems. */
  get resets(): number {
    return this.#resets
  }

  /** Makes the active segment one that takes `append`, and is open for it. Throws DiskError. */
  makeRoom(append: AppendSize): void {
    const jitterMs = this.#jitter * Math.min(this.config.segmentJitterMs, this.config.segmentMs)
    const { segments, clock } = this.#deps
    // A leader's compaction may have left a gap before the append that is wider than a segment.
    if (!segments.active.canHold(append.lastOffset)) this.#rollTo(append.baseOffset)
    else if (segments.active.shouldRoll(append, jitterMs, clock.wallMs())) this.roll()
    segments.active.reserve()
  }

  /** Takes bytes that the active segment has indexed. */
  stage(entry: CachedBytes): void {
    this.#deps.segments.active.stage(entry.bytes)
    this.logEndOffset = entry.nextOffset
    this.#staged.push(entry)
    if (this.#staged.length === 1) this.#deps.onStaged()
  }

  /** Writes what is staged. A failure fails the log. */
  writeStaged(): void {
    if (this.#staged.length === 0 || this.isFailed || this.#closed) return
    const { active } = this.#deps.segments
    try {
      active.writeStaged()
    } catch (error) {
      this.#dropStaged(active)
      this.fail(error)
      return
    }
    for (const entry of this.#staged) this.#deps.tail.add(entry)
    this.#staged = []
    this.#writtenOffset = this.logEndOffset
    this.#deps.onWritten()
    this.#acknowledge()
  }

  /** A torn write must not stay between batches; where even that fails, recovery cuts it. */
  #dropStaged(active: LogSegment): void {
    this.#staged = []
    try {
      active.dropStaged()
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
    }
  }

  #acknowledge(): void {
    if (this.#writtenOffset - this.#syncedOffset >= this.config.flushMessages) {
      // A failed flush has failed the log, and those who wait are told through that; unless too many files were open.
      this.flush().catch(() => this.#acknowledgeLater())
      return
    }
    this.#setAcknowledgeable(this.#writtenOffset)
  }

  #acknowledgeLater(): void {
    if (this.#isRetrying || this.isFailed || this.#closed) return
    this.#isRetrying = true
    this.#deps.clock.setTimer(RETRY_MS, () => {
      this.#isRetrying = false
      this.#acknowledge()
    })
  }

  #setAcknowledgeable(offset: number): void {
    if (offset <= this.#acknowledgeableOffset) return
    this.#acknowledgeableOffset = offset
    this.#deps.onAcknowledgeable()
  }

  /** Resolves when everything appended before is durable. Rejects with StorageError. */
  flush(): Promise<void> {
    this.writeStaged()
    return this.#flusher.flush()
  }

  /** Nothing is written or synced any more; the directory may be gone. */
  close(): void {
    this.#closed = true
  }

  async #sync(): Promise<void> {
    if (this.#hasEnded()) return
    const offset = this.#writtenOffset
    const resets = this.#resets
    const { segments } = this.#deps
    try {
      if (this.#hasNewNames()) await this.#deps.parentNames.below(() => this.#syncNames())
      if (this.#hasEnded()) return
      const dirty = [...segments].filter((segment) => segment.dirty)
      await Promise.all(dirty.map((segment) => segment.sync()))
    } catch (error) {
      throw this.fail(error)
    }
    this.#lastFlushMs = this.#deps.clock.monotonicMs()
    if (resets !== this.#resets) return
    this.#syncedOffset = Math.max(this.#syncedOffset, offset)
    this.#setAcknowledgeable(offset)
    this.#acknowledge()
  }

  /** Whether there is nothing to sync any more. Throws StorageError where the log has failed. */
  #hasEnded(): boolean {
    if (this.#failure !== undefined) throw offline(this.#directory, this.#failure)
    return this.#closed
  }

  #hasNewNames(): boolean {
    const { leaderEpochs, topicIdFile, parentNames, segments } = this.#deps
    const areSaved = leaderEpochs.isPersisted && topicIdFile.isSynced
    const areSynced = areSaved && this.#names.isSynced(this.#lastName) && parentNames.isSynced(this.#ownName)
    return !areSynced && !segments.isBlank
  }

  /** Of files that are there at the call; and what recovery does not find in the log: the topic, the leader epochs before the recovery point. */
  async #syncNames(): Promise<void> {
    const { leaderEpochs, topicIdFile, parentNames } = this.#deps
    if (await topicIdFile.sync()) this.#lastName = this.#names.changed()
    if (await leaderEpochs.persist()) this.#lastName = this.#names.changed()
    await this.#names.sync(this.#lastName)
    await parentNames.sync(this.#ownName)
  }

  /** Ends the active segment and begins the next one at `logEndOffset`; syncs in the background. Throws DiskError. */
  roll(): void {
    this.#rollTo(this.logEndOffset)
  }

  /** As `roll`, with a gap before the next segment. */
  #rollTo(baseOffset: number): void {
    this.writeStaged()
    const { segments } = this.#deps
    const { active } = segments
    if (this.#failure !== undefined) throw this.#failure
    if (active.baseOffset === baseOffset) return
    this.#deps.beforeRoll()
    // Behind the next one's making nothing may fail: its file would be found as the log's end, while appends still go to this one.
    active.trim()
    const next = this.newSegment(baseOffset)
    active.seal()
    segments.push(next)
    this.flush().catch(() => undefined)
  }

  /** An empty segment, which is for the caller to add. Throws DiskError. */
  newSegment(baseOffset: number): LogSegment {
    this.#lastName = this.#names.changed()
    const createdMs = this.#deps.clock.wallMs()
    return LogSegment.create({ directory: this.#directory, baseOffset, createdMs, config: this.config }, this.#deps)
  }

  /** The log now ends at `offset`, in the file as in memory. */
  reset(offset: number): void {
    this.#resets++
    this.#staged = []
    this.logEndOffset = offset
    this.#writtenOffset = offset
    this.#acknowledgeableOffset = Math.min(this.#acknowledgeableOffset, offset)
    this.#syncedOffset = Math.min(this.#syncedOffset, offset)
    this.#deps.tail.clear()
  }

  /** Does what is done to the log's files. What fails it fails the log, as `fail` tells. */
  guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      throw this.fail(error)
    }
  }

  /**
   * After this the log refuses everything, unless it is only that too many files are open. Returns what to throw; throws what is no failure
   * of the disk. What a closed log fails with is no failure of the disk either: its files may be deleted.
   */
  fail(error: unknown): StorageError {
    if (!(error instanceof DiskError)) throw error
    if (this.#closed && this.#failure === undefined) {
      return new StorageError('KAFKA_STORAGE_ERROR', `The log in ${this.#directory} is closed`)
    }
    if (isTooManyFiles(error)) return new StorageError('KAFKA_STORAGE_ERROR', error.message, error)
    if (this.#failure === undefined) {
      this.#failure = error
      this.#deps.onFailure(error)
    }
    return offline(this.#directory, error)
  }
}

function offline(directory: string, cause?: unknown): StorageError {
  return new StorageError('KAFKA_STORAGE_ERROR', `The disk of ${directory} has failed`, cause)
}
