import type { Clock } from '../../../broker/env/clock.ts'
import type { SimRandom } from '../../fakes/random.ts'
import type { FaultName } from '../nemesis.ts'
import type { SimNode } from './node.ts'

/** Says a follower that lacks, for the time of one fetch, what it is to get from the new leader. */
const CUT = 'cut as the leader is'
/** What a node says when the cluster has just changed, or is about to, and how often a fault comes then: it is a bad moment. */
const PRECARIOUS: ReadonlyMap<string, number> = new Map([
  ['the ISR is to expand', 0.03],
  ['the ISR is to shrink', 0.05],
  [CUT, 0.7],
  ['the damage is cut off, to be fetched again', 0.25],
  ['Became the active controller', 0.1],
  ['group partition loaded', 0.03],
  ['unfenced: clients are served', 0.05],
])
const FAULTS: readonly FaultName[] = ['kill', 'power', 'isolate', 'isolate', 'pause']
/** How often a fault comes just behind what somebody was told is done: a producer, a group, an administrator. */
const CHANCES = { produced: 0.005, committed: 0.04, decided: 0.05 }

/** Until a silent broker is fenced, and another one leads: a fault that is over before has the old leader go on. */
const FAILOVER_MS = 3000
const OUTLASTS = 0.3

/** What a node has done, as leader, when it is a bad moment to fall. */
export type Moment = 'cut a follower' | 'acknowledged records'

export interface StrikesDeps {
  readonly random: SimRandom
  readonly clock: Clock
  /** Begins a fault that lasts so long at least, where one may begin now. */
  readonly strike: (fault: FaultName, victim: SimNode, leastMs: number) => void
}

/** Faults that come at bad moments: just behind what a node, or a client, says. */
export class Strikes {
  readonly #nodes: readonly SimNode[]
  readonly #deps: StrikesDeps
  readonly #last = new Map<Moment, SimNode>()

  constructor(options: { readonly nodes: readonly SimNode[] }, deps: StrikesDeps) {
    this.#nodes = options.nodes
    this.#deps = deps
  }

  /** Who did so last; undefined where nobody has since this was asked before. */
  take(what: Moment): SimNode | undefined {
    const node = this.#last.get(what)
    this.#last.delete(what)
    return node
  }

  logged(node: SimNode, message: string, fields: object): void {
    const { random } = this.#deps
    const leader = message === CUT && 'leader' in fields ? this.#withId(fields.leader) : undefined
    if (leader !== undefined) this.#last.set('cut a follower', leader)
    const chance = PRECARIOUS.get(message)
    if (chance === undefined || !random.chance(chance)) return
    // Its leader may be the only one that has what it lacks now; and it may lead next.
    if (leader !== undefined)
      this.#strike(random.pick([node, this.#otherThan(node), leader, leader]), [0.1, 1], 2 * OUTLASTS)
    else this.#strike(random.pick([node, this.#otherThan(node), random.pick(this.#nodes)]))
  }

  /** `host`: who said so. */
  acknowledged(host: string, what: 'produced' | 'committed'): void {
    const node = this.#nodes.find(({ name }) => name === host)
    if (node !== undefined && what === 'produced') this.#last.set('acknowledged records', node)
    if (this.#deps.random.chance(CHANCES[what])) this.#strike(node ?? this.#deps.random.pick(this.#nodes))
  }

  /** The active controller has changed something. */
  decided(controllerId: number): void {
    const controller = this.#withId(controllerId)
    if (controller !== undefined && this.#deps.random.chance(CHANCES.decided)) this.#strike(controller)
  }

  /** Who says so may be the only one that has what it just got; another, the only one that has what this one lacks. */
  #otherThan(node: SimNode): SimNode {
    const others = this.#nodes.filter((other) => other !== node && other.layout.isBroker && other.machine.isRunning)
    return others.length > 0 ? this.#deps.random.pick(others) : node
  }

  #withId(id: unknown): SimNode | undefined {
    return this.#nodes.find(({ layout }) => layout.id === id)
  }

  /** Not at once: who says something is in the midst of it. */
  #strike(victim: SimNode, delaysMs = [0.1, 2, 20], outlasts = OUTLASTS): void {
    const { random, clock, strike } = this.#deps
    const fault = random.pick(FAULTS)
    const leastMs = random.chance(outlasts) ? FAILOVER_MS : 0
    clock.setTimer(random.fraction() * random.pick(delaysMs), () => strike(fault, victim, leastMs))
  }
}
