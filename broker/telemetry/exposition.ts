import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'
import type { Collect, Metric, Sample } from './registry.ts'

/** A gauge whose values are kept elsewhere as plain numbers and read at a scrape, so that counting costs an addition. */
class CollectedGauge extends Gauge {
  readonly #collect: Collect

  constructor({ name, help, collect }: Metric) {
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

  constructor({ name, help, collect }: Metric) {
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

/** Prometheus' text format, by prom-client. */
export class Exposition {
  readonly #registry = new Registry()

  constructor(options: { readonly withProcess: boolean }) {
    if (options.withProcess) collectDefaultMetrics({ register: this.#registry })
  }

  add(metric: Metric): void {
    this.#registry.registerMetric(metric.type === 'gauge' ? new CollectedGauge(metric) : new CollectedCounter(metric))
  }

  text(): Promise<string> {
    return this.#registry.metrics()
  }
}
