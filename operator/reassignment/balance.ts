import type { Placed, Placement } from './placement.ts'
import type { Planning } from './planning.ts'

/** Candidates that are weighed for one move, or on either side of an exchange: more find a better one, and take longer. */
const CANDIDATES_MAX = 32
/** Brokers whose bytes differ by less than this part of their mean are even. */
const BYTES_TOLERANCE = 0.1
/** Of one plan: exchanges, and pairs of brokers between which one is looked for. */
const SWAPS_MAX = 500
const TRIES_MAX = 2000

/** Moves replicas apart that share a rack while another rack has fewer. Returns whether anything moved. */
export function* spreadRacks(placement: Placement): Planning<boolean> {
  let moved = false
  for (const placed of placement.partitions) {
    yield
    if (placed.isMoving) continue
    // One that could not be placed may have a replica on a broker that goes.
    for (const from of placed.replicas.filter((id) => placement.has(id))) {
      const crowded = placement.inRackOf(placed, from)
      if (crowded < 2) continue
      const to = placement.brokers
        .filter((id) => placement.inRackOf(placed, id) < crowded - 1 && placement.mayMove(placed, from, id))
        .reduce<number | null>((found, id) => lighter(placement, found, id), null)
      if (to === null) continue
      placement.move(placed, from, to)
      moved = true
    }
  }
  return moved
}

/**
 * Moves replicas from brokers with many to those of `onto` with few, until none differs by more than one, or racks allow no more. Of what
 * could move it takes what makes topics and bytes even too. Returns whether anything moved.
 */
export function* evenReplicas(placement: Placement, onto: ReadonlySet<number>): Planning<boolean> {
  const open = new Set(placement.brokers.filter((id) => onto.has(id)))
  const means = { bytes: mean(placement.brokers.map((id) => placement.bytesOn(id))), replicas: meanReplicas(placement) }
  let moved = false
  while (open.size > 0) {
    yield
    const to = mostOf(open, (id) => -placement.on(id).size) ?? 0
    const found = firstOf(fullest(placement, placement.on(to).size + 2), (from) => {
      const placed = bestToMove(placement, from, to, means)
      return placed === null ? null : { from, placed }
    })
    if (found === null) open.delete(to)
    else {
      placement.move(found.placed, found.from, to)
      moved = true
    }
  }
  return moved
}

/** Brokers with at least so many replicas, those with the most first: mostly the first one will do. */
function* fullest(placement: Placement, replicasMin: number): Generator<number, void> {
  const first = mostOf(placement.brokers, (id) => placement.on(id).size)
  if (first === null || placement.on(first).size < replicasMin) return
  yield first
  const others = placement.brokers.filter((id) => id !== first && placement.on(id).size >= replicasMin)
  yield* others.sort((a, b) => placement.on(b).size - placement.on(a).size)
}

/** Of the replicas on `from` that may go to `to`: one of a topic that `to` has fewer of, of the size that `to` lacks on average. */
function bestToMove(
  placement: Placement,
  from: number,
  to: number,
  means: { readonly bytes: number; readonly replicas: number },
): Placed | null {
  const lacking = Math.max(1, means.replicas - placement.on(to).size)
  const wantedBytes = Math.max(0, means.bytes - placement.bytesOn(to)) / lacking
  let found: Placed | null = null
  let foundCost = Number.POSITIVE_INFINITY
  let weighed = 0
  const [here, there] = [placement.topicsOn(from), placement.topicsOn(to)]
  for (const placed of placement.movable(from, to)) {
    const excess = (here.get(placed.topic) ?? 0) - (there.get(placed.topic) ?? 0)
    const cost = (excess > 0 ? 0 : 1e18) + Math.abs(placed.bytes - wantedBytes)
    if (cost < foundCost) [found, foundCost] = [placed, cost]
    if (++weighed >= CANDIDATES_MAX) break
  }
  return found
}

interface Swap {
  readonly full: number
  readonly empty: number
  readonly large: Placed
  readonly small: Placed
}

/**
 * Exchanges large replicas of full brokers for small ones of empty ones, as long as that makes bytes more even: the fullest broker first, with
 * the emptiest. Returns whether anything moved.
 */
