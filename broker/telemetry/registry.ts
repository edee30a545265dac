import { collectDefaultMetrics, Counter, Gauge, Registry as PrometheusRegistry } from 'prom-client'

/** One line of the exposition. */
export interface Sample {
  readonly value: number
  readonly labels?: Readonly<Record<string, string | number>>
}

/** The value of a metric without labels, or its samples; called at each scrape. */
export type Collect = () => number | Iterable<Sample>

/** A gauge whose values are kept elsewhere as plain numbers and read at a scrape, so that counting costs an addition. */
class CollectedGauge extends Gauge {
  readonly #collect: Collect

  constructor(name: string, help: string, collect: Collect) {
    super({ name, help, registers: [] })
    this.#collect = collect
  }

  override async get(): ReturnType<Gauge['get']> {
    return { ...(await super.get()), values: valuesOf(this.#collect()) }
  }
}

/** As CollectedGauge. */
class CollectedCounter extends Counter {
  readonly #collect: Collect

  constructor(name: string, help: string, collect: Collect) {
    super({ name, help, registers: [] })
    this.#collect = collect
  }

  override async get(): ReturnType<Counter['get']> {
    return { ...(await super.get()), values: valuesOf(this.#collect()) }
  }
}

function valuesOf(collected: number | Iterable<Sample>) {
  const samples = typeof collected === 'number' ? [{ value: collected }] : [...collected]
  return samples.map(({ value, labels }: Sample) => ({ value, labels: { ...labels } }))
}

/** The metrics of one process, as Prometheus text. */
export class Registry {
  readonly #registry = new PrometheusRegistry()

  get contentType(): string {
    return this.#registry.contentType
  }

  gauge(name: string, help: string, collect: Collect): void {
    this.#registry.registerMetric(new CollectedGauge(name, help, collect))
  }

  /** `name` ends in `_total` or `_count`. */
  counter(name: string, help: string, collect: Collect): void {
    this.#registry.registerMetric(new CollectedCounter(name, help, collect))
  }

  /** CPU, memory, file descriptors, event loop and garbage collection of this process. */
  processMetrics(): void {
    collectDefaultMetrics({ register: this.#registry })
  }

  text(): Promise<string> {
    return this.#registry.metrics()
  }
}
