import type { Clock } from '../env/clock.ts'
import type { Disk } from '../env/disk.ts'
import type { BatchView } from '../records/batch.ts'
import { StorageError } from './errors.ts'
import { LeaderEpochCache } from './leader-epochs.ts'
import { clearLeftovers } from './leftovers.ts'
import type { LogConfig } from './log-config.ts'
import type { Logger } from '../telemetry/logger.ts'
import { LEADER_EPOCH_FILE } from './names.ts'
import type { OpenFiles } from './open-files.ts'
import { ProducerState } from './producer-state.ts'
import { findEnd, reactivate, replayProducers } from './replay.ts'
import { scanBatches } from './scan.ts'
import { LogSegment } from './segment.ts'
import { LogSegments } from './segments.ts'

export interface LoadOptions {
  readonly directory: string
  readonly config: LogConfig
  /** Everything below it was synced; undefined where that is not known. */
  readonly recoveryPoint: number | undefined
  readonly logStartOffset: number
  /** Nothing is torn: no segment needs to be read. */
  readonly hadCleanShutdown: boolean
  readonly producerIdExpirationMs: () => number
}

export interface LoadDeps {
  readonly disk: Disk
  readonly files: OpenFiles
  readonly clock: Clock
  readonly logger: Logger
}

/** What is in a log's directory, fit for use. */
export interface LoadedLog {
  readonly segments: LogSegments
  readonly leaderEpochs: LeaderEpochCache
  readonly producers: ProducerState
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly recoveryPoint: number
  /** Some of the names in the directory may not be durable, nor the directory's own. */
  readonly hasNewNames: boolean
}

/**
 * Loads a log. After a crash the segments from the recovery point on are read batch by batch: the first one that is not whole, with
 * all behind it, is cut off, and indexes, leader epochs and producer state are rebuilt.
 */
export async function loadLog(options: LoadOptions, deps: LoadDeps): Promise<LoadedLog> {
  return new LogLoader(options, deps).load()
}

/** Where to scan, and what for. */
interface ScanOptions {
  readonly maybeTorn: boolean
  /** Where the segment behind begins. */
  readonly endOffset: number
}

interface ScannedSegment {
  readonly nextOffset: number
  /** Where the first batch begins that is not whole; the size of the file where all are. */
  readonly validBytes: number
  /** The batch there is the one with the wrong offset that kept the one behind it from going on: it was taken in. */
  readonly isMisplaced: boolean
}

class LogLoader {
  readonly #options: LoadOptions
  readonly #deps: LoadDeps
  /** Where recovery starts. */
  readonly #recoveryPoint: number
  readonly #segments = new LogSegments()
  readonly #epochs: LeaderEpochCache
  readonly #producers: ProducerState
  /** Segments from here on are scanned for indexes, epochs and producers. */
  #scanFrom = Infinity
  /** No offset was missing so far: nobody has compacted the log. */
  #isGapless = true
  /** Where the last batch that was scanned begins, if its leader epoch is the first of its kind. */
  #newEpochFrom = Infinity
  #logStartOffset = 0
  #logEndOffset = 0
  #hasNewNames: boolean
  readonly #isNew: boolean

  constructor(options: LoadOptions, deps: LoadDeps) {
    const { directory, producerIdExpirationMs } = options
    this.#options = options
    this.#recoveryPoint = options.recoveryPoint ?? 0
    this.#deps = deps
    this.#hasNewNames = !options.hadCleanShutdown
    this.#epochs = new LeaderEpochCache({ path: `${directory}/${LEADER_EPOCH_FILE}` }, deps)
    this.#isNew = !deps.disk.exists(directory)
    this.#producers = new ProducerState({ directory, expirationMs: producerIdExpirationMs, isNew: this.#isNew }, deps)
  }

