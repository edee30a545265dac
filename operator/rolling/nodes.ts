import { ANNOTATION_RESTART, STATEFUL_SET } from '../api/resource.ts'
import { isPodReady, podTrouble } from '../cluster/kubernetes.ts'
import type { ConfigMap, ContainerStatus, PersistentVolumeClaim, Pod, PodTemplate } from '../cluster/kubernetes.ts'
import type { Observed } from '../cluster/observe.ts'
import type { ClusterView } from '../cluster/step.ts'
import { isBroker, isController, nodesOf, statefulSetName } from '../specs/nodes.ts'
import type { Node } from '../specs/nodes.ts'
import type { NodeState } from './node-state.ts'
import { restartHold, restartReasons, revisionOf } from './reasons.ts'
import type { Wanted } from './reasons.ts'

/** What a container waits for that does not come by itself. */
const FAILING: ReadonlySet<string> = new Set([
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'InvalidImageName',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
])

/** Once may be a hiccup: a name that was not known yet, a machine that was busy. */
const CRASHES_MIN = 3

/** Every node of the cluster: how its pod is, and why it would have to be restarted. Pure. */
export function nodeStates(view: Pick<ClusterView, 'cluster' | 'observed' | 'plan' | 'nowMs'>): NodeState[] {
  const { cluster, observed } = view
  const pods = new Map(observed.pods.map((pod) => [pod.metadata.name, pod]))
  return nodesOf(cluster).map((node) => {
    const pod = pods.get(node.podName)
    const identity = {
      podName: node.podName,
      nodeId: node.nodeId,
      isBroker: isBroker(node.pool),
      isController: isController(node.pool),
    }
    if (pod === undefined) return { ...identity, ...MISSING, sinceMs: view.nowMs }
    const wanted = wantedOf(view, node)
    const claims = observed.claims.filter(({ metadata }) => metadata.name.endsWith(`-${node.podName}`))
    return {
      ...identity,
      phase: phaseOf(pod),
      trouble: isPodReady(pod) ? '' : podTrouble(pod),
      isFailing: isFailing(pod),
      sinceMs: sinceMs(pod),
      reasons: wanted === null ? [] : restartReasons(pod, { ...wanted, claims }, view.nowMs),
      isForced: pod.metadata.annotations?.[ANNOTATION_RESTART] !== undefined,
      hold: staleness(observed, statefulSetName(cluster, node.pool), wanted) ?? volumeHold(pod, claims, view.nowMs),
    }
  })
}

const MISSING = {
  phase: 'missing',
  trouble: 'there is no pod',
  isFailing: false,
  isForced: false,
  reasons: [],
  hold: null,
} as const

function wantedOf({ cluster, observed, plan }: Pick<ClusterView, 'cluster' | 'observed' | 'plan'>, node: Node) {
  const name = statefulSetName(cluster, node.pool)
  const applied = plan.manifests.find(({ type, manifest }) => type === STATEFUL_SET && manifest.metadata.name === name)
  const live = observed.statefulSets.get(name)?.spec.template
  if (applied === undefined || live === undefined) return null
  const { template } = applied.manifest.spec as { template: PodTemplate }
  const planned = plan.manifests.map(({ manifest }): [string, ConfigMap] => [manifest.metadata.name, manifest])
  const known = observed.configMaps.map((one): [string, ConfigMap] => [one.metadata.name, one])
  return { template, live, configMaps: new Map([...planned, ...known]) }
}

/** A pod that goes before Kubernetes would make the right one in its place would have to go twice. */
function staleness({ statefulSets }: Observed, name: string, wanted: Omit<Wanted, 'claims'> | null): string | null {
  const set = statefulSets.get(name)
  const isSeen = (set?.status?.observedGeneration ?? 0) >= (set?.metadata.generation ?? 0)
  if (wanted !== null && isSeen && revisionOf(wanted.live) === revisionOf(wanted.template)) return null
  return `Kubernetes does not make new pods of StatefulSet ${name} as it is wanted yet`
}

/** One in which Kafka does not run may be what its volume waits for. */
function volumeHold(pod: Pod, claims: readonly PersistentVolumeClaim[], nowMs: number): string | null {
  return phaseOf(pod) === 'down' ? null : restartHold(claims, nowMs)
}

function phaseOf(pod: Pod): NodeState['phase'] {
  if (pod.metadata.deletionTimestamp !== undefined) return 'stopping'
  if (isPodReady(pod)) return 'ready'
  const kafka = pod.status?.containerStatuses?.find(({ name }) => name === 'kafka')
  return kafka?.state?.running === undefined ? 'down' : 'starting'
}

function isFailing(pod: Pod): boolean {
  if (isPodReady(pod) || pod.metadata.deletionTimestamp !== undefined) return false
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]
  return statuses.some(({ state, restartCount = 0 }: ContainerStatus) => {
    const reason = state?.waiting?.reason ?? ''
    return FAILING.has(reason) || (reason === 'CrashLoopBackOff' && restartCount >= CRASHES_MIN)
  })
}

function sinceMs(pod: Pod): number {
  const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready')
  const time = Date.parse(ready?.lastTransitionTime ?? pod.metadata.creationTimestamp ?? '')
  return Number.isNaN(time) ? 0 : time
}
