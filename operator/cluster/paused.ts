import type { Health } from '../api/conditions.ts'
import { ANNOTATION_PAUSED } from '../api/paused.ts'
import { healthOf } from './status.ts'
import type { FoundCluster } from './step.ts'

/** How a cluster is that may not be changed; null: it has never been made. */
export function pausedHealth(found: FoundCluster | null): Health {
  if (found === null || found.observed.statefulSets.size === 0) {
    const message = `nothing is made of it while the annotation ${ANNOTATION_PAUSED} is set`
    return { state: 'stalled', reason: 'Paused', message }
  }
  const { state, reason, message } = healthOf({ ...found, clusterId: found.cluster.status?.clusterId ?? '' })
  const words = `paused by the annotation ${ANNOTATION_PAUSED}: nothing is changed; ${message}`
  return { state, reason: state === 'ready' ? 'Paused' : reason, message: words }
}
