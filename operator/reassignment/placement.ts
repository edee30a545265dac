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

/** One partition while a plan is made. */
export interface Placed extends Omit<PlacementPartition, 'replicas'> {
  readonly before: readonly number[]
  replicas: number[]
}

interface Load {
  readonly broker: PlacementBroker
  readonly rack: string
  bytes: number
  roomBytes: number
  readonly replicas: Set<Placed>
  readonly leads: Set<Placed>
  /** Replicas by topic. */
  readonly ofTopic: Map<string, number>
}

/** Which broker holds what while a plan is made; every change of a partition goes through it. */
export class Placement {
  readonly partitions: readonly Placed[]
  readonly #loads: ReadonlyMap<number, Load>

  constructor(brokers: readonly PlacementBroker[], partitions: readonly PlacementPartition[]) {
    this.#loads = new Map(brokers.map((broker) => [broker.id, emptyLoad(broker)]))
    this.partitions = partitions.map(({ replicas, ...rest }) => ({
      ...rest,
      before: replicas,
      replicas: [...replicas],
    }))
    for (const placed of this.partitions) {
      for (const id of placed.replicas) this.#count(placed, id, 1)
      this.#lead(placed, true)
    }
    // What is there already is not in the room that is left.
    for (const load of this.#loads.values()) load.roomBytes = load.broker.roomBytes ?? Number.POSITIVE_INFINITY
  }

  get brokers(): readonly number[] {
    return [...this.#loads.keys()]
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

  ofTopic(id: number, topic: string): number {
    return this.#load(id).ofTopic.get(topic) ?? 0
  }

  /** How many replicas of `placed` are in the rack of `id`. */
  inRackOf(placed: Placed, id: number): number {
    const { rack } = this.#load(id)
    return placed.replicas.filter((other) => this.#loads.get(other)?.rack === rack).length
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
    if (this.#load(from).rack === this.#load(to).rack) return true
    return this.inRackOf(placed, to) < this.inRackOf(placed, from)
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
    for (const id of placed.replicas) if (!replicas.includes(id)) this.#count(placed, id, -1)
    for (const id of replicas) if (!placed.replicas.includes(id)) this.#count(placed, id, 1)
    placed.replicas = [...replicas]
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

  #lead(placed: Placed, leads: boolean): void {
    const load = this.#loads.get(placed.replicas[0] ?? -1)
    if (leads) load?.leads.add(placed)
    else load?.leads.delete(placed)
  }
}

function emptyLoad(broker: PlacementBroker): Load {
  const rack = broker.rack ?? ''
  return { broker, rack, bytes: 0, roomBytes: 0, replicas: new Set(), leads: new Set(), ofTopic: new Map() }
}
