import { Counter, Gauge, Histogram } from 'prom-client'
import type { Registry } from 'prom-client'
import type { Resources } from './resource-metrics.ts'

/** What Strimzi calls the kinds that have another name here. */
const KINDS: Readonly<Record<string, string>> = { KafkaCluster: 'Kafka' }

/**
 * The operator's reconciles and resources under the names of Strimzi's cluster operator, so that its dashboard of operators and rules that were
 * written for it have data. Nothing waits for a lock here: of that there are always none. Certificates are not told of.
 */
export class StrimziMetrics {
  readonly #total: Counter<'kind'>
  readonly #successful: Counter<'kind'>
  readonly #failed: Counter<'kind'>
  readonly #periodical: Counter<'kind'>
  readonly #locked: Counter<'kind'>
  readonly #seconds: Histogram<'kind'>
  readonly #longest = new Map<string, number>()
  #resources: Resources | null = null

  constructor({ registry }: { readonly registry: Registry }) {
    const counter = (what: string, help: string): Counter<'kind'> =>
      new Counter({ name: `strimzi_reconciliations_${what}`, help, labelNames: ['kind'], registers: [registry] })
    this.#total = counter('total', 'Reconciles, by kind.')
    this.#successful = counter('successful_total', 'Reconciles that succeeded, by kind.')
    this.#failed = counter('failed_total', 'Reconciles that failed, by kind.')
    this.#periodical = counter('periodical_total', 'Reconciles for which it was time, by kind.')
    this.#locked = counter('locked_total', 'Reconciles that were left out since another one had the lock, by kind.')
    this.#seconds = new Histogram({
      name: 'strimzi_reconciliations_duration_seconds',
      help: 'Length of a reconcile, by kind.',
      labelNames: ['kind'],
      registers: [registry],
    })
    this.#gauges(registry)
  }

  reconciled(controller: string, result: 'success' | 'error', seconds: number, isPeriodical: boolean): void {
    const kind = KINDS[controller] ?? controller
    this.#total.inc({ kind })
    // What has not happened yet is zero: without it there would be no data.
    this.#successful.inc({ kind }, Number(result === 'success'))
    this.#failed.inc({ kind }, Number(result === 'error'))
    this.#periodical.inc({ kind }, Number(isPeriodical))
    this.#locked.inc({ kind }, 0)
    this.#seconds.observe({ kind }, seconds)
    this.#longest.set(kind, Math.max(seconds, this.#longest.get(kind) ?? 0))
  }

  watch(resources: Resources | null): void {
    this.#resources = resources
  }

  #gauges(registry: Registry): void {
    const longest = new Gauge({
      name: 'strimzi_reconciliations_duration_seconds_max',
      help: 'The longest reconcile since the last scrape, by kind.',
      labelNames: ['kind'],
      registers: [registry],
      collect: () => {
        for (const [kind, seconds] of this.#longest) longest.set({ kind }, seconds)
        for (const kind of this.#longest.keys()) this.#longest.set(kind, 0)
      },
    })
    const count = (kind: string, namespace = ''): void => resources.inc({ kind, namespace })
    const resources = new Gauge({
      name: 'strimzi_resources',
      help: 'Custom resources, by kind and namespace.',
      labelNames: ['kind', 'namespace'],
      registers: [registry],
      collect: () => {
        resources.reset()
        // Items of a list have no kind of their own.
        for (const { metadata } of this.#resources?.clusters() ?? []) count('Kafka', metadata.namespace)
        for (const { metadata } of this.#resources?.topics() ?? []) count('KafkaTopic', metadata.namespace)
        for (const { metadata } of this.#resources?.rebalances() ?? []) count('KafkaRebalance', metadata.namespace)
      },
    })
  }
}
