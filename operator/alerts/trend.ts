interface Sample {
  readonly atMs: number
  readonly value: number
}

export interface TrendOptions {
  /** What is older is forgotten, in ms. */
  readonly windowMs: number
  /** Samples that follow sooner are left out, in ms: memory. */
  readonly gapMs: number
}

/** The straight line through the latest values of a figure (least squares, as Prometheus' deriv and predict_linear). */
export class Trend {
  readonly #options: TrendOptions
  #samples: Sample[] = []

  constructor(options: TrendOptions) {
    this.#options = options
  }

  add(atMs: number, value: number): void {
    const { windowMs, gapMs } = this.#options
    const last = this.#samples.at(-1)
    if (last !== undefined && atMs - last.atMs < gapMs) return
    this.#samples = [...this.#samples.filter((sample) => atMs - sample.atMs <= windowMs), { atMs, value }]
  }

  /** Between the first value and the last, in ms. */
  get spanMs(): number {
    return (this.#samples.at(-1)?.atMs ?? 0) - (this.#samples[0]?.atMs ?? 0)
  }

  /** By how much it grows in a millisecond; 0 before there are two values. */
  get slope(): number {
    if (this.spanMs === 0) return 0
    const { atMs: meanMs, value: mean } = this.#middle()
    let above = 0
    let below = 0
    for (const { atMs, value } of this.#samples) {
      above += (atMs - meanMs) * (value - mean)
      below += (atMs - meanMs) ** 2
    }
    return above / below
  }

  /** What it is at `atMs` if it goes on like that. */
  at(atMs: number): number {
    const { atMs: meanMs, value: mean } = this.#middle()
    return mean + this.slope * (atMs - meanMs)
  }

  #middle(): Sample {
    const count = Math.max(1, this.#samples.length)
    const sum = (of: (sample: Sample) => number): number => this.#samples.reduce((all, one) => all + of(one), 0)
    return { atMs: sum(({ atMs }) => atMs) / count, value: sum(({ value }) => value) / count }
  }
}
