import type { Disk } from '../env/disk.ts'
import { type BatchView, HEADER_BYTES } from '../records/batch.ts'
import { AbortedTxnIndex } from './aborted-txn-index.ts'
import type { LogConfig } from './log-config.ts'
import {
  DELETED_SUFFIX,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  segmentPath,
  TIME_INDEX_SUFFIX,
  TXN_INDEX_SUFFIX,
} from './names.ts'
import { OffsetIndex } from './offset-index.ts'
import type { LogFile, OpenFiles } from './open-files.ts'
import { TimeIndex, type TimestampOffset } from './time-index.ts'

/** Largest distance of an offset from its segment's base: relative offsets in indexes are int32. */
export const RELATIVE_OFFSET_MAX = 0x7fff_ffff
const NO_BUFFERS: readonly Uint8Array[] = []

export interface SegmentOptions {
  readonly directory: string
  readonly baseOffset: number
  readonly createdMs: number
  readonly config: LogConfig
}

export interface SegmentDeps {
  readonly disk: Disk
  readonly files: OpenFiles
}

/** Of what was written last, as much as the page cache surely still has. */
const UNCHECKED_BYTES_MAX = 256 * 1024 * 1024

/** What an append asks of the active segment before it goes there. */
export interface AppendSize {
  readonly sizeInBytes: number
  readonly baseOffset: number
  readonly lastOffset: number
  readonly maxTimestampMs: number
}

/**
 * One `.log` file with its indexes. Appends are staged in memory and reach the file in one write. The indexes of the active segment are in
 * memory; once it is sealed, the next sync saves them.
 */
export class LogSegment {
  readonly baseOffset: number
  readonly offsetIndex: OffsetIndex
  readonly timeIndex: TimeIndex
  readonly abortedTxns: AbortedTxnIndex
  /** Whether there is something that no sync has covered: bytes, or indexes of a sealed segment. */
  dirty = false
  readonly #directory: string
  readonly #disk: Disk
  readonly #createdMs: number
  readonly #file: LogFile
  #config: LogConfig
  #writtenBytes: number
  /** There may be zeros behind them, up to the size of a whole segment. */
  #isPreallocated = false
  /** What was in the file before this process wrote to it. */
  #foundBytes: number
  #staged: Uint8Array[] = []
  #stagedBytes = 0
  #bytesSinceIndexEntry = 0
  #max: TimestampOffset
  /** The first batch's timestamp, from which `segment.ms` counts; undefined until it is known. */
  #firstTimestampMs: number | undefined
  #sealed = true
  #indexesSynced = true
  #closed = false

  private constructor(options: SegmentOptions, writtenBytes: number, deps: SegmentDeps & { readonly file: LogFile }) {
    const { directory, baseOffset } = options
    this.baseOffset = baseOffset
    this.#directory = directory
    this.#disk = deps.disk
    this.#file = deps.file
    this.#createdMs = options.createdMs
    this.#config = options.config
    this.#writtenBytes = writtenBytes
    this.#foundBytes = this.#writtenBytes
    this.#max = { timestampMs: -1, offset: baseOffset }
    this.offsetIndex = new OffsetIndex(
      { path: segmentPath(directory, baseOffset, OFFSET_INDEX_SUFFIX), baseOffset },
      deps,
    )
    this.timeIndex = new TimeIndex({ path: segmentPath(directory, baseOffset, TIME_INDEX_SUFFIX), baseOffset }, deps)
    this.abortedTxns = new AbortedTxnIndex(
      { path: segmentPath(directory, baseOffset, TXN_INDEX_SUFFIX), baseOffset },
      deps,
    )
  }

  /** A new, empty, active segment; what is left of an earlier one with the same base offset is overwritten. */
  static create(options: SegmentOptions, deps: SegmentDeps): LogSegment {
    const file = deps.files.create(segmentPath(options.directory, options.baseOffset, LOG_SUFFIX))
    const segment = new LogSegment(options, 0, { ...deps, file })
    if (options.config.preallocate) segment.#preallocate()
    segment.resetIndexes()
    return segment
  }

