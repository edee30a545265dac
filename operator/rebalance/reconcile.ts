import type { Logger } from 'pino'
import type { Clock } from '../../broker/env/clock.ts'
import { conditionOf, conditionsOf } from '../api/conditions.ts'
import type { Health } from '../api/conditions.ts'
import type { KafkaRebalanceStatus } from '../api/kafkarebalance.ts'
import { ANNOTATION_PAUSED, isPaused } from '../api/paused.ts'
import {
  ANNOTATION_REBALANCE,
  CONFIG_MAP,
  KAFKA_REBALANCE,
  keyOf,
  LABEL_MANAGED_BY,
  MANAGED_BY,
  splitKey,
} from '../api/resource.ts'
import type { KafkaCluster, KafkaRebalance, Key, Manifest } from '../api/resource.ts'
import type { ConfigMap } from '../cluster/kubernetes.ts'
import { staffingOf } from '../cluster/leaving.ts'
import type { KafkaState, Unreachable } from '../kafka/state.ts'
import type { KubeApi } from '../kube/api.ts'
import type { EventRecorder } from '../kube/events.ts'
import { report } from '../kube/report.ts'
import { cancelling } from '../reassignment/admin.ts'
import type { ReassignmentAdminOf } from '../reassignment/admin.ts'
import { isReversible } from '../reassignment/batch.ts'
import { inTurns } from '../reassignment/planning.ts'
import { isMoving, isPossible, notYet } from '../reassignment/targets.ts'
import type { Planned } from '../reassignment/targets.ts'
import type { Outcome } from '../runtime/controller.ts'
import { formatPlan, parsePlan, PLAN_KEY } from './plan-text.ts'
import { propose } from './proposal.ts'

interface Deps {
  readonly api: KubeApi
  readonly events: EventRecorder
  readonly clock: Clock
  readonly logger: Logger
  readonly look: (cluster: KafkaCluster) => Promise<KafkaState | Unreachable>
  readonly adminOf: ReassignmentAdminOf
  /** A KafkaCluster, from the cache. */
  readonly clusterOf: (key: Key) => KafkaCluster | undefined
  /** All KafkaRebalances of a KafkaCluster, from the cache. */
  readonly othersOf: (cluster: KafkaCluster) => readonly KafkaRebalance[]
  /** Has the cluster looked at: there is something to be moved. */
  readonly wake: (cluster: Key) => void
}

type Status = Omit<KafkaRebalanceStatus, 'conditions' | 'observedGeneration'>
type Command = 'approve' | 'stop' | 'refresh'

const WATCH_MS = 2000
const RETRY_MS = 10_000
const APPROVE = `approve it with the annotation ${ANNOTATION_REBALANCE}=approve`
/** Without a number: each other word would be another Event. */
const REBALANCING: Health = {
  state: 'progressing',
  reason: 'Rebalancing',
  message: 'partitions move as planned; status.progress tells how many have still to',
}

/** What a run goes by. */
interface Scene {
  readonly rebalance: KafkaRebalance
  readonly cluster: KafkaCluster
  readonly kafka: KafkaState
  readonly command: Command | null
  /** Whether the spec has been acted on. */
  readonly isSeen: boolean
}

/**
 * A KafkaRebalance: its plan is made and shown, waits for approval, and is then carried out by the cluster's reconciler (see
 * ReassignmentStep), one of a cluster at a time. status.state and the plan's ConfigMap are all that is remembered.
 */