  async load(): Promise<LoadedLog> {
    const { disk } = this.#deps
    const { directory } = this.#options
    const isNew = this.#isNew
    if (isNew) disk.makeDirectory(directory)
    const bases = isNew ? [] : await clearLeftovers(directory, disk)
    this.#openSegments(bases)
    if (!isNew) this.#loadEpochs()
    this.#logStartOffset = Math.max(this.#options.logStartOffset, bases[0] ?? 0)
    if (this.#segments.count > 0) await this.#findEnd()
    const logStartOffset = this.#logStartOffset
    if (this.#segments.count === 0 || this.#logEndOffset < logStartOffset) this.#startAt(logStartOffset)
    else await reactivate(this.#segments.active)
    this.#epochs.truncateFromEnd(this.#logEndOffset)
    this.#epochs.truncateFromStart(logStartOffset)
    if (!isNew) this.#removeStraySnapshots()
    return {
      segments: this.#segments,
      leaderEpochs: this.#epochs,
      producers: this.#producers,
      logStartOffset,
      logEndOffset: this.#logEndOffset,
      // Those of a log without records no shutdown has made durable.
      hasNewNames: this.#hasNewNames || this.#segments.isBlank,
      recoveryPoint: Math.min(this.#logEndOffset, this.#options.hadCleanShutdown ? Infinity : this.#recoveryPoint),
    }
  }

  #openSegments(bases: readonly number[]): void {
    const { directory, config, hadCleanShutdown } = this.#options
    const { clock, logger } = this.#deps
    for (const baseOffset of bases) {
      const { segment, indexesAreSane } = LogSegment.open(
        { directory, baseOffset, createdMs: clock.wallMs(), config },
        this.#deps,
      )
      this.#segments.push(segment)
      if (indexesAreSane) continue
      // After a crash that is to be expected of the last ones written.
      if (hadCleanShutdown) logger.warn({ directory, baseOffset }, 'an index is missing or damaged and is rebuilt')
      this.#scanFrom = Math.min(this.#scanFrom, baseOffset)
    }
    if (hadCleanShutdown) return
    const first = this.#segments.from(this.#recoveryPoint)[0]
    if (first !== undefined) this.#scanFrom = Math.min(this.#scanFrom, first.baseOffset)
  }

  #loadEpochs(): void {
    try {
      this.#epochs.load()
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
      this.#rebuildEpochs(error)
    }
  }

  #rebuildEpochs(err?: StorageError): void {
    const { directory } = this.#options
    this.#deps.logger.warn({ directory, err }, 'the leader epochs are damaged and are rebuilt from the log')
    this.#scanFrom = 0
  }

  async #findEnd(): Promise<void> {
    const { active } = this.#segments
    if (this.#scanFrom === Infinity) {
      const end = await findEnd(active)
      this.#logEndOffset = end.nextOffset
      // A log that was closed in order ends where the checkpoint says: a last batch whose offsets are damaged would move the end.
      const isSound = end.validBytes === active.writtenBytes && end.nextOffset === this.#recoveryPoint
      if (isSound) this.#checkStart(end.nextOffset)
      else this.#scanFrom = active.baseOffset
      if (end.leaderEpoch > this.#epochs.latestEpoch) this.#rebuildEpochs()
    }
    const scanned = this.#scanFrom === Infinity ? [] : this.#segments.from(this.#scanFrom)
    const producersTo = scanned[0]?.baseOffset ?? this.#logEndOffset
    await this.#loadProducers(producersTo)
    const knownEpoch = this.#epochs.latestEpoch
    // What the batches say counts, from where they are read.
    this.#epochs.truncateFromEnd(producersTo)
    await this.#scan(scanned)
    const isNews = knownEpoch >= 0 && this.#epochs.latestEpoch > knownEpoch
    if (this.#options.hadCleanShutdown && isNews) this.#epochs.truncateFromEnd(this.#newEpochFrom)
  }

  /** A log that was closed in order, and has its end, did not begin behind it: all of it would go. */
  #checkStart(logEndOffset: number): void {
    const { directory } = this.#options
    const logStartOffset = this.#logStartOffset
    if (logStartOffset <= logEndOffset) return
    this.#deps.logger.warn(
      { directory, logStartOffset, logEndOffset },
      'the checkpoint of log start offsets is wrong: the log begins with its first segment',
    )
    this.#logStartOffset = this.#segments.first.baseOffset
  }

