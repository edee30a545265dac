import type { Clock } from '../env/clock.ts'
import { type Disk, DiskError } from '../env/disk.ts'
import { assert } from '../lib/assert.ts'
import type { DelayedRemoval } from './delayed-removal.ts'
import { isTooManyFiles } from './errors.ts'
import type { LeaderEpochCache } from './leader-epochs.ts'
import type { LogOffsets } from './log-offsets.ts'
import type { LogWriter } from './log-writer.ts'
import { patiently } from './patience.ts'
import type { ProducerState } from './producer-state.ts'
import { cutOf, findEnd, reactivate, replayProducers } from './replay.ts'
import { expiredSegments } from './retention.ts'
import type { LogSegment } from './segment.ts'
import type { LogSegments } from './segments.ts'

export interface LogCutterDeps {
  readonly disk: Disk
  readonly clock: Clock
  readonly segments: LogSegments
  readonly writer: LogWriter
  readonly offsets: LogOffsets
  readonly leaderEpochs: LeaderEpochCache
  readonly producers: ProducerState
  readonly removal: DelayedRemoval
  /** Called when recovery has to start, or the log begins, before where it did; resolves when a crash will find that out. Rejects with StorageError. */
  readonly onLowered?: (() => Promise<void>) | undefined
}

/** What a crash would go by. */
interface Noted {
  readonly recoveryPoint: number
  readonly logStartOffset: number
}

/**
 * Takes records away from a log: old ones, those at its end, or all. What needs a file descriptor comes first, or is tried until there is
 * one: a log that is cut in part would go on with a hole, or have the rest of it back after a crash.
 */
export class LogCutter {
  readonly #directory: string
  readonly #deps: LogCutterDeps
  #isCutting = false

  /** `directory` is the log's. */
  constructor(options: { readonly directory: string }, deps: LogCutterDeps) {
    this.#directory = options.directory
    this.#deps = deps
  }

  /** The log is cut at its end: nobody may append, and what is there is about to be read anew. */
  get isCutting(): boolean {
    return this.#isCutting
  }

  /** Drops what retention gives up, nothing while the log is cut; returns the number of segments. Throws StorageError KAFKA_STORAGE_ERROR. */
  deleteOldSegments(nowMs: number): number {
    const { segments, writer, offsets } = this.#deps
    const { logStartOffset, highWatermark } = offsets
    const bounds = { logStartOffset, highWatermark, logEndOffset: writer.logEndOffset, nowMs }
    const count = this.#isCutting ? 0 : expiredSegments(segments.list(), writer.config, bounds)
    if (count === 0) return 0
    writer.guard(() => {
      if (count === segments.count) writer.roll()
      this.#discard(segments.list().slice(0, count))
      offsets.incrementLogStartOffset(segments.first.baseOffset)
    })
    return count
  }

