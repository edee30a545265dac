import { timestamp } from '../api/conditions.ts'
import type { ExtraCondition } from '../api/conditions.ts'
import type { Key } from '../api/resource.ts'
import type { Pod } from '../cluster/kubernetes.ts'
import type { ClusterStep, ClusterView, FoundCluster, StepResult } from '../cluster/step.ts'
import { awaitedListener, EXPIRING_SECONDS, tlsListeners } from '../specs/certificates.ts'
import type { Shown, ShownCertificates } from './shown.ts'

/** Who waits for as long does not find what it looks for: nobody looks at the files of a pod. */
const WAIT_MS = 5000

/**
 * Says which certificates pods wait for, and which expire. The operator has no right to read Secrets, in which others' keys are too: it goes by the
 * init containers that wait for one each, and by what brokers show to everybody.
 */
export class CertificateStep implements ClusterStep {
  readonly #shown: Pick<ShownCertificates, 'of' | 'forget'>

  constructor(deps: { readonly shown: Pick<ShownCertificates, 'of' | 'forget'> }) {
    this.#shown = deps.shown
  }

  run(view: ClusterView): Promise<StepResult> {
    return this.tell(view)
  }

  async tell({ cluster, observed, nowMs }: FoundCluster): Promise<StepResult> {
    const listeners = tlsListeners(cluster)
    if (listeners.length === 0) return {}
    const waits = observed.pods.flatMap((pod) => waitOf(pod))
    const lacking = listeners.flatMap(({ name, certificate }) => {
      const pods = waits.filter(({ listener, sinceMs }) => listener === name && nowMs - sinceMs >= WAIT_MS)
      const names = pods.map(({ pod }) => pod).sort()
      const secret = certificate?.secretName ?? ''
      return names.length === 0 ? [] : [`listener ${name}: Secret ${secret}, for which ${names.join(', ')} wait`]
    })
    const shown = await this.#shown.of(cluster, observed.pods)
    return {
      conditions: [presence(lacking), ...validity(shown, nowMs)],
      ...(waits.length === 0 ? {} : { requeueAfterMs: WAIT_MS }),
    }
  }

  forget(key: Key): void {
    this.#shown.forget(key)
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

function presence(lacking: readonly string[]): ExtraCondition {
  const type = 'CertificatesPresent'
  if (lacking.length === 0)
    return { type, status: 'True', reason: 'Present', message: 'no pod waits for a certificate' }
  const message = `not there, or without tls.crt and tls.key: ${lacking.join('; ')}`
  return { type, status: 'False', reason: 'Missing', message }
}

/** None where nobody answers. The same words until another certificate is shown, or time is short. */
function validity(shown: readonly Shown[], nowMs: number): ExtraCondition[] {
  const [first] = shown.toSorted((a, b) => a.notAfterMs - b.notAfterMs)
  if (first === undefined) return []
  const expiring = shown.filter(({ notAfterMs }) => notAfterMs - nowMs < EXPIRING_SECONDS * 1000)
  const type = 'CertificatesValid'
  const when = `${timestamp(first.notAfterMs)}: ${first.subject}, which ${first.pod} shows on listener ${first.listener}`
  if (expiring.length === 0) return [{ type, status: 'True', reason: 'Valid', message: `the first expires at ${when}` }]
  const listeners = [...new Set(expiring.map(({ listener }) => listener))].sort().join(', ')
  const message = `certificates expire on listener ${listeners}, the first at ${when}`
  return [{ type, status: 'False', reason: 'Expiring', message }]
}
