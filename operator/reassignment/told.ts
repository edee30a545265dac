import type { KafkaError } from '../../broker/client/kafka-error.ts'
import type { ExtraCondition, Health } from '../api/conditions.ts'
import type { KafkaClusterStatus } from '../api/kafkacluster.ts'
import type { StepResult } from '../cluster/step.ts'
import type { Move, Unplaceable } from './placement.ts'

export type ReassignmentStatus = NonNullable<KafkaClusterStatus['reassignment']>

/** True: every replica is where it is to be. */
export const CONDITION = 'ReplicasPlaced'
export const IDLE: ReassignmentStatus = { state: 'Idle', moves: 0, bytesLeft: 0 }
/** Of what is told in words. */
const NAMED_MAX = 3
const PLACED = 'replicas are where they are to be'

/** Brokers on their way out, and new ones that are to get their share. */
export interface Waiting {
  readonly draining: readonly number[]
  readonly filling: readonly number[]
}

/** What the status and the condition say. */
export function told(status: ReassignmentStatus, { draining, filling }: Waiting): StepResult {
  const words = status.message ?? `${status.moves} partitions are moving`
  const isPlaced = status.state === 'Idle'
  const condition: ExtraCondition = isPlaced
    ? { type: CONDITION, status: 'True', reason: 'Placed', message: PLACED }
    : { type: CONDITION, status: 'False', reason: status.state, message: words }
  const reassignment: ReassignmentStatus = {
    ...status,
    ...(draining.length === 0 ? {} : { draining: [...draining] }),
    ...(filling.length === 0 ? {} : { filling: [...filling] }),
  }
  return { status: { reassignment }, conditions: [condition] }
}

/** What is said where Kafka refuses, or does not answer: a refusal is final until somebody changes something. */
export function failed({ code, message, isRetriable }: KafkaError): Pick<StepResult, 'conditions' | 'health'> {
  const reason = isRetriable ? 'ReassignmentFailing' : 'ReassignmentRefused'
  const words = `replicas cannot be moved, it is tried again: ${message} (${code})`
  const conditions: ExtraCondition[] = [{ type: CONDITION, status: 'False', reason, message: words }]
  return isRetriable ? { conditions } : { conditions, health: { state: 'stalled', reason, message: words } }
}

/** What is in the way, in words; empty where nothing is. */
export function problemOf(unplaceable: readonly Unplaceable[]): string {
  const named = unplaceable.slice(0, NAMED_MAX).map(({ topic, partition, why }) => `${topic}-${partition}: ${why}`)
  const others = unplaceable.length - named.length
  return `${named.join('; ')}${others === 0 ? '' : `; and ${others} more partitions`}`
}

/** Why nothing of `moves` can begin, in words: see `nextBatch`. */
export function waitOf(moves: readonly Move[]): string {
  const named = moves.slice(0, NAMED_MAX).map(({ topic, partition }) => `${topic}-${partition}`)
  const others = moves.length - named.length
  const more = others === 0 ? '' : ` and ${others} more`
  return `waits until the replicas that stay are in sync of ${named.join(', ')}${more}`
}

/** A pool that cannot be emptied keeps its size, and says so. */
export function healthOf(unplaceable: readonly Unplaceable[], draining: readonly number[]): Health | null {
  if (unplaceable.length === 0) return null
  const problem = problemOf(unplaceable)
  if (unplaceable.every(({ mayPass }) => mayPass))
    return { state: 'progressing', reason: 'BrokersAway', message: problem }
  if (draining.length === 0) return { state: 'stalled', reason: 'ReplicasCannotBePlaced', message: problem }
  const message = `brokers ${draining.join(', ')} cannot go: ${problem}; to let them stay, set the replicas of their pool back`
  return { state: 'stalled', reason: 'ScaleDownRefused', message }
}
