import type { Placed, Placement } from './placement.ts'

/** Candidates that are weighed for one move: more find a better one, and take longer. */
const CANDIDATES_MAX = 64
/** Brokers whose bytes differ by less than this part of their mean are even. */
const BYTES_TOLERANCE = 0.1
/** Of one plan. */
const SWAPS_MAX = 500

/** Moves replicas apart that share a rack while another rack has fewer. Returns whether anything moved. */
export function spreadRacks(placement: Placement): boolean {
  let moved = false
  for (const placed of placement.partitions) {
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
export function evenReplicas(placement: Placement, onto: ReadonlySet<number>): boolean {
  const open = new Set(placement.brokers.filter((id) => onto.has(id)))
  const means = { bytes: mean(placement.brokers.map((id) => placement.bytesOn(id))), replicas: meanReplicas(placement) }
  let moved = false
  while (open.size > 0) {
    const to = [...open].reduce((a, b) => (placement.on(b).size < placement.on(a).size ? b : a))
    const sources = placement.brokers
      .filter((id) => placement.on(id).size >= placement.on(to).size + 2)
      .sort((a, b) => placement.on(b).size - placement.on(a).size)
    const found = firstOf(sources, (from) => {
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
  for (const placed of placement.on(from)) {
    if (placed.isMoving || !placement.mayMove(placed, from, to)) continue
    const excess = placement.ofTopic(from, placed.topic) - placement.ofTopic(to, placed.topic)
    const cost = (excess > 0 ? 0 : 1e18) + Math.abs(placed.bytes - wantedBytes)
    if (cost < foundCost) [found, foundCost] = [placed, cost]
    if (++weighed >= CANDIDATES_MAX) break
  }
  return found
}

/** Exchanges large replicas of full brokers for small ones of empty ones, as long as that makes bytes more even. */
export function evenBytes(placement: Placement): boolean {
  const tolerance = BYTES_TOLERANCE * mean(placement.brokers.map((id) => placement.bytesOn(id)))
  for (let swaps = 0; swaps < SWAPS_MAX; swaps++) {
    const order = placement.brokers.toSorted((a, b) => placement.bytesOn(b) - placement.bytesOn(a))
    const pairs = order.flatMap((full, index) => order.slice(index + 1).map((empty) => ({ full, empty })))
    const uneven = pairs
      .filter(({ full, empty }) => placement.bytesOn(full) - placement.bytesOn(empty) > tolerance)
      .sort((a, b) => difference(placement, b) - difference(placement, a))
    const swap = firstOf(uneven, (pair) => bestSwap(placement, pair))
    if (swap === null) return swaps > 0
    const { full, empty, large, small } = swap
    placement.move(large, full, empty)
    placement.move(small, empty, full)
  }
  return true
}

interface Pair {
  readonly full: number
  readonly empty: number
}

function difference(placement: Placement, { full, empty }: Pair): number {
  return placement.bytesOn(full) - placement.bytesOn(empty)
}

/** The exchange that leaves the least difference; null where none makes it smaller. */
function bestSwap(placement: Placement, { full, empty }: Pair): (Pair & { large: Placed; small: Placed }) | null {
  const gap = placement.bytesOn(full) - placement.bytesOn(empty)
  const larger = largest(placement, full, empty)
  const smaller = [...placement.on(empty)]
    .filter((placed) => !placed.isMoving && placement.mayMove(placed, empty, full))
    .sort((a, b) => a.bytes - b.bytes)
    .slice(0, CANDIDATES_MAX)
  let found: (Pair & { large: Placed; small: Placed }) | null = null
  let left = gap
  for (const large of larger) {
    for (const small of smaller) {
      const after = Math.abs(gap - 2 * (large.bytes - small.bytes))
      if (after < left && large !== small) [found, left] = [{ full, empty, large, small }, after]
    }
  }
  return found
}

function largest(placement: Placement, from: number, to: number): Placed[] {
  return [...placement.on(from)]
    .filter((placed) => !placed.isMoving && placement.mayMove(placed, from, to))
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, CANDIDATES_MAX)
}

/** Puts other replicas of the `reorderable` first until no broker leads two more than one that could lead instead. */
export function evenLeaders(placement: Placement, reorderable: ReadonlySet<Placed>): void {
  const open = new Set(placement.brokers)
  while (open.size > 0) {
    const from = [...open].reduce((a, b) => (placement.led(b).size > placement.led(a).size ? b : a))
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
    }
  }
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

function firstOf<A, B>(items: Iterable<A>, find: (item: A) => B | null): B | null {
  for (const item of items) {
    const found = find(item)
    if (found !== null) return found
  }
  return null
}
