import { evenBytes, evenLeaders, evenReplicas, spreadRacks } from './balance.ts'
import { Placement } from './placement.ts'
import type { Move, PlacementBroker, PlacementPartition, Scope, Unplaceable } from './placement.ts'
import type { Planning } from './planning.ts'
import { repair } from './repair.ts'

export interface PlacementPlan {
  readonly moves: readonly Move[]
  /** They stay where they are. */
  readonly unplaceable: readonly Unplaceable[]
  readonly before: Balance
  readonly after: Balance
}

/** How even the brokers are: by how much the fullest is above the mean, in percent; 0 is even. */
export interface Balance {
  readonly replicas: number
  readonly leaders: number
  readonly bytes: number
}

/** More rounds find little. */
const ROUNDS_MAX = 5

/**
 * Where every partition is to be. Pure, and the same for the same input; planned again for its own result it moves nothing. Replicas of a
 * partition are spread over racks as evenly as those allow.
 */
export function* planPlacement(
  brokers: readonly PlacementBroker[],
  partitions: readonly PlacementPartition[],
  scope: Scope,
): Planning<PlacementPlan> {
  return yield* planFrom(new Placement(brokers, partitions), scope)
}

/** The same from what is placed where, which is changed. */
export function* planFrom(placement: Placement, scope: Scope): Planning<PlacementPlan> {
  const before = balanceOf(placement)
  const unplaceable = yield* repair(placement)
  if (scope.mode === 'full') yield* balance(placement, new Set(placement.brokers))
  if (scope.mode === 'add') yield* evenReplicas(placement, scope.onto)
  const reorderable = scope.mode === 'full' ? placement.partitions : placement.changed()
  yield* evenLeaders(placement, new Set(reorderable.filter(({ isMoving }) => !isMoving)))
  return { moves: placement.moves(), unplaceable, before, after: balanceOf(placement) }
}

function* balance(placement: Placement, all: ReadonlySet<number>): Planning<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const racks = yield* spreadRacks(placement)
    const replicas = yield* evenReplicas(placement, all)
    const bytes = yield* evenBytes(placement)
    if (!racks && !replicas && !bytes) return
  }
}

function balanceOf(placement: Placement): Balance {
  const percentAbove = (of: (id: number) => number): number => {
    const values = placement.brokers.map(of)
    const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
    return mean === 0 ? 0 : Math.round((Math.max(...values) / mean - 1) * 100)
  }
  return {
    replicas: percentAbove((id) => placement.on(id).size),
    leaders: percentAbove((id) => placement.led(id).size),
    bytes: percentAbove((id) => placement.bytesOn(id)),
  }
}