export class RebalanceReconciler {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  async reconcile(key: Key): Promise<Outcome> {
    const { namespace, name } = splitKey(key)
    const rebalance = await this.#deps.api.get<KafkaRebalance>(KAFKA_REBALANCE, namespace, name)
    if (rebalance === null || rebalance.metadata.deletionTimestamp !== undefined) return {}
    const { status, metadata } = rebalance
    const command = commandOf(rebalance)
    const isSeen = status?.observedGeneration === metadata.generation
    if (isSeen && command === null && (status?.state === 'Done' || status?.state === 'Stopped')) return {}
    if (isPaused(rebalance)) return this.#pause(rebalance)
    const clusterKey = `${namespace}/${rebalance.spec.cluster.name}`
    const cluster = this.#deps.clusterOf(clusterKey)
    if (cluster === undefined) return this.#wait(rebalance, 'ClusterNotFound', `there is no KafkaCluster ${clusterKey}`)
    const kafka = await this.#deps.look(cluster)
    if ('error' in kafka)
      return this.#wait(rebalance, 'BrokersUnreachable', `the brokers do not answer: ${kafka.error}`)
    const scene: Scene = { rebalance, cluster, kafka, command, isSeen }
    const other = isToStart(scene) ? this.#underWay(scene) : undefined
    // The approval stands until it is its turn.
    if (other !== undefined) return this.#wait(rebalance, 'Proposed', `it waits for KafkaRebalance ${keyOf(other)}`)
    if (isToStart(scene) && isPaused(cluster))
      return this.#wait(rebalance, 'Proposed', `it waits: KafkaCluster ${clusterKey} is paused`)
    const outcome = await this.#advance(scene)
    if (command !== null) await this.#takeOff(rebalance, command)
    return outcome
  }

