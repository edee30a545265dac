import type { Surveys } from './alerts/surveys.ts'
import type { KafkaCluster, Key } from './api/resource.ts'
import type { Survey } from './kafka/survey.ts'
import type { Clock } from '../broker/env/clock.ts'
import type { Outcome } from './runtime/controller.ts'
import { isServing } from './topic/rules.ts'

export interface SurveyWatchOptions {
  /** Between two surveys of one cluster, in ms; more where one takes long. */
  readonly pauseMs: number
}

interface Deps {
  readonly clock: Clock
  /** From the cache. */
  readonly clusterOf: (key: Key) => KafkaCluster | undefined
  /** Null: nobody answers. Never rejects. */
  readonly survey: (cluster: KafkaCluster) => Promise<Survey | null>
  readonly surveys: Surveys
  /** Has the cluster looked at. */
  readonly wake: (key: Key) => void
}

/** No more than this part of the time: consumer groups of a large cluster take a whole look at it. */
const SHARE = 1 / 50

/** Sees disks, controllers and consumer groups, which are no change of a Kubernetes object, and has the cluster looked at where they have changed. */
export class SurveyWatch {
  readonly #options: SurveyWatchOptions
  readonly #deps: Deps
  /** When a cluster may be surveyed again, whoever asks for it. */
  readonly #notBeforeMs = new Map<Key, number>()

  constructor(options: SurveyWatchOptions, deps: Deps) {
    this.#options = options
    this.#deps = deps
  }

  /** One survey; none of a cluster that does not serve. */
  async reconcile(key: Key): Promise<Outcome> {
    const { clock, clusterOf, survey, surveys, wake } = this.#deps
    const cluster = clusterOf(key)
    if (cluster === undefined) this.#forget(key)
    if (cluster === undefined || !isServing(cluster)) return {}
    const startMs = clock.monotonicMs()
    const earlyMs = (this.#notBeforeMs.get(key) ?? 0) - startMs
    if (earlyMs > 0) return { requeueAfterMs: earlyMs }
    const told = await survey(cluster)
    const nowMs = clock.monotonicMs()
    if (told !== null && surveys.take(key, told, nowMs)) wake(key)
    // Who waits for an answer has nothing to do.
    const isWhole = told !== null && told.silent.length === 0
    const restMs = isWhole ? (nowMs - startMs) / SHARE : 0
    this.#notBeforeMs.set(key, nowMs + restMs)
    return { requeueAfterMs: Math.max(this.#options.pauseMs, restMs) }
  }

  #forget(key: Key): void {
    this.#deps.surveys.forget(key)
    this.#notBeforeMs.delete(key)
  }
}
