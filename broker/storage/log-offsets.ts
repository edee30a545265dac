import { StorageError } from './errors.ts'
import type { LeaderEpochCache } from './leader-epochs.ts'
import type { LogWriter } from './log-writer.ts'
import type { ProducerState } from './producer-state.ts'

export interface LogOffsetsDeps {
  readonly writer: LogWriter
  readonly leaderEpochs: LeaderEpochCache
  readonly producers: ProducerState
  /** Called when `logStartOffset` has moved up. */
  readonly onTrimmed: () => void
}

/** Where a log begins, and how much of it is committed; its end is the writer's. What goes by these offsets moves with them. */
export class LogOffsets {
  readonly #name: string
  readonly #deps: LogOffsetsDeps
  #logStartOffset: number
  #highWatermark: number

  /** `name` is for messages. */
  constructor(options: { readonly name: string; readonly logStartOffset: number }, deps: LogOffsetsDeps) {
    this.#name = options.name
    this.#deps = deps
    this.#logStartOffset = options.logStartOffset
    this.#highWatermark = options.logStartOffset
  }

  get logStartOffset(): number {
    return this.#logStartOffset
  }
  get highWatermark(): number {
    return this.#highWatermark
  }
  /** The high watermark, or less: the first offset of an open transaction. */
  get lastStableOffset(): number {
    return Math.max(this.#logStartOffset, this.#deps.producers.lastStableOffset(this.#highWatermark))
  }

  /** Moves the high watermark up to `offset`, as far as the log goes; it never goes back but by a truncation. */
  updateHighWatermark(offset: number): void {
    const bounded = Math.min(offset, this.#deps.writer.logEndOffset)
    if (bounded <= this.#highWatermark) return
    this.#highWatermark = bounded
    this.#deps.producers.onHighWatermark(bounded)
  }

  /** Gives up what is before `offset`. Throws StorageError OFFSET_OUT_OF_RANGE beyond the high watermark. */
  incrementLogStartOffset(offset: number): void {
    if (offset > this.#highWatermark) throw this.outOfRange(offset)
    if (offset <= this.#logStartOffset) return
    this.#logStartOffset = offset
    this.#deps.leaderEpochs.truncateFromStart(offset)
    this.#deps.producers.onLogStartOffset(offset)
    this.#deps.onTrimmed()
  }

  /** The log ends at `offset`. */
  truncateFromEnd(offset: number): void {
    this.#logStartOffset = Math.min(this.#logStartOffset, offset)
    this.#highWatermark = Math.min(this.#highWatermark, offset)
    this.#deps.leaderEpochs.truncateFromEnd(offset)
  }

  /** The log is empty, and begins anew: at its end, or before. */
  reset(logStartOffset: number): void {
    this.#logStartOffset = logStartOffset
    this.#highWatermark = logStartOffset
    this.#deps.leaderEpochs.clear()
  }

  outOfRange(offset: number): StorageError {
    const range = `[${this.#logStartOffset}, ${this.#deps.writer.logEndOffset}]`
    return new StorageError('OFFSET_OUT_OF_RANGE', `Offset ${offset} of ${this.#name} is outside ${range}`)
  }
}