  async #advance(scene: Scene): Promise<Outcome> {
    if (scene.command === 'stop') return this.#stop(scene)
    if (isToPropose(scene)) return this.#propose(scene)
    if (isToStart(scene)) return this.#start(scene)
    if (scene.rebalance.status?.state === 'Rebalancing') return this.#watch(scene)
    if (conditionOf(scene.rebalance, 'Ready')?.reason === 'Paused') await this.#sayProposed(scene.rebalance)
    return {}
  }

  /** One of a cluster at a time: two plans know nothing of each other. */
  #underWay({ rebalance, cluster }: Scene): KafkaRebalance | undefined {
    const isOther = ({ metadata }: KafkaRebalance): boolean => metadata.uid !== rebalance.metadata.uid
    return this.#deps.othersOf(cluster).find((one) => one.status?.state === 'Rebalancing' && isOther(one))
  }

  async #propose(scene: Scene): Promise<Outcome> {
    const { rebalance, cluster, kafka } = scene
    await this.#cancelOwn(scene)
    const staffing = staffingOf(cluster, cluster)
    const disks = await this.#deps.adminOf(cluster).disks([...kafka.brokers.keys()])
    const staying = new Set(staffing.brokers.keys())
    const planning = propose(rebalance, { kafka, disks, staying, leaving: leavingOf(cluster) })
    const proposal = await inTurns(planning, this.#deps.clock)
    if ('refusal' in proposal) {
      await this.#report(rebalance, {}, { state: 'stalled', reason: 'CannotBePlanned', message: proposal.refusal })
      return { requeueAfterMs: RETRY_MS }
    }
    const { plan, moves } = proposal
    if (moves.length === 0) {
      const message = 'nothing is to be moved: the brokers are as even as racks and sizes allow'
      await this.#report(rebalance, { state: 'Done', plan }, { state: 'ready', reason: 'Balanced', message })
      return {}
    }
    const { text, count } = formatPlan(moves)
    const configMap = await this.#writePlan(rebalance, text)
    if (configMap === null) {
      const taken = `ConfigMap ${planName(rebalance)} is there already, and not of this KafkaRebalance`
      await this.#report(rebalance, {}, { state: 'stalled', reason: 'NameConflict', message: taken })
      return { requeueAfterMs: RETRY_MS }
    }
    const cut =
      count < moves.length ? `; the first ${count} of ${moves.length} partitions, plan the others afterwards` : ''
    await this.#sayProposed(rebalance, { state: 'Proposed', plan: { ...plan, configMap } }, cut)
    return rebalance.spec.approval === 'auto' ? { requeueAfterMs: 0 } : {}
  }

  #sayProposed(rebalance: KafkaRebalance, status: Status = rebalance.status ?? {}, cut = ''): Promise<void> {
    const { moves = 0, reorders = 0, bytes = 0 } = status.plan ?? {}
    const words = `${moves} partitions move, ${reorders} get another leader, ${bytes} bytes are copied${cut}`
    const message = rebalance.spec.approval === 'auto' ? words : `${words}; ${APPROVE}`
    return this.#report(rebalance, status, { state: 'progressing', reason: 'Proposed', message })
  }

  /** What is under way in Kafka goes on; nothing more is begun. */
  async #pause(rebalance: KafkaRebalance): Promise<Outcome> {
    const message = `paused by the annotation ${ANNOTATION_PAUSED}: nothing is planned, begun or stopped`
    await this.#report(rebalance, rebalance.status ?? {}, { state: 'ready', reason: 'Paused', message }, false)
    return {}
  }

  async #start({ rebalance, cluster, kafka }: Scene): Promise<Outcome> {
    const plan = await this.#readPlan(rebalance)
    if (plan === null) return this.#lose(rebalance)
    const moves = notYet(plan, kafka).length
    await this.#report(rebalance, { ...rebalance.status, state: 'Rebalancing', progress: { moves } }, REBALANCING)
    this.#deps.wake(keyOf(cluster))
    return { requeueAfterMs: WATCH_MS }
  }

  async #watch({ rebalance, cluster, kafka }: Scene): Promise<Outcome> {
    const plan = await this.#readPlan(rebalance)
    if (plan === null) return this.#lose(rebalance)
    const undone = notYet(plan, kafka)
    const possible = undone.filter((planned) => isPossible(planned, kafka, leavingOf(cluster)))
    const underWay = ofPlan(plan, kafka).filter(isMoving).length
    if (possible.length > 0 || underWay > 0) {
      this.#deps.wake(keyOf(cluster))
      const moves = possible.length + underWay
      await this.#report(rebalance, { ...rebalance.status, progress: { moves } }, REBALANCING)
      return { requeueAfterMs: WATCH_MS }
    }
    const given = undone.length === 0 ? '' : `, but for ${undone.length} that cannot be any more`
    const message = `all ${plan.length} partitions are as planned${given}`
    const health: Health = { state: 'ready', reason: 'Rebalanced', message }
    await this.#report(rebalance, { ...rebalance.status, state: 'Done', progress: { moves: 0 } }, health)
    return {}
  }

  /** What is under way goes on: nobody knows what of it was planned. */
  async #lose(rebalance: KafkaRebalance): Promise<Outcome> {
    const what = `ConfigMap ${planName(rebalance)} is gone, or what is in it is no plan`
    const message = `${what}; plan it anew with the annotation ${ANNOTATION_REBALANCE}=refresh`
    const health: Health = { state: 'stalled', reason: 'PlanLost', message }
    await this.#report(rebalance, { ...rebalance.status, state: 'Stopped' }, health)
    return {}
  }

  async #stop(scene: Scene): Promise<Outcome> {
    const { rebalance } = scene
    const message = `stopped; plan it anew with the annotation ${ANNOTATION_REBALANCE}=refresh`
    // First the state, that nothing more is begun; then what was.
    await this.#report(
      rebalance,
      { ...rebalance.status, state: 'Stopped' },
      { state: 'stalled', reason: 'Stopped', message },
    )
    await this.#cancelOwn(scene)
    return {}
  }

  /** Takes back what is under way of the plan and can be without harm; also where a run before has said that it is stopped, and has got no further. */
  async #cancelOwn({ rebalance, cluster, kafka, command }: Scene): Promise<void> {
    const state = rebalance.status?.state
    if (state !== 'Rebalancing' && !(command === 'stop' && state === 'Stopped')) return
    const moving = ofPlan((await this.#readPlan(rebalance)) ?? [], kafka).filter(
      (one) => isMoving(one) && isReversible(one),
    )
    if (moving.length === 0) return
    await this.#deps.adminOf(cluster).reassign(cancelling(moving))
  }

  async #wait(rebalance: KafkaRebalance, reason: string, message: string): Promise<Outcome> {
    await this.#report(rebalance, rebalance.status ?? {}, { state: 'progressing', reason, message }, false)
    return { requeueAfterMs: RETRY_MS }
  }

  /** Resolves with the name of the ConfigMap; null where somebody else has one of this name. */
  async #writePlan(rebalance: KafkaRebalance, text: string): Promise<string | null> {
    const { name, namespace = '', uid = '' } = rebalance.metadata
    const { apiVersion, kind } = KAFKA_REBALANCE
    const there = await this.#deps.api.get<ConfigMap>(CONFIG_MAP, namespace, planName(rebalance))
    if (there !== null && !isOf(there, rebalance)) return null
    const manifest: Manifest = {
      apiVersion: CONFIG_MAP.apiVersion,
      kind: CONFIG_MAP.kind,
      metadata: {
        name: planName(rebalance),
        namespace,
        labels: { [LABEL_MANAGED_BY]: MANAGED_BY },
        ownerReferences: [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }],
      },
      data: { [PLAN_KEY]: text },
    }
    await this.#deps.api.apply(CONFIG_MAP, manifest)
    return planName(rebalance)
  }

  #readPlan(rebalance: KafkaRebalance): Promise<readonly Planned[] | null> {
    return readPlan(this.#deps.api, rebalance)
  }

  /** One that somebody has written since is for the next run. */
  async #takeOff({ metadata: { name, namespace = '' } }: KafkaRebalance, command: Command): Promise<void> {
    const now = await this.#deps.api.get<KafkaRebalance>(KAFKA_REBALANCE, namespace, name)
    if (now === null || commandOf(now) !== command) return
    const { resourceVersion } = now.metadata
    const patch = { metadata: { resourceVersion, annotations: { [ANNOTATION_REBALANCE]: null } } }
    await this.#deps.api.patch(KAFKA_REBALANCE, namespace, name, patch)
  }

  /** `isSeen`: whether the spec has been acted on. */
  #report(rebalance: KafkaRebalance, status: Status, health: Health, isSeen = true): Promise<void> {
    const { generation = 0 } = rebalance.metadata
    const conditions = conditionsOf(health, generation, rebalance.status?.conditions, this.#deps.clock.wallMs())
    const observedGeneration = isSeen ? generation : (rebalance.status?.observedGeneration ?? -1)
    return report(
      KAFKA_REBALANCE,
      rebalance,
      { ...status, conditions, observedGeneration } as KafkaRebalanceStatus,
      health,
      this.#deps,
    )
  }
}