  /** Gives up whole segments; one has to stay, or to come. Throws DiskError, but not for want of a descriptor. */
  #discard(gone: readonly LogSegment[]): void {
    const { segments, producers, writer, removal } = this.#deps
    const paths = gone.flatMap((segment) => segment.markDeleted())
    segments.remove(gone)
    const bases = new Set(gone.map(({ baseOffset }) => baseOffset))
    producers.removeSnapshots((offset) => bases.has(offset))
    if (paths.length > 0) removal.remove(paths, writer.config.fileDeleteDelayMs)
  }

  /**
   * Drops all records from `offset` on, and more where one before it is damaged: the log ends where the batches do that are left. Nobody may
   * append meanwhile. Rejects with StorageError KAFKA_STORAGE_ERROR: where too many files are open, nothing has changed.
   */
  async truncateTo(offset: number): Promise<void> {
    const { segments, writer, leaderEpochs } = this.#deps
    // At the end may be the epoch of a leader that wrote nothing, which its successor's history does not have.
    if (offset >= writer.logEndOffset) return leaderEpochs.truncateFromEnd(writer.logEndOffset)
    if (offset < segments.first.baseOffset) return this.#startAt(offset, offset)
    const before = this.#noted()
    this.#isCutting = true
    try {
      await this.#cutAt(offset)
      await this.#noteLowered(before)
    } catch (error) {
      throw error instanceof DiskError ? writer.fail(error) : error
    } finally {
      this.#isCutting = false
    }
  }

  /** Cuts at `asked`, which is in the log, or before that: at damage, where a batch begins that reaches to it, where a gap does. */
  async #cutAt(asked: number): Promise<void> {
    const { segments, writer, offsets, clock } = this.#deps
    writer.writeStaged()
    const segment = segments.at(segments.indexFor(asked))
    assert(segment !== undefined, 'the offset is in the log')
    // Where all of the segment goes it need not be read, which may be why.
    const isWhole = asked === segment.baseOffset
    const { position, offset } = isWhole
      ? { position: 0, offset: asked }
      : await cutOf(segment, asked, writer.logEndOffset)
    segment.reserve()
    // The last first: a crash in the midst of it leaves no hole.
    const behind = segments.list().filter(({ baseOffset }) => baseOffset > segment.baseOffset)
    this.#discard(behind.toReversed())
    segment.cutAt(position)
    // As soon as nothing leads back.
    this.#endsAt(offset)
    const { logStartOffset } = offsets
    await patiently(clock, () => this.#reopen(segment, offset, logStartOffset))
  }

  #endsAt(offset: number): void {
    this.#deps.writer.reset(offset)
    this.#deps.offsets.truncateFromEnd(offset)
  }

  /** Makes the segment the active one, with all that belongs to an end at `offset`. */
  async #reopen(segment: LogSegment, offset: number, logStartOffset: number): Promise<void> {
    const { segments, producers, disk } = this.#deps
    segment.forgetFrom(offset)
    await findEnd(segment)
    await reactivate(segment)
    producers.removeSnapshots((snapshotOffset) => snapshotOffset > offset)
    producers.reload(logStartOffset, offset)
    await replayProducers(segments, producers, offset)
    // What was cut off must not come back, after a crash, behind batches that take its place.
    await disk.syncDirectoryAsync(this.#directory)
    await segment.sync()
  }

  /** Drops all records; the next one gets `offset`, and the log begins there or at `logStartOffset`. Throws StorageError KAFKA_STORAGE_ERROR. */
  truncateFullyAndStartAt(offset: number, logStartOffset = offset): void {
    // Whoever could not write it has taken the log dir offline.
    this.#startAt(offset, logStartOffset).catch(() => undefined)
  }

  /** At once; resolves when a crash will find it out. Throws StorageError, and rejects with it. */
  #startAt(offset: number, logStartOffset: number): Promise<void> {
    const { writer, producers, offsets } = this.#deps
    const before = this.#noted()
    writer.guard(() => this.#makeAnew(offset))
    this.#endsAt(offset)
    producers.reset(offset)
    offsets.reset(logStartOffset)
    return this.#noteLowered(before)
  }

  /** One empty segment in the place of all. Throws DiskError: where it is EMFILE, nothing has changed. */
  #makeAnew(offset: number): void {
    const { segments, writer, producers } = this.#deps
    // Its descriptor is that of the next one.
    segments.active.reserve()
    this.#discard(segments.list())
    try {
      segments.push(writer.newSegment(offset))
    } catch (error) {
      if (!(error instanceof DiskError) || !isTooManyFiles(error)) throw error
      // Somebody was still reading. There is no log without a segment.
      throw new DiskError('OTHER', error.path, error.message, error)
    }
    producers.removeSnapshots(() => true)
    this.#syncNames()
  }

  /** Where there is no descriptor for it, the next sync of the log does it. */
  #syncNames(): void {
    try {
      this.#deps.disk.syncDirectory(this.#directory)
    } catch (error) {
      if (!isTooManyFiles(error)) throw error
    }
  }

  #noted(): Noted {
    return { recoveryPoint: this.#deps.writer.notedAtMost, logStartOffset: this.#deps.offsets.logStartOffset }
  }

  /** What is appended from here on is not synced, nor deleted: a crash must not find that it is, up to where the log ended, or began, before. */
  async #noteLowered(before: Noted): Promise<void> {
    const { writer, offsets, onLowered } = this.#deps
    const isLowered = writer.notedRecoveryPoint < before.recoveryPoint || offsets.logStartOffset < before.logStartOffset
    if (isLowered) await onLowered?.()
  }
}
