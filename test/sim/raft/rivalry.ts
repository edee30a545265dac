import type { SimNetwork } from '../../fakes/network.ts'
import type { SimRandom } from '../../fakes/random.ts'
import type { Trace } from '../simulation.ts'
import type { RaftMember } from './member.ts'

/** How many fetches a leader answers before it falls: with none of them done, nobody else has a record of its epoch. */
const ANSWERS = [0, 1, 2, 3, 4, 6, 10, 50]
/** A leader that answers nobody falls all the same. */
const REIGNS_MS = [3, 20, 100, 1000]
const WAYS = ['isolated', 'isolated', 'paused', 'killed'] as const
/** Without another leader for so long, all those who have fallen are back. */
const VACANCY_MS = 2000
/** How often a new leader is heard by some of the others only. */
const MUFFLED = 0.3

export interface RivalryDeps {
  readonly random: SimRandom
  readonly network: SimNetwork
  readonly trace: Trace
  readonly members: readonly RaftMember[]
}

interface Fallen {
  readonly member: RaftMember
  readonly how: (typeof WAYS)[number]
}

/**
 * Leaders in quick succession, each of them with what nobody else has: who leads falls in the midst of it, and just then comes back who
 * fell before, with a log that has parted from that of its successor, and may well be elected. What a leader takes for committed of
 * what its predecessors left must not be lost when the next of these is back (Raft, section 5.4.2 and figure 8).
 */
export class Rivalry {
  readonly #deps: RivalryDeps
  /** How many are down at a time; the others elect one of them. */
  readonly #most: number
  #fallen: Fallen[] = []
  #leader: RaftMember | undefined
  #answersLeft = 0
  #sinceMs = 0
  #fallsMs = Infinity

  /** `voters`: how many there are. */
  constructor(options: { readonly voters: number }, deps: RivalryDeps) {
    this.#deps = deps
    this.#most = Math.floor((options.voters - 1) / 2)
  }

  /** A node has won an election. */
  elected(member: RaftMember): void {
    const { random, network } = this.#deps
    this.#leader = member
    this.#answersLeft = random.pick(ANSWERS)
    this.#sinceMs = network.clock.monotonicMs()
    this.#fallsMs = this.#sinceMs + random.fraction() * random.pick(REIGNS_MS)
    if (!random.chance(MUFFLED)) return
    for (const name of this.#others(member)) {
      if (random.chance(0.5)) network.cut(member.name, name)
    }
  }

  /** A fetch is answered at `host`, and the answer is not on its way yet. */
  answered(host: string): void {
    if (this.#leader?.name === host && this.#answersLeft-- <= 0) this.#fall()
  }

  /** Time has passed. */
  look(): void {
    const nowMs = this.#deps.network.clock.monotonicMs()
    if (this.#leader !== undefined && nowMs >= this.#fallsMs) this.#fall()
    if (nowMs - this.#sinceMs < VACANCY_MS) return
    this.#sinceMs = nowMs
    this.#raise(this.#fallen.length)
  }

  /** Everybody is back. */
  end(): void {
    this.#leader = undefined
    this.#raise(this.#fallen.length)
  }

  #fall(): void {
    const member = this.#leader
    if (member === undefined) return
    this.#leader = undefined
    this.#sinceMs = this.#deps.network.clock.monotonicMs()
    if (!member.machine.isRunning) return
    const how = this.#deps.random.pick(WAYS)
    this.#deps.trace.note(`-- falls: ${how}`, member.name)
    if (how === 'paused') member.machine.stopProcess()
    if (how === 'killed') member.machine.kill()
    this.#fallen.push({ member, how })
    this.#raise(Math.max(0, this.#fallen.length - this.#most))
  }

  /** Those who fell first are back, and all reach each other but those who are cut off still. */
  #raise(count: number): void {
    const { network, trace, members } = this.#deps
    const back = this.#fallen.splice(0, count)
    const isCutOff = (member: RaftMember) =>
      this.#fallen.some((other) => other.member === member && other.how === 'isolated')
    for (const member of members) {
      for (const name of this.#others(member)) {
        if (isCutOff(member)) network.partition(member.name, name)
      }
    }
    for (const [i, member] of members.entries()) {
      for (const other of members.slice(i + 1)) {
        if (!isCutOff(member) && !isCutOff(other)) network.heal(member.name, other.name)
      }
    }
    for (const { member, how } of back) {
      trace.note('-- is back', member.name)
      if (how === 'paused') member.machine.continueProcess()
      if (!member.machine.isRunning) member.start()
    }
  }

  #others(member: RaftMember): string[] {
    return this.#deps.members.filter((other) => other !== member).map(({ name }) => name)
  }
}
