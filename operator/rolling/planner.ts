import { ANNOTATION_RESTART } from '../api/resource.ts'
import { Availability } from '../kafka/availability.ts'
import type { PartitionBlock } from '../kafka/availability.ts'
import type { KafkaState, Unreachable } from '../kafka/state.ts'
import type { NodeState } from './node-state.ts'

export interface RollInput {
  /** Every node that is to run. */
  readonly nodes: readonly NodeState[]
  readonly kafka: KafkaState | Unreachable
  /** Replication factors that topics are about to have. */
  readonly factors: ReadonlyMap<string, number>
  /** How many nodes may be away at once. */
  readonly maxUnavailable: number
  readonly isPaused: boolean
  /** Null: restarts may be made now; else until when they wait, in words. */
  readonly closed: string | null
  readonly nowMs: number
}

/**
 * - `Complete`: every pod is as wanted.
 * - `Rolling`: on its way.
 * - `Blocked`: it waits for something that does not come by itself within minutes; it goes on once it has.
 * - `Failed`: a pod that is as wanted does not start.
 * - `Waiting`: for a window of spec.rolling.windows. `Paused`: spec.rolling.paused.
 */
export type RollState = 'Complete' | 'Rolling' | 'Blocked' | 'Failed' | 'Waiting' | 'Paused'

/** What the roll waits for: a pod, or a partition that would be left with too few replicas in sync. */
export interface Block extends Partial<PartitionBlock> {
  /** The one that is waited for or, with a partition, the one that cannot be restarted for it. */
  readonly pod?: string
  /** In words. */
  readonly message: string
}

export interface RollPlan {
  readonly state: RollState
  readonly message: string
  /** To be restarted now. */
  readonly restart: readonly NodeState[]
  /** All that are to be restarted, in order. */
  readonly plan: readonly NodeState[]
  readonly blockedBy: readonly Block[]
}

/** A pod that takes longer to come back than this blocks the roll, in ms. */
export const PATIENCE_MS = 120_000

/**
 * Which pods may be restarted now. The same input gives the same plan; what was restarted before is seen by what is not back yet. Rules:
 * pods in which Kafka does not run are replaced at once, where another one comes of it, one that starts is left alone unless somebody asks for that one; controllers before brokers, the active one last; nothing that runs is restarted
 * unless Kafka says that nothing drops below its min ISR and the quorum keeps its majority, and at most `maxUnavailable` nodes are away,
 * none of them sharing a partition with another.
 */
export function planRoll(input: RollInput): RollPlan {
  const plan = inOrder(input)
  if (plan.length === 0)
    return { state: 'Complete', message: 'every pod is as wanted', restart: [], plan, blockedBy: [] }
  if (input.isPaused) return stopped('Paused', plan, [], 'spec.rolling.paused is true: nothing is restarted')
  const down = plan.filter(({ phase, hold }) => phase === 'down' && hold === null)
  if (input.closed !== null) return stopped('Waiting', plan, down, input.closed)
  const failing = input.nodes.filter(({ isFailing, reasons }) => isFailing && reasons.length === 0)
  if (failing.length > 0) return failed(plan, down, failing)
  const { kafka } = input
  if ('error' in kafka) {
    const message = `the brokers cannot be asked, so nothing that runs is restarted: ${kafka.error}`
    return result(input, plan, down, [{ message }])
  }
  const running = new Selection(input, new Availability(kafka, input.factors)).select(plan)
  return result(input, plan, [...down, ...running.restart], [...running.blockedBy, ...heldDown(plan)])
}

/** What does not run and would come back as it is. */
function heldDown(plan: readonly NodeState[]): Block[] {
  return plan.flatMap(({ podName, phase, hold }) =>
    phase === 'down' && hold !== null ? [{ pod: podName, message: `${podName}: ${hold}` }] : [],
  )
}

function stopped(
  state: RollState,
  plan: readonly NodeState[],
  restart: readonly NodeState[],
  message: string,
): RollPlan {
  return { state, message, restart, plan, blockedBy: [] }
}

function failed(plan: readonly NodeState[], down: readonly NodeState[], failing: readonly NodeState[]): RollPlan {
  const blockedBy = failing.map(({ podName, trouble }) => ({ pod: podName, message: trouble }))
  const names = failing.map(({ podName, trouble }) => `${podName}: ${trouble}`).join('; ')
  const message = `${names}. Nothing else is restarted; take back what was changed, or change it again`
  return { state: 'Failed', message, restart: down, plan, blockedBy }
}

function result(
  { nodes, nowMs }: RollInput,
  plan: readonly NodeState[],
  restart: readonly NodeState[],
  blockedBy: readonly Block[],
): RollPlan {
  if (restart.length > 0) {
    const names = restart.map(({ podName }) => podName).join(', ')
    return { state: 'Rolling', message: `${plan.length} to be restarted, now ${names}`, restart, plan, blockedBy: [] }
  }
  const isComing = ({ phase, reasons, sinceMs }: NodeState): boolean =>
    (phase !== 'ready' || reasons.length === 0) && nowMs - sinceMs < PATIENCE_MS
  // Of a pod that has changed its state lately more is to be expected.
  const state = nodes.some(isComing) ? 'Rolling' : 'Blocked'
  const first = blockedBy[0]?.message ?? 'nothing can be restarted'
  return { state, message: `${plan.length} to be restarted; waits: ${first}`, restart, plan, blockedBy }
}

