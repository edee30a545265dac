import type { Compute } from '../env/compute.ts'
import { DiskError } from '../env/disk.ts'
import type { AbortedTxn } from './aborted-txn-index.ts'
import { DamagedBatchError, FileClosedError, StorageError } from './errors.ts'
import type { LeaderEpochCache } from './leader-epochs.ts'
import type { LogWriter } from './log-writer.ts'
import { type LogBounds, type LogSlice, readSegments, readTail } from './read.ts'
import type { LogSegment } from './segment.ts'
import type { LogSegments } from './segments.ts'
import type { ReadRequest } from './selection.ts'
import type { LogTail } from './tail-cache.ts'
import { type FoundOffset, offsetForTimestamp, offsetOfMaxTimestamp } from './timestamps.ts'

export interface LogReaderDeps {
  readonly segments: LogSegments
  readonly tail: LogTail
  readonly leaderEpochs: LeaderEpochCache
  /** Knows of truncations, and is told of failures. */
  readonly writer: LogWriter
  readonly compute: Compute
  /** A sealed segment cannot be read: whether that is damage to this log, and no failure of its disk, which it is where this is missing. */
  readonly isTolerable?: ((path: string) => boolean) | undefined
}

/**
 * The reading side of a log. A read that a truncation overtakes starts again: its bytes may be from before and after. So does one whose
 * segment is deleted meanwhile.
 */
export class LogReader {
  readonly #segments: LogSegments
  readonly #tail: LogTail
  readonly #writer: LogWriter
  readonly #compute: Compute
  readonly #isTolerable: (path: string) => boolean
  readonly #bounds: () => LogBounds

  constructor(deps: LogReaderDeps) {
    this.#segments = deps.segments
    this.#tail = deps.tail
    this.#writer = deps.writer
    this.#compute = deps.compute
    this.#isTolerable = deps.isTolerable ?? (() => false)
    const { writer, leaderEpochs } = deps
    this.#bounds = () => ({ endOffset: writer.writtenOffset, latestEpoch: leaderEpochs.latestEpoch })
  }

  /** Of written offsets only: the request's limit is not beyond them. Rejects with StorageError. */
  read(request: ReadRequest): LogSlice | Promise<LogSlice> {
    return readTail(this.#tail, request) ?? this.#fromFiles(() => readSegments(this.#segments, request, this.#bounds))
  }

  offsetForTimestamp(query: { timestampMs: number; startOffset: number }): Promise<FoundOffset | null> {
    return this.#fromFiles(() => offsetForTimestamp(this.#segments, query, this.#compute))
  }

  offsetOfMaxTimestamp(): Promise<FoundOffset | null> {
    return this.#fromFiles(() => offsetOfMaxTimestamp(this.#segments, this.#compute))
  }

  abortedTxns(offset: number, endOffset: number): AbortedTxn[] {
    return this.#segments
      .from(offset)
      .flatMap(({ abortedTxns }) => abortedTxns.entries)
      .filter((txn) => txn.lastOffset >= offset && txn.firstOffset < endOffset)
  }

  async #fromFiles<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      const { resets } = this.#writer
      try {
        const result = await work()
        if (resets === this.#writer.resets) return result
      } catch (error) {
        const isOutdated = resets !== this.#writer.resets || error instanceof FileClosedError
        if (isOutdated && !this.#writer.isClosed) continue
        // No segment has been deleted by itself: the log may be in another log dir by now, and readers are to go on there.
        if (error instanceof StorageError && this.#writer.isClosed)
          throw this.#writer.fail(new FileClosedError(error.message))
        const unreadable = this.#unreadable(error)
        // All that is before it is in others.
        if (unreadable !== undefined && this.#isTolerable(unreadable.path))
          throw new DamagedBatchError(unreadable.baseOffset)
        throw error instanceof DiskError ? this.#writer.fail(error) : error
      }
    }
  }

  /** The sealed segment that the disk cannot read: the rest of it may be all right, and others may have what was there. */
  #unreadable(error: unknown): LogSegment | undefined {
    if (!(error instanceof DiskError) || error.code !== 'EIO') return undefined
    const { active } = this.#segments
    return this.#segments.list().find((segment) => segment.path === error.path && segment !== active)
  }
}
