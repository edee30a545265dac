import type { Clock } from '../../broker/env/clock.ts'
import { STATEFUL_SET } from '../api/resource.ts'
import type { Manifest } from '../api/resource.ts'
import type { KubeApi } from '../kube/api.ts'
import { sleep } from '../runtime/sleep.ts'
import { quantityBytes } from '../specs/quantity.ts'
import type { StatefulSet } from './kubernetes.ts'

/** How long the garbage collector is waited for. */
const POLL_MS = 100
const POLLS_MAX = 50

/**
 * Whether pods that are made from now on should have more than the StatefulSet gives them: larger volumes, or more of them. Kubernetes lets nobody
 * change volumeClaimTemplates: the StatefulSet has to be made anew around its pods. Pure.
 */
export function hasOutgrown(live: readonly Manifest[], wanted: readonly Manifest[]): boolean {
  return wanted.length > live.length || wanted.some((claim, index) => sizeOf(claim) > sizeOf(live[index]))
}

function sizeOf(claim: Manifest | undefined): number {
  const spec = claim?.['spec'] as { resources?: { requests?: { storage?: string } } } | undefined
  return quantityBytes(spec?.resources?.requests?.storage ?? '')
}

/**
 * Deletes a StatefulSet and leaves its pods, which the next one of its name adopts. Resolves with whether it is gone; where it is not yet, the next
 * run goes on.
 */
export async function removeAroundPods(api: KubeApi, clock: Clock, { metadata }: StatefulSet): Promise<boolean> {
  const { namespace = '', name, uid = '' } = metadata
  await api.delete(STATEFUL_SET, namespace, name, { uid, dependents: 'orphan' })
  for (let poll = 0; poll < POLLS_MAX; poll++) {
    if ((await api.get(STATEFUL_SET, namespace, name)) === null) return true
    await sleep(clock, POLL_MS, NEVER)
  }
  return false
}

/** What has to stop with the operator stops at its next call to the API. */
const NEVER = new AbortController().signal
