import { toInt64 } from '../lib/int64.ts'
import { IndexFile } from './index-file.ts'
import type { OpenFiles } from './open-files.ts'

export const TIME_INDEX_ENTRY_BYTES = 12

export interface TimestampOffset {
  readonly timestampMs: number
  readonly offset: number
}

/**
 * Maps some timestamps of a segment to offsets: the largest timestamp so far (int64), the relative last offset of the batch that has it
 * (int32). Every batch behind that offset that is older than the next entry has no larger timestamp.
 */
export class TimeIndex {
  readonly file: IndexFile
  readonly #baseOffset: number

  constructor(options: { path: string; baseOffset: number }, deps: { files: OpenFiles }) {
    this.file = new IndexFile({ path: options.path, entryBytes: TIME_INDEX_ENTRY_BYTES }, deps)
    this.#baseOffset = options.baseOffset
  }

  /** One slot is kept for the entry that sealing adds. */
  get isFull(): boolean {
    return this.file.entries >= this.file.entriesMax - 1
  }

  /** The last entry; timestamp -1 at the base offset where there is none. */
  get last(): TimestampOffset {
    const { entries } = this.file
    return entries === 0 ? { timestampMs: -1, offset: this.#baseOffset } : this.#entry(entries - 1)
  }

  /** Adds an entry where `timestampMs` is larger than all before. */
  maybeAppend(timestampMs: number, offset: number, sealing = false): void {
    if (timestampMs <= this.last.timestampMs) return
    if (sealing ? this.file.entries >= this.file.entriesMax : this.isFull) return
    const place = this.file.push()
    this.file.data.setBigInt64(place, toInt64(timestampMs))
    this.file.data.setInt32(place + 8, offset - this.#baseOffset)
  }

  /** An offset before which no record is as late as `timestampMs`. */
  lookup(timestampMs: number): number {
    let low = 0
    let high = this.file.entries
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#entry(middle).timestampMs <= timestampMs) low = middle + 1
      else high = middle
    }
    return low === 0 ? this.#baseOffset : this.#entry(low - 1).offset
  }

  /** Drops what is known of `offset` and later ones. */
  truncateTo(offset: number): void {
    let low = 0
    let high = this.file.entries
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#entry(middle).offset < offset) low = middle + 1
      else high = middle
    }
    this.file.truncate(low)
  }

  /** Whether what was opened can be an index. */
  isSane(): boolean {
    const { entries } = this.file
    if (entries === 0) return true
    const last = this.#entry(entries - 1)
    return last.offset >= this.#baseOffset && last.timestampMs >= this.#entry(0).timestampMs
  }

  #entry(slot: number): TimestampOffset {
    const place = this.file.locate(slot)
    const { data } = this.file
    return {
      timestampMs: Number(data.getBigInt64(place)),
      offset: data.getInt32(place + 8) + this.#baseOffset,
    }
  }
}
