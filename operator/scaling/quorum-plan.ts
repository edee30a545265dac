import type { KafkaState, QuorumReplica } from '../kafka/state.ts'

export interface Voter {
  readonly id: number
  readonly directoryId: string
}

/** The one change of the voters that may be made now, or what it waits for; neither where the voters are as they should be. */
export interface QuorumPlan {
  readonly change: { readonly kind: 'add' | 'remove'; readonly voter: Voter; readonly reason: string } | null
  /** In words. */
  readonly waiting: string | null
}

/** A replica that has not had all of the log for this long is not counted on, in ms. */
const LAG_MS_MAX = 10_000

const DONE: QuorumPlan = { change: null, waiting: null }

/**
 * Brings the voters to the controllers that are `wanted`, one change at a time (KIP-853), each only while the voters that are up to date have a
 * majority before and after it:
 * 1. a voter whose node has another directory now (its volume was lost) is taken out, to be added anew;
 * 2. controllers that are not voters yet are added;
 * 3. voters that are not wanted are taken out once they are `released`, those that are not up to date first, the leader last.
 * Pure.
 */
export function planQuorum(
  { leaderId, voters, observers }: KafkaState['quorum'],
  wanted: ReadonlySet<number>,
  released: (id: number) => boolean,
): QuorumPlan {
  if (leaderId < 0) return { change: null, waiting: 'the controllers have no leader' }
  const upToDate = voters.filter(isUpToDate)
  const lost = voters.find((voter) => wanted.has(voter.id) && !isUpToDate(voter) && hasMoved(voter, observers))
  const surplus = voters
    .filter(({ id }) => !wanted.has(id) && released(id))
    .sort((a, b) => removalOrder(a, leaderId) - removalOrder(b, leaderId))[0]
  const missing = [...wanted].filter((id) => !voters.some((voter) => voter.id === id)).sort((a, b) => a - b)
  if (lost === undefined && surplus === undefined && missing.length === 0) return DONE
  if (upToDate.length <= voters.length / 2) {
    return { change: null, waiting: `only ${upToDate.length} of ${voters.length} voters are up to date` }
  }
  if (lost !== undefined) return removal(lost, voters, 'its volume is another one now')
  if (missing.length > 0) return addition(missing, observers)
  return surplus === undefined ? DONE : removal(surplus, voters, 'it is to go')
}

function addition(missing: readonly number[], observers: readonly QuorumReplica[]): QuorumPlan {
  const ready = observers.find((observer) => missing.includes(observer.id) && isUpToDate(observer))
  if (ready !== undefined) return { change: { kind: 'add', voter: ready, reason: 'it has caught up' }, waiting: null }
  const names = missing.join(', ')
  return {
    change: null,
    waiting: `controllers ${names} are to become voters and have not caught up with the metadata yet`,
  }
}

function removal(voter: QuorumReplica, voters: readonly QuorumReplica[], reason: string): QuorumPlan {
  const others = voters.filter((other) => other !== voter)
  const upToDate = others.filter(isUpToDate).length
  if (upToDate > others.length / 2) return { change: { kind: 'remove', voter, reason }, waiting: null }
  const message = `without voter ${voter.id} only ${upToDate} of ${others.length} voters would be up to date`
  return { change: null, waiting: message }
}

function isUpToDate({ lagMs }: QuorumReplica): boolean {
  return lagMs !== null && lagMs < LAG_MS_MAX
}

function hasMoved(voter: QuorumReplica, observers: readonly QuorumReplica[]): boolean {
  const { id, directoryId } = voter
  return observers.some((other) => other.id === id && other.directoryId !== directoryId && isUpToDate(other))
}

function removalOrder(voter: QuorumReplica, leaderId: number): number {
  if (!isUpToDate(voter)) return 0
  return voter.id === leaderId ? 2 : 1
}
