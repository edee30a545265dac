import type { Logger } from 'pino'
import type { Clock } from '../../broker/env/clock.ts'
import type { Random } from '../../broker/env/random.ts'
import type { Key } from '../api/resource.ts'
import { WorkQueue } from './queue.ts'

export interface ControllerOptions {
  /** The kind that it reconciles: names it in logs and metrics. */
  readonly name: string
  readonly workers: number
  /** After a failure: first and longest delay. */
  readonly backoffMinMs: number
  readonly backoffMaxMs: number
}

/** What a reconcile wants next; without `requeueAfterMs` nothing until something changes. */
export interface Outcome {
  readonly requeueAfterMs?: number
}

/** Brings one object to where its spec says. Idempotent; a failure is thrown and tried again with backoff. */
export type Reconcile = (key: Key, signal: AbortSignal) => Promise<Outcome>

/** Where a controller reports what it did. */
export interface ControllerMetrics {
  /** `isPeriodical`: time had come for it, nothing had changed. */
  reconciled(controller: string, result: 'success' | 'error', seconds: number, isPeriodical: boolean): void
  queueDepth(controller: string, depth: number): void
}

/** Workers that take keys off one queue and reconcile them. */
export class Controller {
  readonly queue: WorkQueue
  readonly #options: ControllerOptions
  readonly #deps: { clock: Clock; random: Random; logger: Logger; metrics: ControllerMetrics; reconcile: Reconcile }

  constructor(
    options: ControllerOptions,
    deps: { clock: Clock; random: Random; logger: Logger; metrics: ControllerMetrics; reconcile: Reconcile },
  ) {
    this.#options = options
    this.#deps = { ...deps, logger: deps.logger.child({ controller: options.name }) }
    this.queue = new WorkQueue({ minMs: options.backoffMinMs, maxMs: options.backoffMaxMs }, deps)
  }

  /** Works until `signal` aborts; resolves when every worker has stopped. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = (): void => this.queue.close()
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    await Promise.all(Array.from({ length: this.#options.workers }, () => this.#work(signal)))
  }

  async #work(signal: AbortSignal): Promise<void> {
    for (;;) {
      const key = await this.queue.next()
      if (key === null) return
      await this.#reconcileOne(key, signal)
      this.queue.done(key)
      this.#deps.metrics.queueDepth(this.#options.name, this.queue.depth)
    }
  }

  async #reconcileOne(key: Key, signal: AbortSignal): Promise<void> {
    const { clock, logger, metrics, reconcile } = this.#deps
    const startMs = clock.monotonicMs()
    const count = (result: 'success' | 'error'): void => {
      const seconds = (clock.monotonicMs() - startMs) / 1000
      metrics.reconciled(this.#options.name, result, seconds, this.queue.isPeriodical(key))
    }
    try {
      const outcome = await reconcile(key, signal)
      this.queue.forget(key)
      if (outcome.requeueAfterMs !== undefined) this.queue.addAfter(key, outcome.requeueAfterMs)
      count('success')
    } catch (error) {
      if (signal.aborted) return
      const retryMs = this.queue.addRateLimited(key)
      count('error')
      logger.warn({ key, retryMs, err: error }, `reconcile of ${key} failed, trying again`)
    }
  }
}
