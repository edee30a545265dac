import type { Clock } from '../env/clock.ts'
import { Turns } from '../lib/turns.ts'
import { exposition } from './exposition.ts'

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

/** The metrics of one process, as Prometheus text. */
export class Registry {
  /** Of Prometheus' text format. */
  readonly contentType = 'text/plain; version=0.0.4; charset=utf-8'
  readonly #metrics = new Map<string, Metric>()
  readonly #refreshes: (() => Promise<void>)[] = []
  #withProcess = false
  #ofProcess: Promise<() => Promise<string>> | undefined

  gauge(name: string, help: string, collect: Collect): void {
    this.#add({ type: 'gauge', name, help, collect })
  }

  /** `name` ends in `_total` or `_count`. */
  counter(name: string, help: string, collect: Collect): void {
    this.#add({ type: 'counter', name, help, collect })
  }

  #add(metric: Metric): void {
    if (this.#metrics.has(metric.name)) throw new Error(`there is a metric ${metric.name} already`)
    this.#metrics.set(metric.name, metric)
  }

  /** Calls `refresh` before each scrape, which waits for it; it must not reject. */
  beforeScrape(refresh: () => Promise<void>): void {
    this.#refreshes.push(refresh)
  }

  /** CPU, memory, file descriptors, event loop and garbage collection of this process. */
  processMetrics(): void {
    this.#withProcess = true
  }

  /** UTF-8, a piece for each turn: a scrape of tens of thousands of series lets others have theirs, in the midst of a metric too. */
  async exposition(clock: Pick<Clock, 'monotonicMs' | 'defer'>): Promise<Uint8Array[]> {
    await Promise.all(this.#refreshes.map((refresh) => refresh()))
    const encoder = new TextEncoder()
    const pieces: Uint8Array[] = []
    let text = this.#withProcess ? await this.#processText() : ''
    const turns = new Turns({ clock })
    for (const metric of this.#metrics.values()) {
      for (const line of exposition(metric)) {
        text += line
        if (!turns.isOver) continue
        pieces.push(encoder.encode(text))
        text = ''
        await turns.next()
      }
    }
    return [...pieces, encoder.encode(text)]
  }

  /** The library behind it is loaded at the first scrape: it is a fifth of a start. */
  async #processText(): Promise<string> {
    this.#ofProcess ??= import('./process-metrics.ts').then(({ processMetrics }) => processMetrics())
    const text = await this.#ofProcess
    return text()
  }
}