  /** As Apache Kafka does: the file has its length, and the file system decides what it sets aside for it. */
  #preallocate(): void {
    this.#file.truncate(this.#config.segmentBytes)
    this.#isPreallocated = true
  }

  /**
   * A segment that is there, as a sealed one, with the zeros that a crash may have left behind the batches; `indexesAreSane` tells whether it
   * can be used without being scanned.
   */
  static open(options: SegmentOptions, deps: SegmentDeps): { segment: LogSegment; indexesAreSane: boolean } {
    const path = segmentPath(options.directory, options.baseOffset, LOG_SUFFIX)
    const segment = new LogSegment(options, deps.disk.sizeOf(path) ?? 0, { ...deps, file: deps.files.existing(path) })
    return { segment, indexesAreSane: segment.#openIndexes() }
  }

  #openIndexes(): boolean {
    const { offsetIndex, timeIndex } = this
    const isWhole = [offsetIndex.file, timeIndex.file].map((file) => file.open(this.#disk.sizeOf(file.path)))
    if (isWhole.includes(false)) return false
    if (!offsetIndex.isSane(this.#writtenBytes) || !timeIndex.isSane() || !this.abortedTxns.load()) return false
    this.#max = timeIndex.last
    return true
  }

  /** Starts indexes anew, for a scan that fills them. */
  resetIndexes(): void {
    this.#sealed = false
    this.offsetIndex.file.create(this.#config.segmentIndexBytes)
    this.timeIndex.file.create(this.#config.segmentIndexBytes)
    this.abortedTxns.clear()
    this.#bytesSinceIndexEntry = 0
    this.#max = { timestampMs: -1, offset: this.baseOffset }
  }

  /** Bytes of all batches, those included that are staged. */
  get sizeInBytes(): number {
    return this.#writtenBytes + this.#stagedBytes
  }
  get writtenBytes(): number {
    return this.#writtenBytes
  }
  /** What lies behind was written by this process, not long ago: it comes from the page cache, and needs no check. */
  get uncheckedFrom(): number {
    return this.#sealed ? Infinity : Math.max(this.#foundBytes, this.#writtenBytes - UNCHECKED_BYTES_MAX)
  }
  /** The largest timestamp, and the last offset of the batch that has it; timestamp -1 where none is known. */
  get maxTimestamp(): TimestampOffset {
    return this.#max
  }
  /** What retention goes by: the largest timestamp, or the file's time where batches carry none. */
  get retentionTimestampMs(): number {
    return this.#max.timestampMs >= 0 ? this.#max.timestampMs : this.#disk.modifiedMs(this.#file.path)
  }

  /** False where a crash may leave other indexes than these; those of an active segment are rebuilt anyway. */
  get indexesSynced(): boolean {
    return this.#indexesSynced
  }
  get path(): string {
    return this.#file.path
  }
  get isClosed(): boolean {
    return this.#closed
  }

  /** A position at or before the batch that holds `offset`, as of the index, or of as many entries before; the beginning where that is damaged. */
  positionBefore(offset: number, entriesBack = 0): number {
    const position = this.offsetIndex.lookup(offset, entriesBack)
    return position >= 0 && position <= this.#writtenBytes - HEADER_BYTES ? position : 0
  }

  configure(config: LogConfig): void {
    this.#config = config
  }

  /** Whether `append` belongs in a new segment (KIP-32: `segment.ms` counts in message time where there is one). */
  shouldRoll(append: AppendSize, jitterMs: number, nowMs: number): boolean {
    const { segmentBytes, segmentMs } = this.#config
    if (this.sizeInBytes + append.sizeInBytes > segmentBytes) return this.sizeInBytes > 0
    if (this.sizeInBytes > 0 && this.#ageMs(append.maxTimestampMs, nowMs) > segmentMs - jitterMs) return true
    return this.offsetIndex.isFull || this.timeIndex.isFull
  }

  /** Whether an offset is near enough to the base for the indexes. */
  canHold(offset: number): boolean {
    return offset - this.baseOffset <= RELATIVE_OFFSET_MAX
  }

  #ageMs(timestampMs: number, nowMs: number): number {
    const first = this.#firstTimestampMs
    return first !== undefined && first >= 0 ? timestampMs - first : nowMs - this.#createdMs
  }

  /** Opens the file for the append that follows, so that its write does not fail for want of a descriptor. Throws DiskError EMFILE. */
  reserve(): void {
    this.#file.reserve()
  }

  /** Stages `bytes`, which `indexBatch` has been told of batch by batch. */
  stage(bytes: Uint8Array): void {
    this.#staged.push(bytes)
    this.#stagedBytes += bytes.length
  }

  /** Takes note of the batch at `position`: the sparse indexes and the largest timestamp. */
  indexBatch(view: BatchView, position: number): void {
    const { lastOffset, maxTimestamp, sizeInBytes } = view
    this.#firstTimestampMs ??= maxTimestamp
    if (maxTimestamp > this.#max.timestampMs) this.#max = { timestampMs: maxTimestamp, offset: lastOffset }
    if (this.#bytesSinceIndexEntry > this.#config.indexIntervalBytes) {
      this.offsetIndex.append(lastOffset, position)
      this.timeIndex.maybeAppend(this.#max.timestampMs, this.#max.offset)
      this.#bytesSinceIndexEntry = 0
    }
    this.#bytesSinceIndexEntry += sizeInBytes
  }

  /** Writes what is staged; returns the buffers in order. On a DiskError nothing of them counts as written. */
  writeStaged(): readonly Uint8Array[] {
    if (this.#staged.length === 0) return NO_BUFFERS
    const staged = this.#staged
    this.#file.write(staged, this.#writtenBytes)
    this.dirty = true
    this.#writtenBytes += this.#stagedBytes
    this.#staged = []
    this.#stagedBytes = 0
    return staged
  }

  /** Forgets what is staged and cuts off what a failed write may have left. */
  dropStaged(): void {
    this.#staged = []
    this.#stagedBytes = 0
    this.#cutFile(this.#writtenBytes)
  }

  #cutFile(bytes: number): void {
    this.#file.truncate(bytes)
    this.#isPreallocated = false
    this.dirty = true
  }

  /** Nothing more is appended. */
  get isSealed(): boolean {
    return this.#sealed
  }

  /** Opens a sealed segment for appends. `firstTimestampMs` is that of its first batch. Throws DiskError. */
  activate(firstTimestampMs: number | undefined): void {
    this.offsetIndex.file.activate(this.#config.segmentIndexBytes)
    this.timeIndex.file.activate(this.#config.segmentIndexBytes)
    this.#firstTimestampMs = firstTimestampMs
    this.#sealed = false
    this.#indexesSynced = true
  }

  /** Gives back what the file has behind its batches. Throws DiskError. */
  trim(): void {
    if (this.#isPreallocated) this.#cutFile(this.#writtenBytes)
  }

  /** Nothing more is appended: the time index gets its last entry, and the next sync saves the indexes. Throws DiskError, but not once it is trimmed. */
  seal(): void {
    this.trim()
    if (this.#max.timestampMs >= 0) this.timeIndex.maybeAppend(this.#max.timestampMs, this.#max.offset, true)
    this.offsetIndex.file.seal()
    this.timeIndex.file.seal()
    this.#sealed = true
    if (this.offsetIndex.file.isSaved && this.timeIndex.file.isSaved && this.abortedTxns.isSaved) return
    this.#indexesSynced = false
    this.dirty = true
  }

  /** Cuts the file at `position`, where the batch that held `offset` began. */
  truncateTo(offset: number, position: number): void {
    this.cutAt(position)
    this.forgetFrom(offset)
  }

  /** The file's part of `truncateTo`. Throws DiskError, but not for want of a descriptor where that is reserved. */
  cutAt(position: number): void {
    this.#cutFile(position)
    this.#writtenBytes = position
    this.#foundBytes = Math.min(this.#foundBytes, position)
    if (position === 0) this.#firstTimestampMs = undefined
  }

  /** The indexes' part of `truncateTo`, which can be done again where it fails. Throws DiskError. */
  forgetFrom(offset: number): void {
    this.offsetIndex.truncateTo(offset)
    this.timeIndex.truncateTo(offset)
    this.abortedTxns.truncateTo(offset)
    this.#bytesSinceIndexEntry = 0
    if (this.#max.offset >= offset) this.#max = this.timeIndex.last
  }

  /** After a truncation, or at start: the largest timestamp may lie behind the last index entry. */
  noteTimestamp(timestampMs: number, offset: number): void {
    if (timestampMs > this.#max.timestampMs) this.#max = { timestampMs, offset }
  }

  /** fdatasync, and of a sealed segment the indexes as well: those of an active one are rebuilt after a crash. Rejects with DiskError. */
  async sync(): Promise<void> {
    this.dirty = false
    const sealed = this.#sealed
    const indexes = sealed ? [this.offsetIndex.file, this.timeIndex.file, this.abortedTxns] : []
    try {
      await Promise.all([this.#file.sync(), ...indexes.map((index) => index.save())])
    } catch (error) {
      this.dirty = true
      throw error
    }
    if (sealed && !this.dirty) this.#indexesSynced = true
  }

  /** Reads without blocking; returns the bytes read. */
  read(target: Uint8Array, position: number): Promise<number> {
    return this.#file.readAsync(target, position)
  }

  /** As `read`, into memory that is the host's again once it is sent. */
  readToSend(size: number, position: number): Promise<Uint8Array> {
    return this.#file.readToSend(size, position)
  }

  /** Closes the files once nothing uses them any more. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#file.close()
    this.offsetIndex.file.close()
    this.timeIndex.file.close()
  }

  /** Closes and renames all files with `.deleted`; returns the new paths. */
  markDeleted(): string[] {
    this.close()
    return [LOG_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TXN_INDEX_SUFFIX]
      .map((suffix) => segmentPath(this.#directory, this.baseOffset, suffix))
      .filter((path) => this.#disk.exists(path))
      .map((path) => {
        this.#disk.rename(path, path + DELETED_SUFFIX)
        return path + DELETED_SUFFIX
      })
  }
}
