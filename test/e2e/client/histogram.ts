/** Durations in ms, counted in buckets that are 5 % wide. As JSON it is its counts by bucket: those of several add up. */
export class Histogram {
  readonly #counts = new Map<number, number>()

  add(ms: number): void {
    // Whatever is below a tenth of a millisecond is the same to us.
    const bucket = Math.ceil(Math.log(Math.max(ms, 0.1)) / Math.log(WIDTH))
    this.#count(bucket, 1)
  }

  /** Adds what another one counted. */
  merge(counts: Counts): void {
    for (const [bucket, count] of Object.entries(counts)) this.#count(Number(bucket), count)
  }

  toJSON(): Counts {
    return Object.fromEntries(this.#counts)
  }

  get size(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0)
  }

  /** In ms, rounded up to the end of its bucket; `of` 1 is the longest. NaN where nothing has been counted. */
  quantile(of: number): number {
    let left = Math.ceil(this.size * of)
    for (const [bucket, count] of [...this.#counts].sort(([a], [b]) => a - b)) {
      left -= count
      if (left <= 0) return WIDTH ** bucket
    }
    return NaN
  }

  #count(bucket: number, count: number): void {
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + count)
  }
}

const WIDTH = 1.05

/** By bucket. */
export type Counts = Readonly<Record<string, number>>
