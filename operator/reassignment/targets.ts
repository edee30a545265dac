import type { KafkaState, PartitionState } from '../kafka/state.ts'
import { replicaKey } from './admin.ts'
import type { BrokerDisks } from './admin.ts'
import type { Move, PlacementBroker, PlacementPartition, Scope } from './placement.ts'
import { planPlacement } from './planner.ts'
import type { PlacementPlan } from './planner.ts'
import type { Planning } from './planning.ts'

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
export function* planTargets(input: TargetInput): Planning<PlacementPlan> {
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
  return yield* planPlacement(brokers, partitions, input.scope)
}

/** Where a plan that was made before wants a partition's replicas, the preferred leader first. */
export interface Planned {
  readonly topic: string
  readonly partition: number
  readonly replicas: readonly number[]
}

/** The partitions of a plan that are not, and will not be by what is under way, as it wants them. Pure. */
export function notYet(
  plan: readonly Planned[],
  { partitions }: KafkaState,
): (Planned & { readonly now: PartitionState })[] {
  const byKey = new Map(partitions.map((one) => [replicaKey(one.topic, one.partition), one]))
  return plan.flatMap((planned) => {
    const now = byKey.get(replicaKey(planned.topic, planned.partition))
    return now === undefined || targetOf(now).join() === planned.replicas.join() ? [] : [{ ...planned, now }]
  })
}

/** Whether a plan can still be carried out for a partition: not on brokers that are to go, or are gone, or with another replication factor. */
export function isPossible(
  { replicas, now }: Planned & { readonly now: PartitionState },
  { brokers }: KafkaState,
  leaving: ReadonlySet<number>,
): boolean {
  return replicas.length === targetOf(now).length && replicas.every((id) => brokers.has(id) && !leaving.has(id))
}

/** The moves that are left of a plan, but for partitions that `others` move. Pure. */
export function remaining(
  plan: readonly Planned[],
  kafka: KafkaState,
  disks: ReadonlyMap<number, BrokerDisks>,
  others: readonly Move[],
  leaving: ReadonlySet<number>,
): Move[] {
  if (plan.length === 0) return []
  const taken = new Set(others.map(({ topic, partition }) => replicaKey(topic, partition)))
  const sizes = partitionSizes(disks)
  return notYet(plan, kafka)
    .filter((planned) => isPossible(planned, kafka, leaving))
    .filter(({ topic, partition }) => !taken.has(replicaKey(topic, partition)))
    .map(({ topic, partition, replicas, now }) => {
      const bytes = sizes.get(replicaKey(topic, partition)) ?? 0
      return { topic, partition, from: targetOf(now), to: replicas, bytes }
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
