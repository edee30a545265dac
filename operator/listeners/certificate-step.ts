import type { ExtraCondition } from '../api/conditions.ts'
import type { Pod } from '../cluster/kubernetes.ts'
import type { ClusterStep, ClusterView, StepResult } from '../cluster/step.ts'
import { awaitedListener, tlsListeners } from '../specs/certificates.ts'

/** Who waits for as long does not find what it looks for: nobody looks at the files of a pod. */
const WAIT_MS = 5000

/**
 * Says which certificates pods wait for. The operator has no right to read Secrets, in which others' keys are too: it goes by the init containers that
 * wait for one each.
 */
export class CertificateStep implements ClusterStep {
  async run({ cluster, observed, nowMs }: ClusterView): Promise<StepResult> {
    const listeners = tlsListeners(cluster)
    if (listeners.length === 0) return {}
    const waits = observed.pods.flatMap((pod) => waitOf(pod))
    const lacking = listeners.flatMap(({ name, certificate }) => {
      const pods = waits.filter(({ listener, sinceMs }) => listener === name && nowMs - sinceMs >= WAIT_MS)
      const names = pods.map(({ pod }) => pod).sort()
      const secret = certificate?.secretName ?? ''
      return names.length === 0 ? [] : [`listener ${name}: Secret ${secret}, for which ${names.join(', ')} wait`]
    })
    return { conditions: [conditionOf(lacking)], ...(waits.length === 0 ? {} : { requeueAfterMs: WAIT_MS }) }
  }
}

interface Wait {
  readonly pod: string
  readonly listener: string
  readonly sinceMs: number
}

/** Init containers run one after the other: at most one of them waits. */
function waitOf({ metadata, status }: Pod): Wait[] {
  return (status?.initContainerStatuses ?? []).flatMap(({ name, state }) => {
    const listener = awaitedListener(name)
    const started = state?.running?.startedAt
    return listener === null || started === undefined
      ? []
      : [{ pod: metadata.name, listener, sinceMs: Date.parse(started) }]
  })
}

function conditionOf(lacking: readonly string[]): ExtraCondition {
  const type = 'CertificatesPresent'
  if (lacking.length === 0)
    return { type, status: 'True', reason: 'Present', message: 'no pod waits for a certificate' }
  const message = `not there, or without tls.crt and tls.key: ${lacking.join('; ')}`
  return { type, status: 'False', reason: 'Missing', message }
}
