import { KafkaError } from '../../broker/client/kafka-error.ts'
import type { Clock } from '../../broker/env/clock.ts'
import { ANNOTATION_REASSIGNMENT, keyOf } from '../api/resource.ts'
import type { KafkaCluster, Key } from '../api/resource.ts'
import { staffingOf } from '../cluster/leaving.ts'
import type { Staffing } from '../cluster/leaving.ts'
import type { ClusterStep, ClusterView, StepResult } from '../cluster/step.ts'
import type { KafkaState } from '../kafka/state.ts'
import type { EventRecorder } from '../kube/events.ts'
import { cancelling } from './admin.ts'
import type { ReassignmentAdmin, ReassignmentAdminOf } from './admin.ts'
import { isReversible, nextBatch, overtaken, progressOf, unwanted } from './batch.ts'
import type { Progress } from './batch.ts'
import type { Move, Scope, Unplaceable } from './placement.ts'
import { inTurns } from './planning.ts'
import { isMoving, planTargets, remaining } from './targets.ts'
import type { Planned } from './targets.ts'
import { throttle, throttleOf, unthrottle } from './throttle.ts'
import { CONDITION, failed, healthOf, IDLE, problemOf, told, waitOf } from './told.ts'
import type { ReassignmentStatus, Waiting } from './told.ts'

/** A rebalance that has been approved. */
export interface Rebalance {
  readonly plan: readonly Planned[]
  /** Instead of the cluster's; null: the cluster's. */
  readonly bytesPerSecond: number | null
}

interface Deps {
  readonly clock: Clock
  readonly adminOf: ReassignmentAdminOf
  readonly events: EventRecorder
  /** Replication factors that are asked for, by topic. */
  readonly factorsOf: (cluster: KafkaCluster, kafka: KafkaState) => ReadonlyMap<string, number>
  /** What is to be moved besides; null: nothing. */
  readonly rebalanceOf: (cluster: KafkaCluster) => Promise<Rebalance | null>
}

/** How soon moves under way are looked at again: the next ones may begin. To look costs more the more there is. */
const MOVING_MS = 1000
const MOVING_MANY_MS = 5000
const MANY_PARTITIONS = 2000
/** The same where only others can change something. */
const BLOCKED_MS = 10_000
/**
 * So long after this operator has begun to lead, brokers that are new go on to get their share: the one before may stand still in the midst of a
 * request that takes it away again, and Kafka asks nobody who sends it for a lease.
 */
const PREDECESSOR_MS = 60_000
/** Refusals that are told. */
const REFUSED_MAX = 3

/** What is known and asked for when a run begins. */
interface Work extends Waiting {
  readonly view: ClusterView
  readonly kafka: KafkaState
  readonly staffing: Staffing
  readonly factors: ReadonlyMap<string, number>
  readonly rebalance: Rebalance | null
  readonly admin: ReassignmentAdmin
  readonly before: ReassignmentStatus | undefined
}

/** What is to be moved, and how much that is with what is under way. */
interface Todo {
  readonly moves: readonly Move[]
  readonly unplaceable: readonly Unplaceable[]
  readonly progress: Progress
}

/**
 * Replicas go where they are to be: away from brokers that are to go, to brokers that are new (spec.rebalance.onScale), as many as the
 * replication factor says, and as a KafkaRebalance wants. In batches, under a throttle. What is under way is in Kafka, which brokers are
 * being filled in the status: a run goes on from there, whatever has happened to the one before.
 */
export class ReassignmentStep implements ClusterStep {
  readonly #deps: Deps
  /** Clusters, with their uids, in which nothing is throttled: whoever was here before may have died before any status told of its moves. */
  readonly #unthrottled = new Map<Key, string | undefined>()
  readonly #beganMs: number

  constructor(deps: Deps) {
    this.#deps = deps
    this.#beganMs = deps.clock.monotonicMs()
  }

  async run(view: ClusterView): Promise<StepResult> {
    const { kafka } = view
    if ('error' in kafka) return kept(view)
    try {
      const work = await this.#workOf(view, kafka)
      if (view.asked.metadata.annotations?.[ANNOTATION_REASSIGNMENT] === 'stop') return await this.#stop(work)
      const cancelled = await this.#cancel(work)
      if (cancelled !== null) return cancelled
      return isNeeded(work) ? await this.#advance(work) : await this.#idle(work)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      return { ...kept(view), ...failed(error), requeueAfterMs: error.isRetriable ? MOVING_MS : BLOCKED_MS }
    }
  }

  forget(key: Key): void {
    this.#unthrottled.delete(key)
  }