/** Those with a reason: what does not run, then controllers with the active one last, then brokers. */
function inOrder({ nodes, kafka }: RollInput): readonly NodeState[] {
  const active = 'error' in kafka ? -1 : kafka.quorum.leaderId
  const rack = ({ nodeId }: NodeState): string => ('error' in kafka ? '' : (kafka.brokers.get(nodeId)?.rack ?? ''))
  const rank = ({ phase, isController, nodeId }: NodeState): number => {
    if (phase === 'down') return 0
    if (!isController) return 3
    return nodeId === active ? 2 : 1
  }
  return nodes
    .filter(({ reasons }) => reasons.length > 0)
    .toSorted((a, b) => rank(a) - rank(b) || compare(rack(a), rack(b)) || a.nodeId - b.nodeId)
}

function compareTopics(a: PartitionBlock, b: PartitionBlock): number {
  return Number(a.topic.startsWith('__')) - Number(b.topic.startsWith('__'))
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** Chooses of those that run as many as may go together. */
class Selection {
  readonly #input: RollInput
  readonly #availability: Availability
  /** Node id -> the pod that is away or about to go, and why. */
  readonly #away = new Map<number, Block>()
  readonly #restart: NodeState[] = []
  #blockedBy: readonly Block[] = []

  constructor(input: RollInput, availability: Availability) {
    this.#input = input
    this.#availability = availability
    for (const node of input.nodes) {
      const why = this.#lack(node)
      if (why !== null) this.#away.set(node.nodeId, { pod: node.podName, message: `${node.podName}: ${why}` })
    }
  }

  select(plan: readonly NodeState[]): { restart: readonly NodeState[]; blockedBy: readonly Block[] } {
    const running = plan.filter(({ phase }) => phase !== 'down')
    const controllers = running.filter(({ isController }) => isController)
    for (const node of controllers.length > 0 ? controllers : running) {
      const isLast = controllers.length === 1
      const mayGo = node.phase === 'ready' || (node.phase === 'starting' && node.isForced)
      const blocks = mayGo ? this.#blocks(node, isLast) : this.#notReady(node)
      if (blocks.length === 0) this.#take(node)
      else if (this.#blockedBy.length === 0) this.#blockedBy = blocks
    }
    return { restart: this.#restart, blockedBy: this.#blockedBy }
  }

  /** What a node lacks to count as being there, or null. */
  #lack({ nodeId, phase, trouble, isBroker, isController }: NodeState): string | null {
    if (phase !== 'ready') return trouble
    if (isBroker && !this.#availability.isRegistered(nodeId)) return 'not registered with the controller'
    if (isBroker && !this.#availability.isBrokerWhole(nodeId)) return 'its replicas are not all in sync'
    if (isController && !this.#availability.isVoterWhole(nodeId)) return 'its metadata log is behind'
    return null
  }

  #notReady({ podName, phase, trouble }: NodeState): Block[] {
    const message =
      phase === 'starting'
        ? `${podName} is left alone while it starts, since it may be recovering its log, unless the pod is annotated with ${ANNOTATION_RESTART}: ${trouble}`
        : `${podName}: ${trouble}`
    return [{ pod: podName, message }]
  }

  /** Why `node`, which runs, cannot go now. */
  #blocks(node: NodeState, isLastController: boolean): Block[] {
    const { nodeId, podName, isBroker, isController, hold } = node
    if (hold !== null) return [{ pod: podName, message: `${podName}: ${hold}` }]
    const away = [...this.#away].filter(([id]) => id !== nodeId)
    const others = new Set(away.map(([id]) => id))
    const blocks = isBroker ? this.#partitionBlocks(node, others) : []
    if (isController) blocks.push(...this.#quorumBlocks(node, others, isLastController))
    const isTooMany = others.size + 1 > this.#input.maxUnavailable
    if (isTooMany || this.#availability.sharesPartition(nodeId, others)) blocks.push(...away.map(([, block]) => block))
    return blocks
  }

  #partitionBlocks({ nodeId, podName }: NodeState, others: ReadonlySet<number>): Block[] {
    const below = this.#availability.partitionsBelow(nodeId, others)
    // What users know first.
    return below.toSorted(compareTopics).map(({ risesTo, ...block }) => {
      const { topic, partition, isr, minIsr } = block
      const message = `${topic}-${partition} has ${isr.length} in sync and needs ${minIsr} without ${podName}`
      const waits = risesTo === null ? '' : `: it waits for the partition to have ${risesTo} replicas`
      return { pod: podName, ...block, message: message + waits }
    })
  }

  #quorumBlocks({ nodeId, podName }: NodeState, others: ReadonlySet<number>, isLast: boolean): Block[] {
    const why = this.#availability.quorumWithout(nodeId, others)
    if (why !== null) return [{ pod: podName, message: `${podName}: ${why}` }]
    if (!this.#availability.isActiveController(nodeId) || isLast) return []
    return [{ pod: podName, message: `${podName} is the active controller and goes last` }]
  }

  #take(node: NodeState): void {
    this.#restart.push(node)
    this.#away.set(node.nodeId, { pod: node.podName, message: `${node.podName} is about to restart` })
  }
}
