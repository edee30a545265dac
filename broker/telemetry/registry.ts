import type { Exposition } from './exposition.ts'

/** One line of the exposition. */
export interface Sample {
  readonly value: number
  readonly labels?: Readonly<Record<string, string | number>>
}

/** The value of a metric without labels, or its samples; called at each scrape. */
export type Collect = () => number | Iterable<Sample>

export interface Metric {
  readonly type: 'gauge' | 'counter'
  readonly name: string
  readonly help: string
  readonly collect: Collect
}

/** The metrics of one process, as Prometheus text. The library behind it is loaded at the first scrape: it is a fifth of a start. */
export class Registry {
  /** Of Prometheus' text format. */
  readonly contentType = 'text/plain; version=0.0.4; charset=utf-8'
  readonly #names = new Set<string>()
  /** What the exposition has not been told of. */
  #added: Metric[] = []
  #withProcess = false
  readonly #refreshes: (() => Promise<void>)[] = []
  #exposition: Promise<Exposition> | undefined

  gauge(name: string, help: string, collect: Collect): void {
    this.#add({ type: 'gauge', name, help, collect })
  }

  /** `name` ends in `_total` or `_count`. */
  counter(name: string, help: string, collect: Collect): void {
    this.#add({ type: 'counter', name, help, collect })
  }

  #add(metric: Metric): void {
    if (this.#names.has(metric.name)) throw new Error(`there is a metric ${metric.name} already`)
    this.#names.add(metric.name)
    this.#added.push(metric)
  }

  /** Calls `refresh` before each scrape, which waits for it; it must not reject. */
  beforeScrape(refresh: () => Promise<void>): void {
    this.#refreshes.push(refresh)
  }

  /** CPU, memory, file descriptors, event loop and garbage collection of this process. */
  processMetrics(): void {
    this.#withProcess = true
  }

  async text(): Promise<string> {
    this.#exposition ??= this.#open()
    const exposition = await this.#exposition
    await Promise.all(this.#refreshes.map((refresh) => refresh()))
    for (const metric of this.#added.splice(0)) exposition.add(metric)
    return exposition.text()
  }

  async #open(): Promise<Exposition> {
    const { Exposition } = await import('./exposition.ts')
    return new Exposition({ withProcess: this.#withProcess })
  }
}
