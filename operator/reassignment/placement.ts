/** A broker that may hold replicas when the plan is done. */
export interface PlacementBroker {
  readonly id: number
  readonly rack: string | null
  /** Bytes that its disks can still take; null where that is not known. */
  readonly roomBytes: number | null
  /** It is to run and does not: it keeps what it has, and gets nothing. */
  readonly isAway: boolean
}

export interface PlacementPartition {
  readonly topic: string
  readonly partition: number
  /** Node ids, the preferred leader first: what it has, or will have when the reassignment under way is done. */
  readonly replicas: readonly number[]
  /** Of one replica. */
  readonly bytes: number
  /** How many replicas it is to have. */
  readonly replicationFactor: number
  /** It is being reassigned: it stays as it is unless it has to move. */
  readonly isMoving: boolean
}

/**
 * - `repair`: only what has to move: replicas on brokers that go, and those that are missing or too many.
 * - `add`: also a fair share for `onto`, brokers that are new.
 * - `full`: everything that makes racks, replicas, leaders and bytes more even.
 */
export type Scope =
  | { readonly mode: 'repair' }
  | { readonly mode: 'add'; readonly onto: ReadonlySet<number> }
  | { readonly mode: 'full' }

export interface Move {
  readonly topic: string
  readonly partition: number
  readonly from: readonly number[]
  /** The preferred leader first. */
  readonly to: readonly number[]
  readonly bytes: number
}

/** A partition that cannot be placed as it should be, and why. */
export interface Unplaceable {
  readonly topic: string
  readonly partition: number
  readonly why: string
  /** It waits for a broker that is away, and will pass when that is back. */
  readonly mayPass: boolean
}

/** How many replicas a partition has in which rack. All that have the same are of one spread. */
type Spread = ReadonlyMap<string, number>

/** One partition while a plan is made. */
export interface Placed extends Omit<PlacementPartition, 'replicas'> {
  readonly before: readonly number[]
  replicas: number[]
  spread: Spread
}

interface Load {
  readonly broker: PlacementBroker
  readonly rack: string
  bytes: number
  roomBytes: number
  readonly replicas: Set<Placed>
  /** The same but for those that are being reassigned: what racks forbid to one they forbid to all of its spread. */
  readonly bySpread: Map<Spread, Set<Placed>>
  readonly leads: Set<Placed>
  /** Replicas by topic. */
  readonly ofTopic: Map<string, number>
}

/** Which broker holds what while a plan is made; every change of a partition goes through it. */
export class Placement {
  readonly partitions: readonly Placed[]
  readonly brokers: readonly number[]
  readonly #loads: ReadonlyMap<number, Load>
  readonly #spreads = new Map<string, Spread>()