  async #workOf(view: ClusterView, kafka: KafkaState): Promise<Work> {
    const { cluster, asked } = view
    const staffing = staffingOf(cluster, asked)
    return {
      view,
      kafka,
      staffing,
      factors: this.#deps.factorsOf(asked, kafka),
      rebalance: await this.#deps.rebalanceOf(asked),
      admin: this.#deps.adminOf(cluster),
      before: asked.status?.reassignment,
      draining: [...staffing.leavingBrokers.keys()],
      filling: fillingOf(view, staffing),
    }
  }

  /** What was begun for a reason that has gone is taken back first. */
  async #cancel(work: Work): Promise<StepResult | null> {
    const { kafka, staffing, before, draining, admin } = work
    const returned = (before?.draining ?? []).filter((id) => staffing.brokers.has(id))
    const partitions = unwanted(kafka, new Set(draining), new Set(returned))
    if (partitions.length === 0) return null
    await admin.reassign(cancelling(partitions))
    const note = `${partitions.length} reassignments are cancelled: nobody wants them any more, or they never end`
    await this.#tell(work, 'ReassignmentCancelled', note)
    const status: ReassignmentStatus = { state: 'Cancelling', moves: partitions.length, bytesLeft: 0, message: note }
    return { ...told(status, work), requeueAfterMs: MOVING_MS }
  }

  async #stop(work: Work): Promise<StepResult> {
    const underWay = work.kafka.partitions.filter(isMoving)
    const message = `stopped by the annotation ${ANNOTATION_REASSIGNMENT}: take it off to go on`
    if (underWay.length > 0) {
      const reversible = underWay.filter(isReversible)
      if (reversible.length > 0) await work.admin.reassign(cancelling(reversible))
      const words = `${message}${goingOn(underWay.length - reversible.length)}`
      const status: ReassignmentStatus = { state: 'Cancelling', moves: underWay.length, bytesLeft: 0, message: words }
      return { ...told(status, work), requeueAfterMs: MOVING_MS }
    }
    await unthrottle(work.admin)
    return { ...told({ state: 'Blocked', moves: 0, bytesLeft: 0, message }, work), requeueAfterMs: BLOCKED_MS }
  }

  async #advance(work: Work): Promise<StepResult> {
    const { kafka, draining } = work
    const todo = await todoOf(work, this.#deps.clock)
    const underWay = kafka.partitions.filter(isMoving)
    // A pool is emptied as a whole or not at all.
    const isRefused = todo.unplaceable.length > 0 && draining.length > 0
    if (underWay.length === 0 && (isRefused || todo.moves.length === 0)) return this.#settled(work, todo)
    const batch = isRefused ? [] : nextBatch(todo.moves, kafka)
    const refused = await this.#start(work, batch)
    // Leaders follow their replicas a few at a time: all at once in the end would be felt.
    await work.admin.electPreferred()
    if (work.before === undefined || work.before.state === 'Idle') await this.#announce(work, todo)
    const stuck = batch.length === 0 && underWay.length === 0 ? waitOf(todo.moves) : ''
    const movingMs = kafka.partitions.length > MANY_PARTITIONS ? MOVING_MANY_MS : MOVING_MS
    const requeueAfterMs = stuck === '' ? movingMs : BLOCKED_MS
    const words = [...refused.slice(0, REFUSED_MAX), problemOf(todo.unplaceable), stuck]
    const message = words.filter((each) => each !== '').join('; ')
    const status: ReassignmentStatus = { state: 'Moving', ...todo.progress, ...(message === '' ? {} : { message }) }
    return { ...told(status, work), health: healthOf(todo.unplaceable, draining), requeueAfterMs }
  }

  /** What is under way for something else is taken back now, and goes on from there in the next run. Resolves with what was refused, in words. */
  async #start({ view, kafka, admin, rebalance }: Work, batch: readonly Move[]): Promise<readonly string[]> {
    const topics = [...batch, ...kafka.partitions.filter(isMoving)].map(({ topic }) => topic)
    const rate = rebalance?.bytesPerSecond ?? throttleOf(view.asked.spec.rebalance.throttle)
    this.#unthrottled.delete(keyOf(view.asked))
    await throttle(admin, topics, rate)
    if (batch.length === 0) return []
    const takenBack = overtaken(batch, kafka)
    return admin.reassign(
      batch.map((move) => ({
        topic: move.topic,
        partition: move.partition,
        replicas: takenBack.has(move) ? null : move.to,
      })),
    )
  }

  /** Nothing moves any more: everything is where it is to be, or cannot get there. */
  async #settled(work: Work, { unplaceable }: Todo): Promise<StepResult> {
    const { filling, draining, kafka, admin } = work
    if (unplaceable.length > 0) {
      await unthrottle(admin)
      const message = problemOf(unplaceable)
      const status: ReassignmentStatus = { state: 'Blocked', moves: unplaceable.length, bytesLeft: 0, message }
      return { ...told(status, work), health: healthOf(unplaceable, draining), requeueAfterMs: BLOCKED_MS }
    }
    const ledMs = this.#deps.clock.monotonicMs() - this.#beganMs
    if (ledMs < PREDECESSOR_MS) return { ...(await this.#idle(work)), requeueAfterMs: BLOCKED_MS }
    // New brokers that are not there yet get their share when they are.
    return this.#idle({ ...work, filling: filling.filter((id) => !kafka.brokers.has(id)) })
  }

  async #idle(work: Work): Promise<StepResult> {
    const { admin, before, view } = work
    const [key, { uid }] = [keyOf(view.asked), view.asked.metadata]
    if (!this.#unthrottled.has(key) || this.#unthrottled.get(key) !== uid) await unthrottle(admin)
    this.#unthrottled.set(key, uid)
    if (before?.state !== 'Idle') {
      if (before !== undefined) await admin.electPreferred()
      if (before?.state === 'Moving') await this.#tell(work, 'ReassignmentDone', 'replicas are where they are to be')
    }
    return told(IDLE, work)
  }

  #announce(work: Work, { progress }: Todo): Promise<void> {
    const why = [
      ...(work.draining.length === 0 ? [] : [`brokers ${work.draining.join(', ')} are to go`]),
      ...(work.filling.length === 0 ? [] : [`brokers ${work.filling.join(', ')} are new`]),
      ...(work.rebalance === null ? [] : ['a KafkaRebalance has been approved']),
    ].join(', ')
    const note = `${progress.moves} partitions move, ${progress.bytesLeft} bytes are to be copied${why === '' ? '' : `: ${why}`}`
    return this.#tell(work, 'ReassignmentStarted', note)
  }

  #tell({ view }: Work, reason: string, note: string): Promise<void> {
    return this.#deps.events.record(view.cluster, { type: 'Normal', reason, action: 'Reassign', note })
  }
}

