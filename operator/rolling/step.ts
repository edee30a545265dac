import { CONFIG_MAP, POD, POD_DISRUPTION_BUDGET } from '../api/resource.ts'
import type { KafkaCluster, Key, Manifest } from '../api/resource.ts'
import { isPodReady } from '../cluster/kubernetes.ts'
import type { Pod } from '../cluster/kubernetes.ts'
import { refresh } from '../cluster/observe.ts'
import type { Brokers } from '../cluster/reconcile.ts'
import { worse } from '../cluster/step.ts'
import type { ClusterStep, ClusterView, StepResult } from '../cluster/step.ts'
import { Availability } from '../kafka/availability.ts'
import type { KafkaState, Unreachable } from '../kafka/state.ts'
import { isConflict } from '../kube/api.ts'
import type { KubeApi } from '../kube/api.ts'
import type { EventRecorder } from '../kube/events.ts'
import { configGarbage } from './config-garbage.ts'
import { isOnImage } from './images.ts'
import { configure } from './dynamic-config.ts'
import { MissingPods } from './missing-pods.ts'
import type { NodeState } from './node-state.ts'
import { nodeStates } from './nodes.ts'
import { planRoll } from './planner.ts'
import type { RollPlan } from './planner.ts'
import { risingFactors } from './rising.ts'
import { isAnnounced, rolloutConditions, rolloutHealth, rolloutStatus } from './status.ts'
import { windowAt } from './windows.ts'

interface Deps {
  readonly api: KubeApi
  readonly brokers: Brokers
  readonly events: Pick<EventRecorder, 'record'>
  /** Replication factors that are asked for, by topic. */
  readonly factorsOf: (cluster: KafkaCluster, kafka: KafkaState) => ReadonlyMap<string, number>
}

/** A replica that is back in sync is no change of a Kubernetes object: somebody has to look. */
const LOOK_MS = 2000
const SOON_MS = 200
/** How many partitions an Event names. */
const NAMED_MAX = 3

/**
 * Restarts pods, and nothing else does. Each one is in the status, with its reasons, in one run, and goes in a later one: after a second look
 * at everything, and only as the very pod that was looked at.
 */
export class RollingStep implements ClusterStep {
  readonly #deps: Deps
  readonly #missing = new MissingPods()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  async run(view: ClusterView): Promise<StepResult> {
    const dynamic = await configure(view, this.#deps)
    const nodes = nodeStates(view, this.#missing.see(view))
    const { roll, nextMs } = this.#planned(view, nodes)
    const isTold = roll.restart.every((node) => isAnnounced(view.cluster.status?.rollout, node))
    if (roll.restart.length > 0 && isTold) await this.#restart(view, roll.restart)
    await this.#collectGarbage(view)
    const isUntold = (roll.restart.length > 0 && !isTold) || dynamic.isUntold
    return {
      status: { rollout: rolloutStatus(roll, nodes, dynamic.pending), ...versionOf(view) },
      health: worse(rolloutHealth(roll, nodes), dynamic.health),
      conditions: rolloutConditions(roll),
      requeueAfterMs: isUntold ? SOON_MS : againMs(roll, nextMs, view.nowMs),
    }
  }

  forget(key: Key): void {
    this.#missing.forget(key)
  }

  #planned(
    view: ClusterView,
    nodes: readonly NodeState[],
  ): { readonly roll: RollPlan; readonly nextMs: number | null } {
    const { asked, cluster, kafka, nowMs } = view
    const { maxUnavailable = 1, windows = [], paused = false } = cluster.spec.rolling ?? {}
    const { isOpen, nextMs } = windowAt(windows, nowMs)
    const from = nextMs === null ? '' : `, next ${new Date(nextMs).toISOString().slice(0, 16)}Z`
    const closed = isOpen ? null : `restarts wait for spec.rolling.windows (${windows.join('; ')}, UTC)${from}`
    // Of ten thousand topics they are not asked for nothing.
    const isKnown = !('error' in kafka) && nodes.some(({ reasons }) => reasons.length > 0)
    const factors = isKnown ? risingFactors(view, kafka, nodes, this.#deps.factorsOf(asked, kafka)) : new Map()
    const roll = planRoll({ nodes, kafka, factors, maxUnavailable, isPaused: paused, closed, nowMs })
    return { roll, nextMs: roll.state === 'Waiting' ? nextMs : null }
  }

  /**
   * Between what was looked at and now anything may have happened: a pod may have been evicted, or have crashed. So evictions are shut out,
   * Kafka is asked again, and then the pods, which must be those of before. What may still go then goes.
   */
  async #restart(view: ClusterView, announced: readonly NodeState[]): Promise<void> {
    const { cluster, observed } = view
    const isAnyUp = announced.some(({ phase }) => phase !== 'down')
    if (isAnyUp) await this.#shutOutEvictions(view)
    const kafka = isAnyUp ? await this.#deps.brokers.look(cluster) : view.kafka
    const after = await refresh(this.#deps.api, observed)
    if (isAnyUp && signs(observed.pods) !== signs(after.pods)) return
    const now = { ...view, observed: after, kafka }
    const { roll } = this.#planned(now, nodeStates(now, this.#missing.see(now)))
    for (const node of roll.restart) {
      const pod = after.pods.find(({ metadata }) => metadata.name === node.podName)
      const before = announced.find(({ podName }) => podName === node.podName)
      if (pod !== undefined && before?.phase === node.phase) await this.#delete(view, kafka, node, pod)
    }
  }

  async #shutOutEvictions({ plan }: ClusterView): Promise<void> {
    for (const { type, manifest } of plan.manifests) {
      if (type !== POD_DISRUPTION_BUDGET) continue
      const spec = { ...(manifest.spec as object), maxUnavailable: 0 }
      await this.#deps.api.apply<Manifest>(type, { ...manifest, spec })
    }
  }