/** The plan of a rebalance, from its ConfigMap; null where there is none that can be read. */
export async function readPlan(api: KubeApi, rebalance: KafkaRebalance): Promise<readonly Planned[] | null> {
  const map = await api.get<ConfigMap>(CONFIG_MAP, rebalance.metadata.namespace ?? '', planName(rebalance))
  return map === null || !isOf(map, rebalance) ? null : parsePlan(map.data?.[PLAN_KEY] ?? '')
}

function isOf({ metadata }: ConfigMap, rebalance: KafkaRebalance): boolean {
  return metadata.ownerReferences?.some(({ uid }) => uid === rebalance.metadata.uid) ?? false
}

/** Brokers that are being emptied: they get nothing. */
function leavingOf({ status }: KafkaCluster): ReadonlySet<number> {
  return new Set(status?.reassignment?.draining ?? [])
}

function planName({ metadata }: KafkaRebalance): string {
  return `${metadata.name}-rebalance`
}

function isToPropose({ rebalance, command, isSeen }: Scene): boolean {
  return !isSeen || rebalance.status?.state === undefined || command === 'refresh'
}

function isToStart(scene: Scene): boolean {
  const { rebalance, command } = scene
  if (isToPropose(scene) || rebalance.status?.state !== 'Proposed') return false
  return command === 'approve' || (command === null && rebalance.spec.approval === 'auto')
}

function commandOf({ metadata }: KafkaRebalance): Command | null {
  const word = metadata.annotations?.[ANNOTATION_REBALANCE]
  return word === 'approve' || word === 'stop' || word === 'refresh' ? word : null
}

function ofPlan(plan: readonly Planned[], { partitions }: KafkaState): KafkaState['partitions'] {
  const planned = new Set(plan.map(({ topic, partition }) => `${topic}/${partition}`))
  return partitions.filter(({ topic, partition }) => planned.has(`${topic}/${partition}`))
}
