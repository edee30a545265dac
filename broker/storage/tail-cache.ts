import { assert } from '../lib/assert.ts'

/** Consecutive batches as they were appended. */
export interface CachedBytes {
  readonly baseOffset: number
  readonly nextOffset: number
  readonly bytes: Uint8Array
}

interface Entry extends CachedBytes {
  readonly tail: LogTail
  live: boolean
}

/** Larger appends are left to the page cache: reading one there costs less than keeping a copy of each. */
const CACHED_BYTES_MAX = 4 * 1024
/** Spent entries before the queue is cut. */
const SPENT_MAX = 1024

/**
 * The last small appends of all logs, within one budget in bytes: a consumer near the end of a log is served from memory, without
 * a copy and without a read for each. The oldest append goes first.
 */
export class TailCache {
  readonly #budgetBytes: number
  #queue: Entry[] = []
  #head = 0
  #bytes = 0
  /** Entries of the queue that no log has any more. */
  #dead = 0

  constructor(options: { budgetBytes: number }) {
    this.#budgetBytes = options.budgetBytes
  }

  get sizeInBytes(): number {
    return this.#bytes
  }

  /** Entries that are held in memory, those included that no log has any more. */
  get entries(): number {
    return this.#queue.length - this.#head
  }

  /** The part that one log has. */
  tail(): LogTail {
    return new LogTail(this)
  }

  add(entry: Entry): void {
    this.#queue.push(entry)
    this.#bytes += entry.bytes.length
    while (this.#bytes > this.#budgetBytes) this.#dropOldest()
  }

  forget(entry: Entry): void {
    assert(entry.live, 'an entry is forgotten once')
    entry.live = false
    this.#bytes -= entry.bytes.length
  }

  /** A log has forgotten `count` entries by itself: where the budget is never full they would stay in the queue. */
  forgotten(count: number): void {
    this.#dead += count
    if (this.#dead <= SPENT_MAX || this.#dead * 2 <= this.entries) return
    this.#queue = this.#queue.filter(({ live }) => live)
    this.#head = 0
    this.#dead = 0
  }

  #dropOldest(): void {
    const entry = this.#queue[this.#head++]
    assert(entry !== undefined, 'bytes are held by entries')
    if (entry.live) entry.tail.dropOldest()
    else this.#dead--
    if (this.#head > SPENT_MAX && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
  }
}

/** The cached end of one log: without gaps up to its last written offset. */
export class LogTail {
  readonly #cache: TailCache
  #entries: Entry[] = []
  #head = 0

  constructor(cache: TailCache) {
    this.#cache = cache
  }

  /** Entries that are held in memory, those included that are spent. */
  get entries(): number {
    return this.#entries.length
  }

  add({ baseOffset, nextOffset, bytes }: CachedBytes): void {
    if (bytes.length > CACHED_BYTES_MAX) {
      this.clear()
      return
    }
    // Copied, since the memory of a request is used again. Not by `slice`, which makes another reference of a Buffer.
    const entry: Entry = { baseOffset, nextOffset, bytes: new Uint8Array(bytes), tail: this, live: true }
    this.#entries.push(entry)
    this.#cache.add(entry)
  }

  /** The position of the first entry that reaches behind `offset`; undefined where the offset is older than what is cached. */
  find(offset: number): number | undefined {
    const first = this.#entries[this.#head]
    if (first === undefined || offset < first.baseOffset) return undefined
    let low = this.#head
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#entries[middle]?.nextOffset ?? 0) <= offset) low = middle + 1
      else high = middle
    }
    return low
  }

  at(position: number): CachedBytes | undefined {
    return this.#entries[position]
  }

  dropOldest(): void {
    const entry = this.#entries[this.#head]
    assert(entry !== undefined, 'the oldest entry of all is the oldest of its log')
    this.#cache.forget(entry)
    this.#head++
    // There may be many logs: none keeps more that is spent than what it has.
    if (this.#head * 2 >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head)
      this.#head = 0
    }
  }

  clear(): void {
    const left = this.#entries.slice(this.#head)
    for (const entry of left) this.#cache.forget(entry)
    this.#entries = []
    this.#head = 0
    this.#cache.forgotten(left.length)
  }
}
