import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { ResourceMetrics } from './alerts/resource-metrics.ts'
import type { Resources } from './alerts/resource-metrics.ts'
import { StrimziMetrics } from './alerts/strimzi-metrics.ts'
import type { ControllerMetrics } from './runtime/controller.ts'

/** The operator's own metrics, in controller-runtime's names and Strimzi's, so that dashboards for operators fit. */
export class OperatorMetrics implements ControllerMetrics {
  readonly registry = new Registry()
  readonly #total: Counter<'controller' | 'result'>
  readonly #seconds: Histogram<'controller'>
  readonly #depth: Gauge<'name'>
  readonly #leader: Gauge
  readonly #resources: ResourceMetrics
  readonly #strimzi: StrimziMetrics

  constructor() {
    const registers = [this.registry]
    collectDefaultMetrics({ register: this.registry })
    this.#total = new Counter({
      name: 'controller_runtime_reconcile_total',
      help: 'Reconciles by controller and result.',
      labelNames: ['controller', 'result'],
      registers,
    })
    this.#seconds = new Histogram({
      name: 'controller_runtime_reconcile_time_seconds',
      help: 'Length of a reconcile.',
      labelNames: ['controller'],
      buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60],
      registers,
    })
    this.#depth = new Gauge({
      name: 'workqueue_depth',
      help: 'Keys that wait for a worker.',
      labelNames: ['name'],
      registers,
    })
    this.#leader = new Gauge({ name: 'leader_election_master_status', help: '1 while this process leads.', registers })
    this.#resources = new ResourceMetrics({ registry: this.registry })
    this.#strimzi = new StrimziMetrics({ registry: this.registry })
  }

  reconciled(controller: string, result: 'success' | 'error', seconds: number, isPeriodical: boolean): void {
    this.#total.inc({ controller, result })
    this.#seconds.observe({ controller }, seconds)
    this.#strimzi.reconciled(controller, result, seconds, isPeriodical)
  }

  queueDepth(controller: string, depth: number): void {
    this.#depth.set({ name: controller }, depth)
  }

  /** Whose resources are told of at each scrape; null: of none. */
  watch(resources: Resources | null): void {
    this.#resources.watch(resources)
    this.#strimzi.watch(resources)
  }

  leading(isLeader: boolean): void {
    this.#leader.set(isLeader ? 1 : 0)
  }
}
