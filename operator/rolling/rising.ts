import { conditionOf } from '../api/conditions.ts'
import { staffingOf } from '../cluster/leaving.ts'
import type { ClusterView } from '../cluster/step.ts'
import type { KafkaState } from '../kafka/state.ts'
import type { NodeState } from './node-state.ts'
import { PATIENCE_MS } from './planner.ts'

/** What the condition ReplicasPlaced says where no more replicas will come unless somebody changes something. */
const STUCK: ReadonlySet<string> = new Set(['Blocked', 'ReassignmentRefused'])

/**
 * Of the replication factors that are asked for, those that topics are about to have: nothing is in the way of the reassignment, and there are
 * brokers for them, or such as have changed their state so lately that they may come. Pure.
 */
export function risingFactors(
  { cluster, asked, nowMs }: Pick<ClusterView, 'cluster' | 'asked' | 'nowMs'>,
  kafka: KafkaState,
  nodes: readonly NodeState[],
  factors: ReadonlyMap<string, number>,
): Map<string, number> {
  if (STUCK.has(conditionOf(asked, 'ReplicasPlaced')?.reason ?? '')) return new Map()
  const { leavingBrokers } = staffingOf(cluster, asked)
  const coming = nodes.filter(({ isBroker, sinceMs }) => isBroker && nowMs - sinceMs < PATIENCE_MS)
  const ids = new Set([...kafka.brokers.keys(), ...coming.map(({ nodeId }) => nodeId)])
  const count = [...ids].filter((id) => !leavingBrokers.has(id)).length
  return new Map([...factors].filter(([, factor]) => factor <= count))
}
