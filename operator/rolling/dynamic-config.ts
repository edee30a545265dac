import type { Health } from '../api/conditions.ts'
import type { Brokers } from '../cluster/reconcile.ts'
import type { ClusterView } from '../cluster/step.ts'
import type { EventRecorder } from '../kube/events.ts'
import { dynamicConfig } from '../specs/config-map.ts'

/** What became of the configuration that brokers take on while they run. */
export interface DynamicChange {
  /** Null where all is well. */
  readonly health: Health | null
  /** What is still to be changed, in words. */
  readonly pending: string | null
  /** Whether it is to be changed as soon as it has been told. */
  readonly isUntold: boolean
}

const NOTHING: DynamicChange = { health: null, pending: null, isUntold: false }

/** Changes what can be changed without a restart, once status.rollout has told it. */
export async function configure(
  { cluster, kafka }: ClusterView,
  deps: { brokers: Pick<Brokers, 'configure'>; events: Pick<EventRecorder, 'record'> },
): Promise<DynamicChange> {
  if ('error' in kafka) return NOTHING
  const told = cluster.status?.rollout?.plan?.find(({ how }) => how === 'dynamic')?.reasons[0] ?? null
  const result = await deps.brokers.configure(cluster, dynamicConfig(cluster), told)
  if ('error' in result) return { ...NOTHING, health: health('unknown', 'BrokersUnreachable', result.error) }
  const { changes, pending = null, refusal } = result
  if (changes !== '') {
    const note = `changed without a restart: ${changes}`
    await deps.events.record(cluster, { type: 'Normal', reason: 'ConfigChanged', action: 'Configure', note })
  }
  // What is refused stays told: the words are the same the next time.
  if (refusal !== undefined) return { health: health('stalled', 'ConfigRefused', refusal), pending, isUntold: false }
  if (pending === null) return NOTHING
  const message = `to be changed without a restart: ${pending}`
  return { health: health('progressing', 'ConfigChanging', message), pending, isUntold: true }
}

function health(state: Health['state'], reason: string, message: string): Health {
  return { state, reason, message }
}
