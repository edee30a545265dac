import type { Health } from '../api/conditions.ts'
import type { KafkaCluster } from '../api/resource.ts'
import { staffingOf } from '../cluster/leaving.ts'
import type { Staffing } from '../cluster/leaving.ts'
import type { ClusterStep, ClusterView, StepResult } from '../cluster/step.ts'
import type { KafkaState, Unreachable } from '../kafka/state.ts'
import type { EventRecorder } from '../kube/events.ts'
import { CONTROLLER_PORT, nodeHost } from '../specs/nodes.ts'
import type { ScalingAdminOf } from './admin.ts'
import { planQuorum } from './quorum-plan.ts'
import type { QuorumPlan } from './quorum-plan.ts'

interface Deps {
  readonly adminOf: ScalingAdminOf
  readonly events: EventRecorder
  readonly look: (cluster: KafkaCluster) => Promise<KafkaState | Unreachable>
}

/** Changes follow each other: the next one is looked for soon. */
const SOON_MS = 1000

/** Voters of the metadata log follow the controllers that are asked for; see `planQuorum`. */
export class QuorumStep implements ClusterStep {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  async run(view: ClusterView): Promise<StepResult> {
    const { cluster, asked, kafka } = view
    if ('error' in kafka) return {}
    const staffing = staffingOf(cluster, asked)
    const holding = new Set(kafka.partitions.flatMap(({ replicas }) => replicas))
    // A node that is broker too stays a voter until it has nothing left: there is nothing to be gained by going in parts.
    const plan = planQuorum(kafka.quorum, new Set(staffing.controllers.keys()), (id) => !holding.has(id))
    if (plan.change === null) return plan.waiting === null ? {} : { health: waiting(plan.waiting) }
    return this.#change(view, kafka, staffing, plan.change)
  }

  async #change(
    { cluster }: ClusterView,
    { clusterId }: KafkaState,
    { controllers }: Staffing,
    { kind, voter, reason }: NonNullable<QuorumPlan['change']>,
  ): Promise<StepResult> {
    const { adminOf, events, look } = this.#deps
    const words = kind === 'add' ? `node ${voter.id} becomes a voter` : `node ${voter.id} is a voter no more`
    const message = `${words}: ${reason}`
    try {
      const node = controllers.get(voter.id)
      if (kind === 'remove') await adminOf(cluster).removeVoter(clusterId, voter)
      else if (node !== undefined) {
        await adminOf(cluster).addVoter(clusterId, voter, { host: nodeHost(cluster, node), port: CONTROLLER_PORT })
      }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      return { health: waiting(`${message}; not yet: ${why}`), requeueAfterMs: SOON_MS }
    }
    await events.record(cluster, { type: 'Normal', reason: 'QuorumChanged', action: 'ChangeVoters', note: message })
    const health: Health = { state: 'progressing', reason: 'QuorumChanging', message }
    return { health, requeueAfterMs: SOON_MS, kafka: await look(cluster) }
  }
}

function waiting(message: string): Health {
  return { state: 'progressing', reason: 'QuorumChanging', message }
}
