import { KafkaError } from '../../broker/client/kafka-error.ts'
import type { Health } from '../api/conditions.ts'
import { ANNOTATION_DRAIN, CONFIG_MAP, LABEL_POOL, PERSISTENT_VOLUME_CLAIM, STATEFUL_SET } from '../api/resource.ts'
import type { KafkaCluster, Resource } from '../api/resource.ts'
import { staffingOf } from '../cluster/leaving.ts'
import type { Staffing } from '../cluster/leaving.ts'
import type { PersistentVolumeClaim } from '../cluster/kubernetes.ts'
import type { Observed } from '../cluster/observe.ts'
import type { ClusterStep, ClusterView, StepResult } from '../cluster/step.ts'
import type { KafkaState } from '../kafka/state.ts'
import { isConflict, isNotFound } from '../kube/api.ts'
import type { KubeApi } from '../kube/api.ts'
import type { EventRecorder } from '../kube/events.ts'
import { isBroker, isController, nodesOf } from '../specs/nodes.ts'
import type { Node } from '../specs/nodes.ts'
import { isQuorumFormed } from '../specs/pool-memory.ts'
import type { ScalingAdmin, ScalingAdminOf } from './admin.ts'
import { DRAINED, emptyPools, markedClaim } from './effective.ts'

/** The word on a node's volume while the node is being emptied. */
const DRAINING = 'draining'
const SOON_MS = 2000

interface Deps {
  readonly api: KubeApi
  readonly adminOf: ScalingAdminOf
  readonly events: EventRecorder
}

/**
 * Sees nodes out. One that is to go is marked and takes no new replicas; the reassignment moves what it has; when there is nothing left on its
 * disks and it is no voter it is marked as drained, which lets its pod go (see `effectiveCluster`), and Kafka forgets it. A node that is
 * asked for again loses its mark. Volumes stay. The marks are on the nodes' volumes: everything goes on from there after a crash.
 */
export class DrainStep implements ClusterStep {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  async run(view: ClusterView): Promise<StepResult> {
    const { cluster, asked, kafka } = view
    await this.#removeEmptyPools(view)
    if ('error' in kafka) return notBegun(view)
    const staffing = staffingOf(cluster, asked)
    try {
      await this.#welcomeBack(view, kafka, staffing)
      for (const node of staffing.leavingBrokers.values()) await this.#seal(view, kafka, node)
      for (const node of staffing.leaving) await this.#release(view, kafka, staffing, node)
      await this.#forget(view, kafka)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      const since = error.isRetriable ? ' while they do not answer' : ''
      const message = `brokers cannot be drained${since}: ${error.message}`
      return { health: { state: 'progressing', reason: 'ScalingDown', message }, requeueAfterMs: SOON_MS }
    }
    return told(staffing, kafka)
  }

  /** Nodes that are asked for and have a mark from before. */
  async #welcomeBack(view: ClusterView, kafka: KafkaState, { brokers, leavingBrokers }: Staffing): Promise<void> {
    const { asked, cluster } = view
    const filling = cluster.status?.reassignment?.filling ?? []
    for (const node of nodesOf(asked).filter(({ nodeId }) => !leavingBrokers.has(nodeId))) {
      const isMarked = markOf(view, node) !== undefined
      if (brokers.has(node.nodeId) && (isMarked || filling.includes(node.nodeId))) {
        // It has to be there to be told.
        if (!kafka.brokers.has(node.nodeId)) continue
        await this.#cordon(this.#deps.adminOf(cluster), node, false)
      }
      if (isMarked) await this.#mark(view, node, null)
    }
  }

  async #seal(view: ClusterView, kafka: KafkaState, node: Node): Promise<void> {
    if (markOf(view, node) === undefined) {
      const isDone = await this.#mark(view, node, DRAINING)
      if (isDone)
        await this.#tell(view.cluster, 'BrokerDraining', `${node.podName} (node ${node.nodeId}) is being emptied`)
    }
    if (kafka.brokers.has(node.nodeId)) await this.#cordon(this.#deps.adminOf(view.cluster), node, true)
  }

  async #release(view: ClusterView, kafka: KafkaState, staffing: Staffing, node: Node): Promise<void> {
    const { cluster } = view
    const { leavingBrokers } = staffing
    const isLast = leavingBrokers.has(node.nodeId) && !isRelieved(kafka, staffing)
    const isEmpty = isFree(kafka, node.nodeId) && (await this.#isDiskEmpty(cluster, kafka, node, leavingBrokers))
    const mark = markOf(view, node)
    if (isEmpty && !isLast && mark !== DRAINED) {
      const isDone = await this.#mark(view, node, DRAINED)
      if (isDone) await this.#tell(cluster, 'NodeDrained', `${node.podName} (node ${node.nodeId}) is empty and goes`)
    } else if (!isEmpty && mark === DRAINED) await this.#mark(view, node, DRAINING)
  }

  /** What the controller says may be older than what the broker has. One that is away has nothing that could be asked for. */
  async #isDiskEmpty(
    cluster: KafkaCluster,
    kafka: KafkaState,
    { nodeId }: Node,
    brokers: Staffing['leavingBrokers'],
  ): Promise<boolean> {
    if (!brokers.has(nodeId) || !kafka.brokers.has(nodeId)) return true
    return (await this.#deps.adminOf(cluster).replicasOn(nodeId)) === 0
  }

  /** Brokers that are away for good. */
  async #forget({ cluster }: ClusterView, kafka: KafkaState): Promise<void> {
    const admin = this.#deps.adminOf(cluster)
    const running = new Set(nodesOf(cluster).flatMap(({ pool, nodeId }) => (isBroker(pool) ? [nodeId] : [])))
    for (const { id, isFenced } of await admin.registered()) {
      if (!isFenced || running.has(id) || holds(kafka, id)) continue
      await admin.unregister(id)
      await this.#tell(cluster, 'BrokerUnregistered', `Kafka has forgotten broker ${id}`)
    }
  }

  async #cordon(admin: ScalingAdmin, { nodeId }: Node, isOn: boolean): Promise<void> {
    if ((await admin.isCordoned(nodeId)) !== isOn) await admin.cordon(nodeId, isOn)
  }

  /**
   * Resolves with false where the volume has changed since it was looked at, or is gone: the next run sees how. An operator that stood still
   * for longer than its lease must not take back what the next one has written.
   */
  async #mark(view: ClusterView, node: Node, mark: string | null): Promise<boolean> {
    const { resourceVersion } = claimOf(view, node)?.metadata ?? {}
    const patch = { metadata: { resourceVersion, annotations: { [ANNOTATION_DRAIN]: mark } } }
    const { namespace = '' } = view.cluster.metadata
    try {
      await this.#deps.api.patch(PERSISTENT_VOLUME_CLAIM, namespace, markedClaim(node.podName), patch)
      return true
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error
      return false
    }
  }

  async #removeEmptyPools({ cluster, observed }: ClusterView): Promise<void> {
    const { api } = this.#deps
    const { namespace = '' } = cluster.metadata
    for (const name of emptyPools(cluster, observed)) {
      const { uid } = observed.statefulSets.get(name)?.metadata ?? {}
      if (uid === undefined) continue
      await api.delete(STATEFUL_SET, namespace, name, { uid })
      await this.#tell(cluster, 'PoolRemoved', `StatefulSet ${name} is empty and has been deleted; its volumes stay`)
    }
    for (const { metadata } of leftConfigMaps(cluster, observed)) {
      await api.delete(CONFIG_MAP, namespace, metadata.name, { uid: metadata.uid ?? '' })
    }
  }

  #tell(cluster: KafkaCluster, reason: string, note: string): Promise<void> {
    return this.#deps.events.record(cluster, { type: 'Normal', reason, action: 'Scale', note })
  }
}

