import { Histogram } from './histogram.ts'
import type { Registry, Sample } from './registry.ts'

const QUANTILES = [0.5, 0.75, 0.95, 0.98, 0.99, 0.999] as const

/** Requests that are told by themselves too, of those of their API: of Fetch, Kafka tells consumers from followers. */
const PART_OF: ReadonlyMap<string, string> = new Map([
  ['FetchConsumer', 'Fetch'],
  ['FetchFollower', 'Fetch'],
])

/** What one API took, in ms, and how often it was asked for. */
export class RequestMetrics {
  /** From the last byte of the request until the kernel had all of the response. */
  readonly totalTime = new Histogram()
  /** Received, and waiting for those before it on its connection. */
  readonly requestQueueTime = new Histogram()
  /** In the handler. */
  readonly localTime = new Histogram()
  /** Waiting for others: replicas, more data, a device. */
  readonly remoteTime = new Histogram()
  /** Waiting for the responses to those before it. */
  readonly responseQueueTime = new Histogram()
  /** Until the kernel had all of the response. */
  readonly responseSendTime = new Histogram()
  /** For which the client was asked to be quiet. */
  readonly throttleTime = new Histogram()
  readonly #versions = new Map<number, number>()
  readonly #errors = new Map<string, number>()

  /** Counts one request of a version of the API. */
  count(version: number): void {
    this.#versions.set(version, (this.#versions.get(version) ?? 0) + 1)
  }

  /** Counts one error, by its protocol name; NONE counts too, as in Kafka. */
  error(name: string, count = 1): void {
    this.#errors.set(name, (this.#errors.get(name) ?? 0) + count)
  }

  versions(): Iterable<readonly [number, number]> {
    return this.#versions
  }
  errors(): Iterable<readonly [string, number]> {
    return this.#errors
  }
  rotate(): void {
    for (const { field } of TIMES) this[field].rotate()
  }
}

type TimeField =
  | 'totalTime'
  | 'requestQueueTime'
  | 'localTime'
  | 'remoteTime'
  | 'responseQueueTime'
  | 'responseSendTime'
  | 'throttleTime'

const TIMES: readonly { readonly field: TimeField; readonly help: string }[] = [
  { field: 'totalTime', help: 'Time from a request to its response' },
  { field: 'requestQueueTime', help: 'Time that a request waited for its turn' },
  { field: 'localTime', help: 'Time in the handler' },
  { field: 'remoteTime', help: 'Time that a request waited for others' },
  { field: 'responseQueueTime', help: 'Time that a response waited for its turn' },
  { field: 'responseSendTime', help: 'Time to send a response' },
  { field: 'throttleTime', help: 'Time for which clients were throttled' },
]

/** The metrics of every API that has been asked for. */
export class AllRequestsMetrics {
  readonly #requests = new Map<string, RequestMetrics>()

  constructor(registry: Registry) {
    const prefix = 'kafka_network_requestmetrics'
    registry.counter(`${prefix}_requests_total`, 'Requests, by API and version', () => this.#counts())
    registry.counter(`${prefix}_errors_total`, 'Errors in responses, by API', () => this.#errors())
    for (const { field, help } of TIMES) {
      const name = `${prefix}_${field.toLowerCase()}ms`
      registry.gauge(name, `${help} in ms, over the last minutes`, () => this.#quantiles(field))
      registry.counter(`${name}_count`, `${help}: how often`, () => this.#histograms(field, ({ count }) => count))
      registry.counter(`${name}_sum`, `${help}: ms in total`, () => this.#histograms(field, ({ sum }) => sum))
    }
  }

  request(name: string): RequestMetrics {
    const known = this.#requests.get(name)
    if (known !== undefined) return known
    const created = new RequestMetrics()
    this.#requests.set(name, created)
    return created
  }

  /** Under each name what counts for it: an API has what its parts have, which is put together here and not at each request. */
  *#named(): Generator<readonly [string, readonly RequestMetrics[]]> {
    const wholes = new Map<string, RequestMetrics[]>()
    for (const [name, metrics] of this.#requests) {
      const whole = PART_OF.get(name) ?? name
      const parts = wholes.get(whole) ?? []
      wholes.set(whole, [...parts, metrics])
      if (whole !== name) yield [name, [metrics]]
    }
    yield* wholes
  }

  rotate(): void {
    for (const metrics of this.#requests.values()) metrics.rotate()
  }

  *#counts(): Generator<Sample> {
    for (const [request, parts] of this.#named()) {
      for (const [version, value] of summed(parts.map((part) => part.versions()))) {
        yield { value, labels: { request, version } }
      }
    }
  }

  /** As in Kafka, of an API as a whole. */
  *#errors(): Generator<Sample> {
    for (const [request, parts] of this.#named()) {
      if (PART_OF.has(request)) continue
      for (const [error, value] of summed(parts.map((part) => part.errors()))) {
        yield { value, labels: { request, error } }
      }
    }
  }

  *#quantiles(field: TimeField): Generator<Sample> {
    for (const [request, parts] of this.#named()) {
      const values = Histogram.quantilesOf(
        parts.map((part) => part[field]),
        QUANTILES,
      )
      for (const [index, quantile] of QUANTILES.entries()) {
        yield { value: values[index] ?? 0, labels: { request, quantile } }
      }
    }
  }

  *#histograms(field: TimeField, read: (histogram: Histogram) => number): Generator<Sample> {
    for (const [request, parts] of this.#named()) {
      yield { value: parts.reduce((total, part) => total + read(part[field]), 0), labels: { request } }
    }
  }
}

function summed<Key>(counts: readonly Iterable<readonly [Key, number]>[]): Map<Key, number> {
  const totals = new Map<Key, number>()
  for (const each of counts) for (const [key, count] of each) totals.set(key, (totals.get(key) ?? 0) + count)
  return totals
}
