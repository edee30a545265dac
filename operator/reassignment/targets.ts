import type { KafkaState, PartitionState } from '../kafka/state.ts'
import { replicaKey } from './admin.ts'
import type { BrokerDisks } from './admin.ts'
import type { Move, PlacementBroker, PlacementPartition, Scope } from './placement.ts'
import { planPlacement } from './planner.ts'
import type { PlacementPlan } from './planner.ts'

export interface TargetInput {
  readonly kafka: KafkaState
  readonly disks: ReadonlyMap<number, BrokerDisks>
  /** Brokers that are to run, also those that are away now. */
  readonly staying: ReadonlySet<number>
  /** Brokers that are to be emptied. */
  readonly leaving: ReadonlySet<number>
  /** Replication factors that are wanted, by topic; the others keep what they have. */
  readonly factors: ReadonlyMap<string, number>
  readonly scope: Scope
}

/** Where the replicas of a cluster are to be. Pure. */
export function planTargets(input: TargetInput): PlacementPlan {
  const sizes = partitionSizes(input.disks)
  const brokers = placementBrokers(input)
  const there = brokers.filter(({ isAway }) => !isAway).length
  const partitions = input.kafka.partitions.map((partition): PlacementPartition => {
    const { topic, partition: index } = partition
    const replicas = targetOf(partition)
    const factor = input.factors.get(topic) ?? replicas.length
    return {
      topic,
      partition: index,
      replicas,
      bytes: sizes.get(replicaKey(topic, index)) ?? 0,
      // More than there are brokers waits for them, or is refused where it is asked for; it is no reason to refuse anything else.
      replicationFactor: factor > replicas.length && factor > there ? replicas.length : factor,
      isMoving: isMoving(partition),
    }
  })
  return planPlacement(brokers, partitions, input.scope)
}

/**
 * What is left of the moves of a plan that was made before: not what is done, what `others` move, or what would go to a broker that is to go
 * or is gone. Pure.
 */
export function remaining(
  moves: readonly Move[],
  { brokers, partitions }: KafkaState,
  others: readonly Move[],
  leaving: ReadonlySet<number>,
): Move[] {
  const taken = new Set(others.map(({ topic, partition }) => replicaKey(topic, partition)))
  const now = new Map(partitions.map((one) => [replicaKey(one.topic, one.partition), targetOf(one)]))
  return moves.filter(({ topic, partition, to }) => {
    const key = replicaKey(topic, partition)
    const target = now.get(key)
    if (target === undefined || taken.has(key) || target.join() === to.join()) return false
    return to.every((id) => brokers.has(id) && !leaving.has(id))
  })
}

/** The replicas that a partition will have when the reassignment under way is done. */
export function targetOf({ replicas, removing }: PartitionState): number[] {
  return replicas.filter((id) => !removing.includes(id))
}

export function isMoving({ adding, removing }: PartitionState): boolean {
  return adding.length > 0 || removing.length > 0
}

/** By `replicaKey`: the largest replica, since the others may still be on their way. */
export function partitionSizes(disks: ReadonlyMap<number, BrokerDisks>): Map<string, number> {
  const sizes = new Map<string, number>()
  for (const { replicas } of disks.values()) {
    for (const [key, bytes] of replicas) sizes.set(key, Math.max(bytes, sizes.get(key) ?? 0))
  }
  return sizes
}

/** Those that stay, and those that are there and not ours to send away. */
function placementBrokers({ kafka, disks, staying, leaving }: TargetInput): PlacementBroker[] {
  const ids = new Set([...staying, ...kafka.brokers.keys()])
  return [...ids]
    .filter((id) => !leaving.has(id))
    .sort((a, b) => a - b)
    .map((id) => {
      const there = kafka.brokers.get(id)
      const roomBytes = disks.get(id)?.roomBytes ?? null
      return { id, rack: there?.rack ?? null, roomBytes, isAway: there === undefined }
    })
}