  async #loadProducers(offset: number): Promise<void> {
    this.#producers.reload(this.#logStartOffset, offset)
    await replayProducers(this.#segments, this.#producers, offset)
  }

  async #scan(scanned: readonly LogSegment[]): Promise<void> {
    const firstUnsynced = this.#segments.from(this.#recoveryPoint)[0]?.baseOffset ?? 0
    for (const [index, segment] of scanned.entries()) {
      const maybeTorn = segment.baseOffset >= firstUnsynced
      const next = scanned[index + 1]
      const end = await this.#scanSegment(segment, { maybeTorn, endOffset: next?.baseOffset ?? Infinity })
      this.#logEndOffset = Math.max(end.nextOffset, segment.baseOffset)
      this.#producers.endOffset = this.#logEndOffset
      const isCut = end.validBytes < segment.writtenBytes
      const isTorn = maybeTorn && (isCut || this.#lacksEnd(segment, end.nextOffset, next))
      if (isTorn) this.#cut(segment, end.validBytes, scanned.slice(index + 1))
      segment.seal()
      // Nor must what was cut off come back behind batches that take its place.
      if (isTorn || segment.writtenBytes > 0) await segment.sync()
      if (isTorn) return
    }
  }

  /**
   * A segment begins where the log ended, unless no other could have reached there. Compaction leaves gaps between segments as well, in what
   * was synced: where that is not known, there are hardly any without some before.
   */
  #lacksEnd(segment: LogSegment, nextOffset: number, next: LogSegment | undefined): boolean {
    if (next === undefined || nextOffset >= next.baseOffset || !segment.canHold(next.baseOffset - 1)) return false
    return this.#isGapless || this.#options.recoveryPoint !== undefined
  }

  /** Fills indexes, epochs and producers from the batches; of synced segments the CRCs are not looked at. */
  async #scanSegment(segment: LogSegment, options: ScanOptions): Promise<ScannedSegment> {
    const end = await this.#scanTo(segment.writtenBytes, segment, options)
    if (!end.isMisplaced) return end
    // Without what it did to the producers.
    await this.#loadProducers(segment.baseOffset)
    return this.#scanTo(end.validBytes, segment, options)
  }

  async #scanTo(to: number, segment: LogSegment, { maybeTorn, endOffset }: ScanOptions): Promise<ScannedSegment> {
    let nextOffset = segment.baseOffset
    /** A batch that left a gap, and its place, until the one behind it goes on. */
    let gap: { readonly nextOffset: number; readonly validBytes: number } | undefined
    let isMisplaced = false
    segment.resetIndexes()
    const validBytes = await scanBatches(segment, { from: 0, to }, (view, position) => {
      if (view.lastOffsetDelta < 0 || view.nextOffset > endOffset || this.#isTooFar(view, segment, nextOffset))
        return false
      if (maybeTorn && view.computeCrc() !== view.crc) return false
      const { baseOffset } = view
      if (baseOffset < nextOffset) {
        isMisplaced = gap !== undefined && baseOffset >= gap.nextOffset
        return false
      }
      gap = baseOffset > nextOffset ? { nextOffset, validBytes: position } : undefined
      this.#isGapless &&= baseOffset === nextOffset && view.recordCount === view.lastOffsetDelta + 1
      nextOffset = view.nextOffset
      this.#takeIn(view, segment, position)
      return true
    })
    return isMisplaced && gap !== undefined ? { ...gap, isMisplaced } : { nextOffset, validBytes, isMisplaced: false }
  }

  #takeIn(view: BatchView, segment: LogSegment, position: number): void {
    this.#noteEpoch(view)
    segment.indexBatch(view, position)
    const aborted = view.hasProducerId ? this.#producers.append(view) : undefined
    if (aborted !== undefined) segment.abortedTxns.append(aborted)
  }

  /**
   * Outside of the CRC as well, and never less than before: an epoch that goes again with the batch that brought it is damaged, and one that only
   * the last batch has where the checkpoint should know it.
   */
  #noteEpoch({ baseOffset, partitionLeaderEpoch }: BatchView): void {
    if (partitionLeaderEpoch < this.#epochs.latestEpoch) this.#epochs.truncateFromEnd(this.#newEpochFrom)
    this.#newEpochFrom = Infinity
    if (partitionLeaderEpoch <= this.#epochs.latestEpoch) return
    this.#epochs.assign(partitionLeaderEpoch, baseOffset)
    this.#newEpochFrom = baseOffset
  }

  /**
   * Whether a batch cannot have the offset that it says, which lies outside of its CRC: behind what a segment can hold, or, where the log was
   * closed in order, with a gap before it and behind the end that the checkpoint tells.
   */
  #isTooFar(view: BatchView, segment: LogSegment, nextOffset: number): boolean {
    if (!segment.canHold(view.lastOffset)) return true
    if (!this.#options.hadCleanShutdown || view.baseOffset === nextOffset) return false
    // A checkpoint that lies before what comes ahead of the gap tells nothing: it may be lost, or an old one.
    return nextOffset < this.#recoveryPoint && view.nextOffset > this.#recoveryPoint
  }

  #cut(segment: LogSegment, validBytes: number, behind: readonly LogSegment[]): void {
    const { directory } = this.#options
    const lostBytes = segment.writtenBytes - validBytes
    this.#deps.logger.warn(
      { directory, offset: this.#logEndOffset, lostBytes },
      'the log is cut at the first torn batch',
    )
    segment.truncateTo(this.#logEndOffset, validBytes)
    this.#discard(behind)
  }

  #discard(segments: readonly LogSegment[]): void {
    for (const segment of segments) for (const path of segment.markDeleted()) this.#deps.disk.remove(path)
    this.#segments.remove(segments)
    // A segment that came back after another crash would be taken for the continuation.
    if (segments.length > 0) this.#deps.disk.syncDirectory(this.#options.directory)
  }

  /** No segment is left that reaches to the log's start. */
  #startAt(offset: number): void {
    const { directory, config } = this.#options
    const createdMs = this.#deps.clock.wallMs()
    const lostBytes = this.#segments.sizeInBytes()
    if (lostBytes > 0)
      this.#deps.logger.warn({ directory, offset, lostBytes }, 'the log ends before it begins, and is emptied')
    this.#discard(this.#segments.list())
    this.#segments.push(LogSegment.create({ directory, baseOffset: offset, createdMs, config }, this.#deps))
    this.#hasNewNames = true
    this.#logEndOffset = offset
    this.#epochs.clear()
    this.#producers.reset(offset)
  }

  /** Snapshots are of use at the base of a segment, and the newest one at a clean end. */
  #removeStraySnapshots(): void {
    const bases = new Set([...this.#segments].map(({ baseOffset }) => baseOffset))
    const all = this.#producers.snapshotOffsets()
    const newest = all.findLast((offset) => offset <= this.#logEndOffset)
    const isStray = (offset: number): boolean =>
      offset > this.#logEndOffset || (!bases.has(offset) && offset !== newest)
    if (!all.some(isStray)) return
    this.#producers.removeSnapshots(isStray)
    // One that came back after another crash would tell of batches that are gone.
    if ((all.at(-1) ?? 0) > this.#logEndOffset) this.#deps.disk.syncDirectory(this.#options.directory)
  }
}
