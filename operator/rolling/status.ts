import type { ExtraCondition, Health } from '../api/conditions.ts'
import type { KafkaClusterStatus } from '../api/kafkacluster.ts'
import type { NodeState } from './node-state.ts'
import type { RollPlan, RollState } from './planner.ts'

type Rollout = NonNullable<KafkaClusterStatus['rollout']>

/** How much of a long list a status shows. */
const PLAN_MAX = 100
const BLOCKS_MAX = 20

/** status.rollout; what is about to be restarted, or is `pending` to be changed while brokers run, is always in it. */
export function rolloutStatus(
  { state, message, plan, restart, blockedBy }: RollPlan,
  nodes: readonly NodeState[],
  pending: string | null,
): Rollout {
  const first = new Set(restart)
  const next = [...restart, ...plan.filter((node) => !first.has(node))].slice(0, Math.max(PLAN_MAX, restart.length))
  const brokers = pending === null ? [] : nodes.filter(({ isBroker }) => isBroker).slice(0, PLAN_MAX)
  const shown = [...brokers.map(({ podName }) => dynamicEntry(podName, pending ?? '')), ...next.map(planEntry)]
  return {
    state,
    message,
    ...(shown.length === 0 ? {} : { plan: shown }),
    ...(blockedBy.length === 0 ? {} : { blockedBy: blockedBy.slice(0, BLOCKS_MAX).map(blockEntry) }),
  }
}

/** Whether `status` says already that `node` is to be restarted, and why. */
export function isAnnounced(status: Rollout | undefined, node: NodeState): boolean {
  const entry = status?.plan?.find(({ pod, how }) => pod === node.podName && how === 'restart')
  return entry !== undefined && entry.reasons.join('\n') === node.reasons.join('\n')
}

/** What a roll makes of a cluster's health; null: nothing. One that waits for its time leaves the cluster as well as it is. */
export function rolloutHealth({ state, message }: RollPlan, nodes: readonly NodeState[]): Health | null {
  if (state === 'Rolling') return { state: 'progressing', reason: 'RollingUpdate', message }
  if (state === 'Blocked') return { state: 'progressing', reason: 'RolloutBlocked', message }
  if (state === 'Failed') return { state: 'stalled', reason: 'RolloutFailed', message }
  const failing = nodes.filter(({ isFailing }) => isFailing)
  if (failing.length === 0) return null
  const troubles = failing.map(({ podName, trouble }) => `${podName}: ${trouble}`).join('; ')
  return { state: 'stalled', reason: 'PodsFailing', message: troubles }
}

const UNBLOCKED: ReadonlySet<RollState> = new Set(['Complete', 'Rolling', 'Waiting', 'Paused'])

/** UpToDate: every pod is as wanted. RolloutUnblocked: what is to be restarted can be, sooner or later. */
export function rolloutConditions({ state, message }: RollPlan): ExtraCondition[] {
  const status = (holds: boolean): ExtraCondition['status'] => (holds ? 'True' : 'False')
  return [
    { type: 'UpToDate', status: status(state === 'Complete'), reason: state, message },
    { type: 'RolloutUnblocked', status: status(UNBLOCKED.has(state)), reason: state, message },
  ]
}

function dynamicEntry(pod: string, changes: string): NonNullable<Rollout['plan']>[number] {
  return { pod, reasons: [changes], how: 'dynamic' }
}

function planEntry({ podName, reasons }: NodeState): NonNullable<Rollout['plan']>[number] {
  return { pod: podName, reasons: [...reasons], how: 'restart' }
}

function blockEntry({ isr, ...block }: RollPlan['blockedBy'][number]): NonNullable<Rollout['blockedBy']>[number] {
  return { ...block, ...(isr === undefined ? {} : { isr: [...isr] }) }
}
