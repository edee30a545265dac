import { ANNOTATION_RESTART, STATEFUL_SET } from '../api/resource.ts'
import { isPodReady, podTrouble } from '../cluster/kubernetes.ts'
import type { ConfigMap, PersistentVolumeClaim, Pod, PodTemplate } from '../cluster/kubernetes.ts'
import type { Observed } from '../cluster/observe.ts'
import type { ClusterView } from '../cluster/step.ts'
import { isBroker, isController, nodesOf, statefulSetName } from '../specs/nodes.ts'
import type { Node } from '../specs/nodes.ts'
import { MOVED } from '../specs/place.ts'
import { isQuorumFormed } from '../specs/pool-memory.ts'
import { podOfClaim } from '../specs/volumes.ts'
import { failureOf } from './failing.ts'
import type { NodeState } from './node-state.ts'
import { PATIENCE_MS } from './planner.ts'
import { isMisled, restartHold, restartReasons, revisionOf } from './reasons.ts'
import type { Wanted } from './reasons.ts'

/** Every node of the cluster: how its pod is, and why it would have to be restarted; `missing`: since when there is none. Pure. */
export function nodeStates(
  view: Pick<ClusterView, 'cluster' | 'observed' | 'plan' | 'nowMs'>,
  missing: ReadonlyMap<string, number>,
): NodeState[] {
  const { cluster, observed, nowMs } = view
  const pods = new Map(observed.pods.map((pod) => [pod.metadata.name, pod]))
  return nodesOf(cluster).map((node) => {
    const pod = pods.get(node.podName)
    const identity = {
      podName: node.podName,
      nodeId: node.nodeId,
      isBroker: isBroker(node.pool),
      isController: isController(node.pool),
    }
    if (pod === undefined) return { ...identity, ...missingState(view, node, missing.get(node.podName) ?? nowMs) }
    const failure = failureOf(pod, nowMs)
    const claims = observed.claims.filter(({ metadata }) => podOfClaim(metadata.name) === node.podName)
    const wanted = wantedOf(view, node, claims)
    return {
      ...identity,
      phase: phaseFor(pod, wanted),
      trouble: isPodReady(pod) ? '' : (failure ?? podTrouble(pod)),
      isFailing: failure !== null,
      sinceMs: changedMs(pod),
      reasons: wanted === null ? [] : restartReasons(pod, wanted, nowMs),
      isForced: isForced(pod),
      hold: staleness(observed, statefulSetName(cluster, node.pool), wanted) ?? volumeHold(pod, claims, nowMs),
    }
  })
}

/** Kubernetes makes a pod within seconds: one that does not come cannot be made. */
function missingState({ cluster, nowMs }: Pick<ClusterView, 'cluster' | 'nowMs'>, { pool }: Node, sinceMs: number) {
  const isFailing = nowMs - sinceMs >= PATIENCE_MS
  const look = `kubectl --namespace ${cluster.metadata.namespace ?? ''} describe statefulset ${statefulSetName(cluster, pool)}`
  return {
    phase: 'missing',
    trouble: isFailing ? `Kubernetes makes no pod of it, and "${look}" says why` : 'there is no pod yet',
    isFailing,
    sinceMs,
    isForced: false,
    reasons: [],
    hold: null,
  } as const
}

function wantedOf(
  { cluster, observed, plan }: Pick<ClusterView, 'cluster' | 'observed' | 'plan'>,
  node: Node,
  claims: readonly PersistentVolumeClaim[],
): Wanted | null {
  const name = statefulSetName(cluster, node.pool)
  const applied = plan.manifests.find(({ type, manifest }) => type === STATEFUL_SET && manifest.metadata.name === name)
  const live = observed.statefulSets.get(name)?.spec.template
  if (applied === undefined || live === undefined) return null
  const { template } = applied.manifest.spec as { template: PodTemplate }
  const planned = plan.manifests.map(({ manifest }): [string, ConfigMap] => [manifest.metadata.name, manifest])
  const known = observed.configMaps.map((one): [string, ConfigMap] => [one.metadata.name, one])
  return { template, live, configMaps: new Map([...planned, ...known]), claims, isFormed: isQuorumFormed(cluster) }
}

/** A pod that goes before Kubernetes would make the right one in its place would have to go twice. */
function staleness({ statefulSets }: Observed, name: string, wanted: Wanted | null): string | null {
  const set = statefulSets.get(name)
  const isSeen = (set?.status?.observedGeneration ?? 0) >= (set?.metadata.generation ?? 0)
  if (wanted !== null && isSeen && revisionOf(wanted.live) === revisionOf(wanted.template)) return null
  return `Kubernetes does not make new pods of StatefulSet ${name} as it is wanted yet`
}

/** One in which Kafka does not run may be what its volume waits for. */
function volumeHold(pod: Pod, claims: readonly PersistentVolumeClaim[], nowMs: number): string | null {
  return phaseOf(pod) === 'down' ? null : restartHold(claims, nowMs)
}

/** What waits for a quorum that will never be is as good as down. */
function phaseFor(pod: Pod, wanted: Wanted | null): NodeState['phase'] {
  const phase = phaseOf(pod)
  return phase === 'starting' && wanted !== null && isMisled(pod, wanted) ? 'down' : phase
}

function phaseOf(pod: Pod): NodeState['phase'] {
  if (pod.metadata.deletionTimestamp !== undefined) return 'stopping'
  if (isPodReady(pod)) return 'ready'
  const kafka = pod.status?.containerStatuses?.find(({ name }) => name === 'kafka')
  return kafka?.state?.running === undefined ? 'down' : 'starting'
}

/** By somebody, that is: what the operator marks itself can wait until a log is recovered. */
function isForced({ metadata }: Pod): boolean {
  const asked = metadata.annotations?.[ANNOTATION_RESTART]
  return asked !== undefined && !asked.startsWith(MOVED)
}

function changedMs(pod: Pod): number {
  const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready')
  const time = Date.parse(ready?.lastTransitionTime ?? pod.metadata.creationTimestamp ?? '')
  return Number.isNaN(time) ? 0 : time
}