  async #delete({ cluster }: ClusterView, kafka: KafkaState | Unreachable, node: NodeState, pod: Pod): Promise<void> {
    const { name, namespace = '', uid = '', resourceVersion = '' } = pod.metadata
    const note = `${name} is restarted: ${node.reasons.join('; ')}${withoutIt(kafka, node)}`
    await this.#deps.events.record(cluster, { type: 'Normal', reason: 'PodRestarting', action: 'Restart', note })
    try {
      await this.#deps.api.delete(POD, namespace, name, { uid, resourceVersion })
    } catch (error) {
      // It has changed since: the next run sees how.
      if (!isConflict(error)) throw error
    }
  }

  async #collectGarbage(view: ClusterView): Promise<void> {
    for (const { metadata } of configGarbage(view)) {
      const { name, namespace = '', uid = '' } = metadata
      await this.#deps.api.delete(CONFIG_MAP, namespace, name, { uid })
    }
  }
}

/** When to look again where nothing else happens, in ms. */
function againMs({ state }: RollPlan, windowMs: number | null, nowMs: number): number {
  if (state === 'Rolling' || state === 'Blocked') return LOOK_MS
  return windowMs === null ? Infinity : windowMs - nowMs
}

/** What tells one state of a pod from another. */
function signs(pods: readonly Pod[]): string {
  return pods
    .map((pod) => {
      const restarts = pod.status?.containerStatuses?.map(({ restartCount = 0 }) => restartCount) ?? []
      return [pod.metadata.name, pod.metadata.uid, isPodReady(pod), ...restarts].join(' ')
    })
    .toSorted()
    .join('\n')
}

/** What cannot be had while `node` is away, whatever is done. */
function withoutIt(kafka: KafkaState | Unreachable, { nodeId, phase }: NodeState): string {
  if ('error' in kafka || phase === 'down') return ''
  const lost = new Availability(kafka).unavoidable(nodeId)
  if (lost.length === 0) return ''
  const names = lost.slice(0, NAMED_MAX).map(({ topic, partition }) => `${topic}-${partition}`)
  const more = lost.length > names.length ? ` and ${lost.length - names.length} more` : ''
  return `. Partitions with no more replicas than min ISR cannot be written meanwhile: ${names.join(', ')}${more}`
}

/** status.version: once every pod has the image of it. */
function versionOf({ cluster, observed, plan }: ClusterView): { version?: string } {
  return isOnImage(cluster, observed.pods, plan.image) ? { version: plan.version } : {}
}
