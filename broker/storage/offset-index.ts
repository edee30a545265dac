import { IndexFile } from './index-file.ts'
import type { OpenFiles } from './open-files.ts'

export const OFFSET_INDEX_ENTRY_BYTES = 8

/** Maps some offsets of a segment to positions of batches: offset relative to the segment's base (int32), position (int32). */
export class OffsetIndex {
  readonly file: IndexFile
  readonly #baseOffset: number

  constructor(options: { path: string; baseOffset: number }, deps: { files: OpenFiles }) {
    this.file = new IndexFile({ path: options.path, entryBytes: OFFSET_INDEX_ENTRY_BYTES }, deps)
    this.#baseOffset = options.baseOffset
  }

  get isFull(): boolean {
    return this.file.entries >= this.file.entriesMax
  }

  /** The batch at `position` ends with `lastOffset`; both grow from call to call. */
  append(lastOffset: number, position: number): void {
    if (this.isFull) return
    const place = this.file.push()
    this.file.data.setInt32(place, lastOffset - this.#baseOffset)
    this.file.data.setInt32(place + 4, position)
  }

  /** A position at or before the batch that holds `offset`, as near as the index knows, or `entriesBack` entries before that. */
  lookup(offset: number, entriesBack = 0): number {
    const slot = this.#slotOf(offset) - entriesBack
    return slot < 0 ? 0 : this.file.data.getInt32(this.file.locate(slot) + 4)
  }

  /** Drops what is known of `offset` and later ones. */
  truncateTo(offset: number): void {
    this.file.truncate(this.#slotOf(offset - 1) + 1)
  }

  /** Whether what was opened can be the index of a segment of `logBytes`. */
  isSane(logBytes: number): boolean {
    if (this.file.entries === 0) return true
    const place = this.file.locate(this.file.entries - 1)
    return this.file.data.getInt32(place) > 0 && this.file.data.getInt32(place + 4) < logBytes
  }

  /** The last entry whose offset is at most `offset`; -1 where there is none. */
  #slotOf(offset: number): number {
    const relative = offset - this.#baseOffset
    let low = 0
    let high = this.file.entries
    while (low < high) {
      const middle = (low + high) >>> 1
      const place = this.file.locate(middle)
      if (this.file.data.getInt32(place) <= relative) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}
