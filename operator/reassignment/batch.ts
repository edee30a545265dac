import type { KafkaState, PartitionState } from '../kafka/state.ts'
import { replicaKey } from './admin.ts'
import type { BrokerDisks } from './admin.ts'
import type { Move } from './placement.ts'
import { isMoving, partitionSizes } from './targets.ts'

/**
 * Of what a broker holds in sync, so much is copied to it or from it at a time, and of all partitions so many change without a copy, but one
 * of either. Each gets another leader as a rule, for which its clients wait: not all of them at once. A broker that has just started holds
 * nothing, and is slow until its code is compiled and its caches are filled.
 */
const SHARE = 0.1
/** Partitions that are copied to one broker, or from one leader, at a time. */
const COPIES_MAX = 20
/** Changes of one request that copy nothing: another order of replicas, fewer of them. */
const CHANGES_MAX = 1000

/**
 * The moves that may be started now. Copies are bounded for each broker, with those under way counted. A partition that is not well is left
 * alone: what is missing is waited for, unless it is just what the move gives up. Pure.
 */
export function nextBatch(moves: readonly Move[], { brokers, partitions }: KafkaState): Move[] {
  const byKey = new Map(partitions.map((one) => [replicaKey(one.topic, one.partition), one]))
  const copies = copiesUnderWay(partitions)
  const held = replicasHeld(partitions)
  const room = (id: number): number => shareOf(held.get(id) ?? 0, COPIES_MAX)
  const batch: Move[] = []
  let changes = shareOf(partitions.length, CHANGES_MAX)
  for (const move of moves) {
    const partition = byKey.get(replicaKey(move.topic, move.partition))
    if (partition === undefined || !isReady(partition, move, brokers)) continue
    const added = move.to.filter((id) => !partition.replicas.includes(id))
    if (added.length === 0) {
      if (changes-- > 0) batch.push(move)
      continue
    }
    const busy = [...added, partition.leader ?? -1]
    if (busy.some((id) => (copies.get(id) ?? 0) >= room(id))) continue
    for (const id of busy) copies.set(id, (copies.get(id) ?? 0) + 1)
    batch.push(move)
  }
  return batch
}

function shareOf(count: number, most: number): number {
  return Math.min(Math.max(1, Math.ceil(count * SHARE)), most)
}

function isReady(partition: PartitionState, { to }: Move, brokers: KafkaState['brokers']): boolean {
  const { leader, replicas, isr, adding } = partition
  if (leader === null) return false
  const kept = replicas.filter((id) => to.includes(id) && !adding.includes(id))
  return kept.every((id) => isr.includes(id)) && to.every((id) => brokers.has(id))
}

function copiesUnderWay(partitions: readonly PartitionState[]): Map<number, number> {
  const copies = new Map<number, number>()
  for (const { adding, leader } of partitions) {
    if (adding.length === 0) continue
    for (const id of [...adding, leader ?? -1]) copies.set(id, (copies.get(id) ?? 0) + 1)
  }
  return copies
}

/** In sync and there to stay, by broker. */
function replicasHeld(partitions: readonly PartitionState[]): Map<number, number> {
  const held = new Map<number, number>()
  for (const { isr, adding } of partitions) {
    for (const id of isr) if (!adding.includes(id)) held.set(id, (held.get(id) ?? 0) + 1)
  }
  return held
}

export interface Progress {
  /** Partitions that are being reassigned, and those that are still to be. */
  readonly moves: number
  /** What is still to be copied. */
  readonly bytesLeft: number
}

/** How much is left of the moves under way and of `moves`. Pure. */
export function progressOf(
  moves: readonly Move[],
  { partitions }: KafkaState,
  disks: ReadonlyMap<number, BrokerDisks>,
): Progress {
  const sizes = partitionSizes(disks)
  const planned = new Set(moves.map(({ topic, partition }) => replicaKey(topic, partition)))
  const underWay = partitions.filter(isMoving)
  const copying = underWay.flatMap(({ topic, partition, adding }) => {
    const key = replicaKey(topic, partition)
    return adding.map((id) => (sizes.get(key) ?? 0) - (disks.get(id)?.replicas.get(key) ?? 0))
  })
  const waiting = moves.map(({ from, to, bytes }) => bytes * to.filter((id) => !from.includes(id)).length)
  return {
    moves: moves.length + underWay.filter((one) => !planned.has(replicaKey(one.topic, one.partition))).length,
    bytesLeft: [...copying, ...waiting].reduce((sum, bytes) => sum + Math.max(0, bytes), 0),
  }
}

/**
 * Reassignments under way that nobody wants any more: they put replicas on brokers that are to go, or take them from brokers that were to go
 * and stay now (`returned`). And those that never end, since they are to add what they are to remove: Apache Kafka leaves it so where one took
 * the place of another. Those that cannot be taken back now go on. Pure.
 */
export function unwanted(
  { partitions }: KafkaState,
  leaving: ReadonlySet<number>,
  returned: ReadonlySet<number>,
): PartitionState[] {
  return partitions.filter((partition) => {
    const { adding, removing } = partition
    const isUnwanted =
      adding.some((id) => leaving.has(id) || removing.includes(id)) || removing.some((id) => returned.has(id))
    return isUnwanted && isReversible(partition)
  })
}

/**
 * Whether what is under way can be taken back without harm. What it adds is lost by that, and has to be spared: one original replica must be there that has
 * all records, or Kafka refuses, or loses some where unclean elections are allowed; and not fewer than min.insync.replicas, or producers
 * would have to wait, unless there are no more anyway.
 */
export function isReversible({ replicas, adding, isr, minIsr }: PartitionState): boolean {
  const isOriginal = (id: number): boolean => !adding.includes(id)
  const left = isr.filter(isOriginal).length
  return left > 0 && left >= Math.min(minIsr, isr.length, replicas.filter(isOriginal).length)
}

/**
 * Of `moves`, those of partitions that must be given back first what is under way, since it adds what the move does not want: Apache Kafka
 * would never end the two as one. What cannot be taken back now is replaced. Pure.
 */
export function overtaken(moves: readonly Move[], { partitions }: KafkaState): Set<Move> {
  const byKey = new Map(partitions.filter(isMoving).map((one) => [replicaKey(one.topic, one.partition), one]))
  return new Set(
    moves.filter(({ topic, partition, to }) => {
      const moving = byKey.get(replicaKey(topic, partition))
      return moving !== undefined && moving.adding.some((id) => !to.includes(id)) && isReversible(moving)
    }),
  )
}
