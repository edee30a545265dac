/** Buckets an octave: a quantile is off by at most 1/32 of its value. */
const STEPS = 32
const STEP_BITS = 5
/** Values are kept in microseconds, up to 2^31 of them (36 minutes); what is longer counts as that. */
const VALUE_MAX = 0x7fff_ffff
const BUCKETS = (32 - STEP_BITS) * STEPS
/** Up to 63 microseconds. */
const BUCKETS_AT_FIRST = 2 * STEPS

/**
 * Quantiles of recent durations, cheap to record into: an array increment. Recent is the running window and the one before;
 * `rotate` starts the next. `count` and `sum` are of all time.
 */
export class Histogram {
  count = 0
  /** In ms. */
  sum = 0
  /** Both begin small: most APIs are asked for rarely, or take no time of some kind. */
  #current = new Uint32Array(BUCKETS_AT_FIRST)
  #previous = new Uint32Array(BUCKETS_AT_FIRST)

  /** `ms`: fractional, >= 0. */
  observe(ms: number): void {
    this.count++
    this.sum += ms
    const index = bucketOf(Math.min(ms * 1000, VALUE_MAX) | 0)
    if (index >= this.#current.length) this.#current = grown(this.#current)
    this.#current[index] = (this.#current[index] ?? 0) + 1
  }

  rotate(): void {
    const oldest = this.#previous
    this.#previous = this.#current
    this.#current = oldest.fill(0)
  }

  /** The values in ms below which each of `quantiles` (ascending, 0 to 1) of the recent durations lie; 0 where there are none. */
  quantiles(quantiles: readonly number[]): number[] {
    return Histogram.quantilesOf([this], quantiles)
  }

  /** The same of several, taken as one. */
  static quantilesOf(histograms: readonly Histogram[], quantiles: readonly number[]): number[] {
    const windows = histograms.flatMap((histogram) => [histogram.#current, histogram.#previous])
    const total = windows.reduce((count, window) => count + sumOf(window), 0)
    const result: number[] = []
    let seen = 0
    let index = -1
    for (const quantile of quantiles) {
      const rank = Math.max(1, Math.ceil(quantile * total))
      while (seen < rank && index < BUCKETS - 1) {
        index++
        for (const window of windows) seen += window[index] ?? 0
      }
      result.push(total === 0 ? 0 : upperBound(index) / 1000)
    }
    return result
  }
}

/** The first two octaves' worth of values have a bucket each; above, each octave has STEPS of them. */
function bucketOf(value: number): number {
  const shift = Math.max(0, 31 - STEP_BITS - Math.clz32(value))
  return (shift << STEP_BITS) + (value >>> shift)
}

/** The largest value of a bucket. */
function upperBound(index: number): number {
  if (index < 2 * STEPS) return index
  const shift = (index >>> STEP_BITS) - 1
  return ((index & (STEPS - 1)) + STEPS + 1) * 2 ** shift - 1
}

function grown(counts: Uint32Array): Uint32Array<ArrayBuffer> {
  const all = new Uint32Array(BUCKETS)
  all.set(counts)
  return all
}

function sumOf(counts: Uint32Array): number {
  let total = 0
  for (const count of counts) total += count
  return total
}
