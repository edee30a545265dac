import type { Clock, Timer } from '../env/clock.ts'
import { shared } from '../lib/shared.ts'
import { AllTopicsMetrics } from './broker-topic-metrics.ts'
import type { BrokerTopicMetrics } from './broker-topic-metrics.ts'
import { Registry } from './registry.ts'
import type { Collect } from './registry.ts'
import { AllRequestsMetrics } from './request-metrics.ts'
import type { RequestMetrics } from './request-metrics.ts'

/** Quantiles cover the last one to two of these. */
const WINDOW_MS = 60_000

export interface MetricsOptions {
  /** Also tell of the process itself; not in a simulation, where one process holds many brokers. */
  readonly withProcess: boolean
}

/** Everything that a broker counts, under the names that the JMX exporter gives Kafka's metrics. */
export class Metrics {
  readonly #registry = new Registry()
  readonly #topics = new AllTopicsMetrics(this.#registry)
  readonly #requests = new AllRequestsMetrics(this.#registry)
  readonly #clock: Clock
  #timer: Timer

  constructor(options: MetricsOptions, deps: { readonly clock: Clock }) {
    this.#clock = deps.clock
    this.#timer = this.#nextWindow()
    if (options.withProcess) this.#registry.processMetrics()
  }

  /** The counters of a topic; made when first asked for. */
  brokerTopic(topic: string): BrokerTopicMetrics {
    return this.#topics.topic(topic)
  }

  /** Ends the series of a deleted topic; what it counted stays in the totals. */
  removeTopic(topic: string): void {
    this.#topics.remove(topic)
  }

  /** The counters of an API by its name (`Produce`), or of a part of it that Kafka names (`FetchFollower`); made when first asked for. */
  request(name: string): RequestMetrics {
    return this.#requests.request(name)
  }

  /** Registers a value that is read at each scrape. Throws where the name is taken. */
  registerGauge(name: string, help: string, collect: Collect): void {
    this.#registry.gauge(name, help, collect)
  }

  /** Registers a count that never goes back, read at each scrape. Throws where the name is taken. */
  registerCounter(name: string, help: string, collect: Collect): void {
    this.#registry.counter(name, help, collect)
  }

  /** Calls `refresh` before each scrape, which waits for it; it must not reject. */
  beforeScrape(refresh: () => Promise<void>): void {
    this.#registry.beforeScrape(refresh)
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  /** All metrics in Prometheus' text format, in pieces; those who ask while it is being written get the same. */
  readonly exposition: () => Promise<readonly Uint8Array[]> = shared(() => this.#registry.exposition(this.#clock))

  close(): void {
    this.#timer.cancel()
  }

  #nextWindow(): Timer {
    return this.#clock.setTimer(WINDOW_MS, () => {
      this.#requests.rotate()
      this.#timer = this.#nextWindow()
    })
  }
}