async function todoOf(work: Work, clock: Clock): Promise<Todo> {
  const { kafka, staffing, factors, rebalance } = work
  const disks = await work.admin.disks([...kafka.brokers.keys()])
  const staying = new Set(staffing.brokers.keys())
  const leaving = new Set(work.draining)
  const planning = planTargets({ kafka, disks, factors, staying, leaving, scope: scopeOf(work) })
  const plan = await inTurns(planning, clock)
  const moves = [...plan.moves, ...remaining(rebalance?.plan ?? [], kafka, disks, plan.moves, leaving)]
  return { moves, unplaceable: plan.unplaceable, progress: progressOf(moves, kafka, disks) }
}

/** `count` of what is under way cannot be taken back. */
function goingOn(count: number): string {
  if (count === 0) return ''
  return `; ${count} of them ${count === 1 ? 'goes' : 'go'} on to ${count === 1 ? 'its' : 'their'} end: too few of the replicas that were there before are in sync`
}

/** Brokers that are to get their share: those of the status, and those by which a pool has just grown. */
function fillingOf({ asked }: ClusterView, { brokers }: Staffing): number[] {
  const known = (asked.status?.pools ?? []).flatMap(({ replicas, nodeIds }) => (replicas > 0 ? nodeIds : []))
  const grown = asked.spec.rebalance.onScale === 'auto' ? [...brokers.keys()].filter((id) => !known.includes(id)) : []
  const before = asked.status?.reassignment?.filling ?? []
  return [...new Set([...before, ...grown])].filter((id) => brokers.has(id)).sort((a, b) => a - b)
}

/** While brokers do not answer: as before, and those that are new are not forgotten. */
function kept(view: ClusterView): StepResult {
  const { cluster, asked } = view
  const filling = fillingOf(view, staffingOf(cluster, asked))
  const conditions = (asked.status?.conditions ?? []).filter(({ type }) => type === CONDITION)
  if (filling.length === 0) return { conditions }
  return { conditions, status: { reassignment: { ...IDLE, ...asked.status?.reassignment, filling } } }
}

/** Cheap: whether there is anything that the planner would have to look at. */
function isNeeded({ kafka, draining, filling, staffing, factors, rebalance }: Work): boolean {
  if (filling.length > 0 || rebalance !== null) return true
  const isGone = (id: number): boolean => draining.includes(id) || (!kafka.brokers.has(id) && !staffing.brokers.has(id))
  return kafka.partitions.some((partition) => {
    if (isMoving(partition)) return true
    const factor = factors.get(partition.topic)
    return (factor !== undefined && factor !== partition.replicas.length) || partition.replicas.some(isGone)
  })
}

function scopeOf({ filling, kafka }: Work): Scope {
  const there = filling.filter((id) => kafka.brokers.has(id))
  return there.length === 0 ? { mode: 'repair' } : { mode: 'add', onto: new Set(there) }
}
