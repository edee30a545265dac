import { assert } from '../lib/assert.ts'
import type { LogSegment } from './segment.ts'

/** The segments of one log by base offset, the last of which is active; never empty once the log is open. */
export class LogSegments implements Iterable<LogSegment> {
  #list: LogSegment[] = []

  get active(): LogSegment {
    const last = this.#list.at(-1)
    assert(last !== undefined, 'a log has an active segment')
    return last
  }
  get first(): LogSegment {
    const first = this.#list[0]
    assert(first !== undefined, 'a log has a first segment')
    return first
  }
  get count(): number {
    return this.#list.length
  }
  /** No record was ever here: where a crash takes the log, it is made again. */
  get isBlank(): boolean {
    return this.count === 1 && this.first.baseOffset === 0 && this.first.sizeInBytes === 0
  }
  [Symbol.iterator](): Iterator<LogSegment> {
    return this.#list[Symbol.iterator]()
  }
  /** A copy that later changes do not touch. */
  list(): LogSegment[] {
    return [...this.#list]
  }

  /** Adds a segment behind all others. */
  push(segment: LogSegment): void {
    assert(segment.baseOffset > (this.#list.at(-1)?.baseOffset ?? -1), 'segments are added in order')
    this.#list.push(segment)
  }

  /** Takes out these segments. */
  remove(segments: readonly LogSegment[]): void {
    const gone = new Set(segments)
    this.#list = this.#list.filter((segment) => !gone.has(segment))
  }

  /** The position of the segment that holds `offset`: the last one whose base is not larger; -1 where it is before all. */
  indexFor(offset: number): number {
    let low = 0
    let high = this.#list.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#list[middle]?.baseOffset ?? Infinity) <= offset) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  at(index: number): LogSegment | undefined {
    return this.#list[index]
  }

  /** The segment that holds `offset`, and all behind it. */
  from(offset: number): LogSegment[] {
    return this.#list.slice(Math.max(0, this.indexFor(offset)))
  }

  sizeInBytes(): number {
    let size = 0
    for (const segment of this.#list) size += segment.sizeInBytes
    return size
  }
}
