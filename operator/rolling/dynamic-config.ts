import type { Health } from '../api/conditions.ts'
import type { Brokers } from '../cluster/reconcile.ts'
import type { ClusterView } from '../cluster/step.ts'
import type { EventRecorder } from '../kube/events.ts'
import { dynamicConfig } from '../specs/config-map.ts'

/** What became of the configuration that brokers take on while they run. */
export interface DynamicChange {
  /** Null where all is well. */
  readonly health: Health | null
  /** What is about to be changed, in words: it has to be told first. */
  readonly pending: string | null
}

/** Changes what can be changed without a restart, once status.rollout has told it. */
export async function configure(
  { cluster, kafka }: ClusterView,
  deps: { brokers: Pick<Brokers, 'configure'>; events: Pick<EventRecorder, 'record'> },
): Promise<DynamicChange> {
  if ('error' in kafka) return { health: null, pending: null }
  const told = cluster.status?.rollout?.plan?.find(({ how }) => how === 'dynamic')?.reasons[0] ?? null
  const result = await deps.brokers.configure(cluster, dynamicConfig(cluster), told)
  if ('pending' in result) return { health: progressing(result.pending), pending: result.pending }
  if ('refusal' in result) return failed('stalled', 'ConfigRefused', result.refusal)
  if ('error' in result) return failed('unknown', 'BrokersUnreachable', result.error)
  if (result.changes !== '') {
    const note = `changed without a restart: ${result.changes}`
    await deps.events.record(cluster, { type: 'Normal', reason: 'ConfigChanged', action: 'Configure', note })
  }
  return { health: null, pending: null }
}

function progressing(changes: string): Health {
  return { state: 'progressing', reason: 'ConfigChanging', message: `to be changed without a restart: ${changes}` }
}

function failed(state: Health['state'], reason: string, message: string): DynamicChange {
  return { health: { state, reason, message }, pending: null }
}