function markOf(view: ClusterView, node: Node): string | undefined {
  return claimOf(view, node)?.metadata.annotations?.[ANNOTATION_DRAIN]
}

function claimOf({ observed }: ClusterView, { podName }: Node): PersistentVolumeClaim | undefined {
  return observed.claims.find(({ metadata }) => metadata.name === markedClaim(podName))
}

/** Those of pools of which there is nothing else any more: a pod needs its own until it has ended. */
function leftConfigMaps(cluster: KafkaCluster, { statefulSets, pods, configMaps }: Observed): readonly Resource[] {
  const others = [...statefulSets.values(), ...pods].map(({ metadata }) => metadata.labels?.[LABEL_POOL])
  const known = new Set([...cluster.spec.pools.map(({ name }) => name), ...others])
  return configMaps.filter(({ metadata }) => {
    const pool = metadata.labels?.[LABEL_POOL]
    return pool !== undefined && !known.has(pool)
  })
}

function holds({ partitions }: KafkaState, id: number): boolean {
  return partitions.some(({ replicas, adding, removing }) =>
    [replicas, adding, removing].some((ids) => ids.includes(id)),
  )
}

/** Whether any broker is there that stays: where there are no topics nothing has to be moved, and all others would go before one comes. */
function isRelieved(kafka: KafkaState, { brokers }: Staffing): boolean {
  return [...brokers.keys()].some((id) => kafka.brokers.has(id))
}

function isFree(kafka: KafkaState, id: number): boolean {
  return !holds(kafka, id) && !kafka.quorum.voters.some((voter) => voter.id === id)
}

/** Until the quorum has had a leader, the controllers that it was begun with are kept: see `effectiveCluster`. */
function notBegun({ cluster, asked }: ClusterView): StepResult {
  const kept = staffingOf(cluster, asked).leaving.filter(({ pool }) => isController(pool))
  if (isQuorumFormed(cluster) || kept.length === 0) return {}
  const names = kept.map(({ podName }) => podName).join(', ')
  const message = `${names} cannot go before the quorum has had a leader, which takes them: ask for them again until it has, or delete the KafkaCluster with its volumes, as there can be nothing in it yet`
  return { health: { state: 'stalled', reason: 'QuorumNotFormed', message } }
}

function told(staffing: Staffing, kafka: KafkaState): StepResult {
  const { leaving, leavingBrokers } = staffing
  if (leaving.length === 0 && leavingBrokers.size === 0) return {}
  const names = new Set([...leaving, ...leavingBrokers.values()].map(({ podName }) => podName))
  const waits = isRelieved(kafka, staffing) ? '' : ', and when one of the brokers that are asked for is there'
  const message = `${[...names].join(', ')}: to go when empty${waits}`
  const health: Health = { state: 'progressing', reason: 'ScalingDown', message }
  return { health, requeueAfterMs: SOON_MS }
}