  constructor(brokers: readonly PlacementBroker[], partitions: readonly PlacementPartition[]) {
    this.#loads = new Map(brokers.map((broker) => [broker.id, emptyLoad(broker)]))
    this.brokers = [...this.#loads.keys()]
    this.partitions = partitions.map(({ replicas, ...rest }) => ({
      ...rest,
      before: replicas,
      replicas: [...replicas],
      spread: this.#spreadOf(replicas),
    }))
    for (const placed of this.partitions) {
      for (const id of placed.replicas) this.#count(placed, id, 1)
      this.#file(placed, true)
      this.#lead(placed, true)
    }
    // What is there already is not in the room that is left.
    for (const load of this.#loads.values()) load.roomBytes = load.broker.roomBytes ?? Number.POSITIVE_INFINITY
  }

  has(id: number): boolean {
    return this.#loads.has(id)
  }

  on(id: number): ReadonlySet<Placed> {
    return this.#load(id).replicas
  }

  led(id: number): ReadonlySet<Placed> {
    return this.#load(id).leads
  }

  bytesOn(id: number): number {
    return this.#load(id).bytes
  }

  /** Replicas by topic; a topic that is left out has none. */
  topicsOn(id: number): ReadonlyMap<string, number> {
    return this.#load(id).ofTopic
  }

  /** How many replicas of `placed` are in the rack of `id`. */
  inRackOf(placed: Placed, id: number): number {
    return placed.spread.get(this.#load(id).rack) ?? 0
  }

  /** Brokers that are to run and do not. */
  get away(): readonly number[] {
    return [...this.#loads.values()].flatMap(({ broker }) => (broker.isAway ? [broker.id] : []))
  }

  fits(placed: Placed, id: number): boolean {
    const { broker, roomBytes } = this.#load(id)
    return !broker.isAway && roomBytes >= placed.bytes
  }

  /** Whether the replica on `from` may go to `to`: it fits, is not there yet, and racks become no less even by it. */
  mayMove(placed: Placed, from: number, to: number): boolean {
    if (placed.replicas.includes(to) || !this.fits(placed, to)) return false
    return areRacksAsEven(placed.spread, this.#load(from), this.#load(to))
  }

  /** Those on `from` that may move to `to` and are not being reassigned. Nothing may be changed while it is gone through. */
  *movable(from: number, to: number): Generator<Placed, void> {
    const [source, target] = [this.#load(from), this.#load(to)]
    for (const [spread, all] of source.bySpread) {
      if (!areRacksAsEven(spread, source, target)) continue
      for (const placed of all) if (!placed.replicas.includes(to) && this.fits(placed, to)) yield placed
    }
  }

  move(placed: Placed, from: number, to: number): void {
    this.set(
      placed,
      placed.replicas.map((id) => (id === from ? to : id)),
    )
  }

  /** Makes these its replicas, the first the preferred leader. */
  set(placed: Placed, replicas: readonly number[]): void {
    this.#lead(placed, false)
    this.#file(placed, false)
    for (const id of placed.replicas) if (!replicas.includes(id)) this.#count(placed, id, -1)
    for (const id of replicas) if (!placed.replicas.includes(id)) this.#count(placed, id, 1)
    placed.replicas = [...replicas]
    placed.spread = this.#spreadOf(replicas)
    this.#file(placed, true)
    this.#lead(placed, true)
  }

  /** Those that differ from the beginning. */
  changed(): Placed[] {
    return this.partitions.filter(
      ({ before, replicas }) => before.length !== replicas.length || before.some((id, index) => id !== replicas[index]),
    )
  }

  moves(): Move[] {
    return this.changed().map(({ topic, partition, before, replicas, bytes }) => ({
      topic,
      partition,
      from: before,
      to: replicas,
      bytes,
    }))
  }

  #load(id: number): Load {
    const load = this.#loads.get(id)
    if (load === undefined) throw new Error(`broker ${id} is not among those that may hold replicas`)
    return load
  }

  /** Brokers that go have no load: what they hold counts nowhere. */
  #count(placed: Placed, id: number, by: 1 | -1): void {
    const load = this.#loads.get(id)
    if (load === undefined) return
    load.bytes += by * placed.bytes
    load.roomBytes -= by * placed.bytes
    load.ofTopic.set(placed.topic, (load.ofTopic.get(placed.topic) ?? 0) + by)
    if (by === 1) load.replicas.add(placed)
    else load.replicas.delete(placed)
  }

  /** The same object for what is the same. Brokers that go are in no rack. */
  #spreadOf(replicas: readonly number[]): Spread {
    const racks = replicas.flatMap((id) => this.#loads.get(id)?.rack ?? []).sort()
    const key = racks.join('\n')
    const known = this.#spreads.get(key)
    if (known !== undefined) return known
    const spread = new Map([...Map.groupBy(racks, (rack) => rack)].map(([rack, all]) => [rack, all.length]))
    this.#spreads.set(key, spread)
    return spread
  }

  #file(placed: Placed, isIn: boolean): void {
    if (placed.isMoving) return
    for (const id of placed.replicas) {
      const bySpread = this.#loads.get(id)?.bySpread
      const all = bySpread?.get(placed.spread) ?? new Set()
      if (isIn) bySpread?.set(placed.spread, all.add(placed))
      else if (all.delete(placed) && all.size === 0) bySpread?.delete(placed.spread)
    }
  }

  #lead(placed: Placed, leads: boolean): void {
    const load = this.#loads.get(placed.replicas[0] ?? -1)
    if (leads) load?.leads.add(placed)
    else load?.leads.delete(placed)
  }
}

function emptyLoad(broker: PlacementBroker): Load {
  const rack = broker.rack ?? ''
  const none = { replicas: new Set<Placed>(), bySpread: new Map(), leads: new Set<Placed>(), ofTopic: new Map() }
  return { broker, rack, bytes: 0, roomBytes: 0, ...none }
}

function areRacksAsEven(spread: Spread, from: Load, to: Load): boolean {
  return from.rack === to.rack || (spread.get(to.rack) ?? 0) < (spread.get(from.rack) ?? 0)
}
