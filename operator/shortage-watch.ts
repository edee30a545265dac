import type { Clock } from '../broker/env/clock.ts'
import type { KafkaCluster, Key } from './api/resource.ts'
import type { Outcome } from './runtime/controller.ts'
import { isServing } from './topic/rules.ts'

export interface ShortageWatchOptions {
  /** Between two looks at one cluster, in ms; more where a look takes long. */
  readonly pauseMs: number
}

interface Deps {
  readonly clock: Clock
  /** From the cache. */
  readonly clusterOf: (key: Key) => KafkaCluster | undefined
  /** Which partitions lack what, in a word that is another one when that has changed. Never rejects. */
  readonly shortage: (cluster: KafkaCluster) => Promise<string>
  /** Has the cluster looked at. */
  readonly wake: (key: Key) => void
}

/** A look at ten thousand partitions takes a tenth of a second of CPU time, here and at the broker: no more than this part of the time. */
const SHARE = 1 / 50

/**
 * Sees replicas go out of sync and come back. That is no change of a Kubernetes object, and what may be evicted depends on it: a node drain must
 * not go by what was true minutes ago. It asks for nothing but the partitions, and has the cluster looked at where they have changed.
 */
export class ShortageWatch {
  readonly #options: ShortageWatchOptions
  readonly #deps: Deps
  /** What was seen last. */
  readonly #seen = new Map<Key, string>()

  constructor(options: ShortageWatchOptions, deps: Deps) {
    this.#options = options
    this.#deps = deps
  }

  /** One look; none at a cluster that does not serve. */
  async reconcile(key: Key): Promise<Outcome> {
    const { clock, clusterOf, shortage, wake } = this.#deps
    const cluster = clusterOf(key)
    if (cluster === undefined || !isServing(cluster)) {
      this.#seen.delete(key)
      return {}
    }
    const startMs = clock.monotonicMs()
    const now = await shortage(cluster)
    if (this.#seen.get(key) !== now) wake(key)
    this.#seen.set(key, now)
    return { requeueAfterMs: Math.max(this.#options.pauseMs, (clock.monotonicMs() - startMs) / SHARE) }
  }
}