export function* evenBytes(placement: Placement): Planning<boolean> {
  const tolerance = BYTES_TOLERANCE * mean(placement.brokers.map((id) => placement.bytesOn(id)))
  const hopeless = new HopelessPairs()
  let tries = 0
  let swaps = 0
  for (; swaps < SWAPS_MAX; swaps++) {
    let swap: Swap | null = null
    for (const [full, empty] of unevenPairs(placement, tolerance)) {
      if (hopeless.has(full, empty)) continue
      if (++tries > TRIES_MAX) return swaps > 0
      yield
      swap = bestSwap(placement, full, empty)
      if (swap !== null) break
      hopeless.add(full, empty)
    }
    if (swap === null) break
    const { full, empty, large, small } = swap
    placement.move(large, full, empty)
    placement.move(small, empty, full)
    hopeless.forget([full, empty, ...large.replicas, ...small.replicas])
  }
  return swaps > 0
}

function* unevenPairs(placement: Placement, tolerance: number): Generator<readonly [number, number], void> {
  const order = placement.brokers.toSorted((a, b) => placement.bytesOn(b) - placement.bytesOn(a))
  for (const full of order) {
    for (const empty of order.toReversed()) {
      if (placement.bytesOn(full) - placement.bytesOn(empty) <= tolerance) break
      yield [full, empty]
    }
  }
}

/** Pairs of brokers between which no exchange helps, until something on one of them changes: another replica, or a replica of one there. */
class HopelessPairs {
  readonly #ofFull = new Map<number, Set<number>>()

  has(full: number, empty: number): boolean {
    return this.#ofFull.get(full)?.has(empty) === true
  }

  add(full: number, empty: number): void {
    this.#ofFull.set(full, (this.#ofFull.get(full) ?? new Set()).add(empty))
  }

  forget(changed: readonly number[]): void {
    for (const id of changed) {
      this.#ofFull.delete(id)
      for (const empties of this.#ofFull.values()) empties.delete(id)
    }
  }
}

/** The exchange that leaves the least difference; null where none makes it smaller. */
function bestSwap(placement: Placement, full: number, empty: number): Swap | null {
  const gap = placement.bytesOn(full) - placement.bytesOn(empty)
  const larger = [...placement.movable(full, empty)].sort((a, b) => b.bytes - a.bytes).slice(0, CANDIDATES_MAX)
  if (larger.length === 0) return null
  const smaller = [...placement.movable(empty, full)].sort((a, b) => a.bytes - b.bytes).slice(0, CANDIDATES_MAX)
  let found: Swap | null = null
  let left = gap
  for (const large of larger) {
    for (const small of smaller) {
      const after = Math.abs(gap - 2 * (large.bytes - small.bytes))
      if (after < left && large !== small) [found, left] = [{ full, empty, large, small }, after]
    }
  }
  return found
}

/** Puts other replicas of the `reorderable` first until no broker leads two more than one that could lead instead. */
export function* evenLeaders(placement: Placement, reorderable: ReadonlySet<Placed>): Planning<void> {
  // Who could pass on nothing can when others have passed on what they lead.
  while (yield* passLeaders(placement, reorderable)) continue
}

/** Each broker, those that lead most first, passes on what it can. Returns whether anything was. */
function* passLeaders(placement: Placement, reorderable: ReadonlySet<Placed>): Planning<boolean> {
  const open = new Set(placement.brokers)
  let passed = false
  while (open.size > 0) {
    yield
    const from = mostOf(open, (id) => placement.led(id).size) ?? 0
    const change = firstOf(placement.led(from), (placed) => {
      if (!reorderable.has(placed)) return null
      const to = placed.replicas
        .filter((id) => placement.has(id) && placement.led(id).size <= placement.led(from).size - 2)
        .reduce<number | null>((a, b) => (a === null || placement.led(b).size < placement.led(a).size ? b : a), null)
      return to === null ? null : { placed, to }
    })
    if (change === null) open.delete(from)
    else {
      const { placed, to } = change
      placement.set(placed, [to, ...placed.replicas.filter((id) => id !== to)])
      // What `to` leads now may be passed on.
      open.add(to)
      passed = true
    }
  }
  return passed
}

function lighter(placement: Placement, a: number | null, b: number): number {
  return a === null || placement.on(b).size < placement.on(a).size ? b : a
}

function meanReplicas(placement: Placement): number {
  return mean(placement.brokers.map((id) => placement.on(id).size))
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}

/** Of equals the first; null where there is none. */
function mostOf(ids: Iterable<number>, of: (id: number) => number): number | null {
  let found: number | null = null
  let most = Number.NEGATIVE_INFINITY
  for (const id of ids) {
    const value = of(id)
    if (value > most) [found, most] = [id, value]
  }
  return found
}

function firstOf<A, B>(items: Iterable<A>, find: (item: A) => B | null): B | null {
  for (const item of items) {
    const found = find(item)
    if (found !== null) return found
  }
  return null
}
