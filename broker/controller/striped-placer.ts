import type { Random } from '../env/random.ts'
import type { BrokerImage } from '../metadata/image.ts'

/**
 * Places the replicas of one partition after the other, as Kafka does: rack by rack, and within a rack broker by broker. Each partition
 * starts one rack and one broker further, so that leaders and followers are spread; once every broker has had its turn, the order is
 * shuffled, so that not the same brokers always follow the same leader. Fenced brokers come last in their rack, and never lead.
 */
export class StripedPlacer {
  readonly #random: Random
  readonly #racks: Rack[]
  readonly #unfencedCount: number
  /** The rack that the next partition starts with. */
  #offset: number
  /** Partitions placed. */
  #turn = 0

  /** At least one of `brokers` must be unfenced. */
  constructor(brokers: readonly BrokerImage[], random: Random) {
    this.#random = random
    const byRack = Map.groupBy(brokers, ({ rack }) => rack)
    const names = [...byRack.keys()].toSorted(byName)
    this.#racks = names.map((name) => new Rack(byRack.get(name) ?? [], random))
    this.#unfencedCount = brokers.filter(({ isFenced }) => !isFenced).length
    this.#offset = random.below(names.length)
  }

  /** The ids of different brokers, the leader first; `replicationFactor` is at most the number of brokers. */
  place(replicationFactor: number): number[] {
    if (this.#turn > 0 && this.#turn % this.#unfencedCount === 0 && this.#unfencedCount > 1) this.#shuffle()
    const leadingRack = this.#firstWithUnfenced()
    const replicas = [this.#racks[leadingRack]?.next(this.#turn, { mayBeFenced: false }) ?? -1]
    // The leader's rack has had its turn, unless the round comes to it again.
    let passed = leadingRack
    for (let rack = this.#offset; replicas.length < replicationFactor; rack = (rack + 1) % this.#racks.length) {
      if (rack === passed) {
        passed = -1
        continue
      }
      const id = this.#racks[rack]?.next(this.#turn, { mayBeFenced: true })
      if (id !== undefined) replicas.push(id)
    }
    this.#turn++
    this.#offset = (this.#offset + 1) % this.#racks.length
    return replicas
  }

  #firstWithUnfenced(): number {
    let rack = this.#offset
    while (this.#racks[rack]?.hasUnfenced === false) rack = (rack + 1) % this.#racks.length
    return rack
  }

  #shuffle(): void {
    shuffle(this.#racks, this.#random)
    for (const rack of this.#racks) rack.shuffle(this.#random)
  }
}

/** No rack is a rack of its own, and comes first. */
function byName(a: string | null, b: string | null): number {
  if (a === null || b === null) return Number(b === null) - Number(a === null)
  return a < b ? -1 : 1
}

class Rack {
  readonly #unfenced: Round
  readonly #fenced: Round

  constructor(brokers: readonly BrokerImage[], random: Random) {
    const idsOf = (fenced: boolean) => brokers.filter(({ isFenced }) => isFenced === fenced).map(({ id }) => id)
    this.#unfenced = new Round(idsOf(false), random)
    this.#fenced = new Round(idsOf(true), random)
  }

  get hasUnfenced(): boolean {
    return !this.#unfenced.isEmpty
  }

  /** A broker that this turn has not had yet. */
  next(turn: number, { mayBeFenced }: { readonly mayBeFenced: boolean }): number | undefined {
    return this.#unfenced.next(turn) ?? (mayBeFenced ? this.#fenced.next(turn) : undefined)
  }

  shuffle(random: Random): void {
    this.#unfenced.shuffle(random)
    this.#fenced.shuffle(random)
  }
}

/** Brokers in a circle: each turn starts one further, and has each of them once. */
class Round {
  readonly #ids: number[]
  #offset: number
  #index = 0
  #turn = 0

  constructor(ids: readonly number[], random: Random) {
    this.#ids = ids.toSorted((a, b) => a - b)
    this.#offset = ids.length === 0 ? 0 : random.below(ids.length)
  }

  get isEmpty(): boolean {
    return this.#ids.length === 0
  }

  next(turn: number): number | undefined {
    if (this.isEmpty) return undefined
    if (this.#turn !== turn) {
      this.#turn = turn
      this.#index = 0
      this.#offset = (this.#offset + 1) % this.#ids.length
    }
    if (this.#index >= this.#ids.length) return undefined
    return this.#ids[(this.#index++ + this.#offset) % this.#ids.length]
  }

  shuffle(random: Random): void {
    shuffle(this.#ids, random)
  }
}

function shuffle<T>(items: T[], random: Random): void {
  for (let last = items.length - 1; last > 0; last--) {
    const other = random.below(last + 1)
    const item = items[last]
    const swapped = items[other]
    if (item === undefined || swapped === undefined) continue
    items[last] = swapped
    items[other] = item
  }
}
