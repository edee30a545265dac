import type { Logger } from 'pino'
import { keyOf } from '../api/resource.ts'
import type { KafkaCluster } from '../api/resource.ts'
import type { ClusterStep, ClusterView, StepResult } from '../cluster/step.ts'
import type { EventRecorder } from '../kube/events.ts'
import { keptDurability, planDurability } from './planner.ts'

export interface DurabilityDeps {
  readonly events: Pick<EventRecorder, 'record'>
  readonly logger: Logger
  /** Takes min.insync.replicas off those of `topics` that have it set for themselves; resolves with these. */
  readonly resetMinIsr: (cluster: KafkaCluster, topics: readonly string[]) => Promise<readonly string[]>
}

/** After a change. */
const RECHECK_MS = 3000

/** Keeps what spec.durability promises. */
export class DurabilityStep implements ClusterStep {
  readonly #deps: DurabilityDeps

  constructor(deps: DurabilityDeps) {
    this.#deps = deps
  }

  async run({ cluster, kafka }: ClusterView): Promise<StepResult> {
    if ('error' in kafka) return { conditions: keptDurability(cluster) }
    const { resetMinIsr, conditions } = planDurability(cluster, kafka)
    if (resetMinIsr.length === 0) return { conditions }
    const { logger } = this.#deps
    try {
      const changed = await this.#deps.resetMinIsr(cluster, resetMinIsr)
      if (changed.length > 0) await this.#announce(cluster, changed)
    } catch (error) {
      logger.warn({ key: keyOf(cluster), err: error }, 'min.insync.replicas of topics not changed')
    }
    return { conditions, requeueAfterMs: RECHECK_MS }
  }

  async #announce(cluster: KafkaCluster, topics: readonly string[]): Promise<void> {
    const note = `min.insync.replicas back to what spec.durability says: ${topics.join(', ')}`
    this.#deps.logger.info({ key: keyOf(cluster), reason: 'DurabilityEnforced' }, note)
    await this.#deps.events.record(cluster, { type: 'Normal', reason: 'DurabilityEnforced', action: 'Enforce', note })
  }
}
