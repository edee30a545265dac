import type { Compute } from '../env/compute.ts'
import { DiskError } from '../env/disk.ts'
import type { AbortedTxn } from './aborted-txn-index.ts'
import { DamagedBatchError, FileClosedError, UnreadableError } from './errors.ts'
import type { LogWriter } from './log-writer.ts'
import { type LogSlice, type ReadRequest, readSegments, readTail } from './read.ts'
import type { LogSegments } from './segments.ts'
import type { LogTail } from './tail-cache.ts'
import { type FoundOffset, offsetForTimestamp, offsetOfMaxTimestamp } from './timestamps.ts'

export interface LogReaderDeps {
  readonly segments: LogSegments
  readonly tail: LogTail
  /** Knows of truncations, and is told of failures. */
  readonly writer: LogWriter
  readonly compute: Compute
  /** Whether that is damage to this log, and no failure of the disk. */
  readonly isDamage: (error: UnreadableError) => boolean
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
  readonly #isDamage: (error: UnreadableError) => boolean
  readonly #endOffset = (): number => this.#writer.writtenOffset

  constructor(deps: LogReaderDeps) {
    this.#segments = deps.segments
    this.#tail = deps.tail
    this.#writer = deps.writer
    this.#compute = deps.compute
    this.#isDamage = deps.isDamage
  }

  /** Of written offsets only: the request's limit is not beyond them. Rejects with StorageError. */
  read(request: ReadRequest): LogSlice | Promise<LogSlice> {
    return (
      readTail(this.#tail, request) ?? this.#fromFiles(() => readSegments(this.#segments, request, this.#endOffset))
    )
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
        if (error instanceof UnreadableError && this.#isDamage(error)) throw new DamagedBatchError(error.offset)
        throw error instanceof DiskError ? this.#writer.fail(error) : error
      }
    }
  }
}
