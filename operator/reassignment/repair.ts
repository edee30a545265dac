import type { Placed, Placement, Unplaceable } from './placement.ts'
import type { Planning } from './planning.ts'

/**
 * Gives every partition as many replicas as it is to have, all of them on brokers that stay. A replica that has to go is replaced in its
 * place, so that leaders stay leaders. What cannot be placed stays as it is, and is told.
 */
export function* repair(placement: Placement): Planning<Unplaceable[]> {
  // The largest first: what is small finds its place later too.
  const bySize = placement.partitions.toSorted((a, b) => b.bytes - a.bytes)
  const unplaceable: Unplaceable[] = []
  for (const placed of bySize) {
    yield
    const problem = repairOne(placement, placed)
    if (problem !== null) unplaceable.push(problem)
  }
  return unplaceable
}

function repairOne(placement: Placement, placed: Placed): Unplaceable | null {
  const before = placed.replicas
  dropSurplus(placement, placed)
  for (const gone of placed.replicas.filter((id) => !placement.has(id))) {
    const next = best(placement, placed)
    if (next === null) return giveUp(placement, placed, before)
    placement.move(placed, gone, next)
  }
  while (placed.replicas.length < placed.replicationFactor) {
    const next = best(placement, placed)
    if (next === null) return giveUp(placement, placed, before)
    placement.set(placed, [...placed.replicas, next])
  }
  return null
}

/** Those on brokers that go first; then of the fullest rack, on the fullest broker. The preferred leader stays where it can. */
function dropSurplus(placement: Placement, placed: Placed): void {
  while (placed.replicas.length > placed.replicationFactor) {
    const surplus = placed.replicas
      .map((id, index) => ({ id, index }))
      .sort((a, b) => compare(dropOrder(placement, placed, a), dropOrder(placement, placed, b)))[0]
    placement.set(
      placed,
      placed.replicas.filter((id) => id !== surplus?.id),
    )
  }
}

function dropOrder(placement: Placement, placed: Placed, { id, index }: { id: number; index: number }): number[] {
  if (!placement.has(id)) return [0, index]
  const isLeader = index === 0 ? 1 : 0
  return [1, isLeader, -placement.inRackOf(placed, id), -placement.on(id).size, -index]
}

/** The broker for one more replica: of the emptiest rack, with the fewest replicas of the topic, with the least load. Null: none can take it. */
function best(placement: Placement, placed: Placed): number | null {
  const order = (id: number): number[] => [
    placement.inRackOf(placed, id),
    placement.topicsOn(id).get(placed.topic) ?? 0,
    placement.on(id).size,
    placement.bytesOn(id),
    id,
  ]
  let found: { readonly id: number; readonly order: readonly number[] } | null = null
  for (const id of placement.brokers) {
    if (placed.replicas.includes(id) || !placement.fits(placed, id)) continue
    const candidate = { id, order: order(id) }
    if (found === null || compare(candidate.order, found.order) < 0) found = candidate
  }
  return found === null ? null : found.id
}

function giveUp(placement: Placement, placed: Placed, before: readonly number[]): Unplaceable {
  placement.set(placed, before)
  const { topic, partition, replicationFactor, bytes } = placed
  const others = placement.brokers.length
  const away = placement.away.filter((id) => !before.includes(id))
  if (replicationFactor > others) {
    const why = `its ${replicationFactor} replicas need as many brokers, and there would be ${others}`
    return { topic, partition, why, mayPass: false }
  }
  if (away.length > 0) return { topic, partition, why: `brokers ${away.join(', ')} are away`, mayPass: true }
  return { topic, partition, why: `no other broker has room for its ${bytes} bytes`, mayPass: false }
}

function compare(a: readonly number[], b: readonly number[]): number {
  const index = a.findIndex((value, at) => value !== b[at])
  return index < 0 ? 0 : (a[index] ?? 0) - (b[index] ?? 0)
}
