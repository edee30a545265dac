import {
  isSameReplica,
  isVoter,
  majority,
  mayStand,
  type Moment,
  NOBODY,
  type RaftEffect,
  type RaftEvent,
  type RaftState,
  type ReplicaKey,
  type Step,
  unchanged,
} from './state.ts'
import { startLeading } from './leadership.ts'

type EventOf<T extends RaftEvent['type']> = Extract<RaftEvent, { type: T }>

/** How long a voter without a leader waits for one: one to two timeouts. */
export function electionTimeoutMs({ timeouts }: RaftState, { jitter }: Moment): number {
  return timeouts.electionMs * (1 + jitter)
}

/** How long whoever lost an election stands back; short, since the next one is likely to succeed. */
export function backoffMs({ timeouts }: RaftState, { jitter }: Moment): number {
  return (Math.min(timeouts.electionMs, timeouts.electionBackoffMaxMs) / 4) * (0.1 + 0.9 * jitter)
}

/** Followers that see the leader die do so at the same time: this keeps them from standing for election at the same time. */
export function lossDelayMs({ timeouts }: RaftState, { jitter }: Moment): number {
  return (timeouts.electionMs / 8) * jitter
}

/** In an epoch without a known leader. In a new epoch nobody has been voted for. */
export function becomeUnattached(state: RaftState, epoch: number, deadlineMs: number): Step {
  const voted = epoch === state.epoch ? state.voted : undefined
  const role = { name: 'unattached' as const, deadlineMs: mayStand(state) ? deadlineMs : Infinity }
  return { state: { ...state, epoch, leaderId: NOBODY, voted, role }, effects: lost(state) }
}

export function becomeFollower(state: RaftState, epoch: number, leaderId: number, moment: Moment): Step {
  const voted = epoch === state.epoch ? state.voted : undefined
  const deadlineMs = mayStand(state) ? moment.nowMs + state.timeouts.fetchMs : Infinity
  const role = { name: 'follower' as const, deadlineMs, hasFetched: false }
  return { state: { ...state, epoch, leaderId, voted, role }, effects: lost(state) }
}

function lost({ role, epoch }: RaftState): RaftEffect[] {
  return role.name === 'leader' ? [{ type: 'leadershipLost', epoch }] : []
}

/** Asks first whether a majority would vote for it: an election disturbs a leader that the others still have (KIP-996). */
export function becomeProspective(state: RaftState, moment: Moment): Step {
  if (!mayStand(state)) return unchanged(state)
  const role = nominee('prospective', state, moment)
  const next = { ...state, role }
  if (role.granted.size >= majority(state.voters)) return becomeCandidate(next, moment)
  return { state: next, effects: [{ type: 'requestVotes', epoch: state.epoch, isPreVote: true }] }
}

/** Each candidacy has an epoch of its own. */
function becomeCandidate(state: RaftState, moment: Moment): Step {
  const epoch = state.epoch + 1
  const role = nominee('candidate', state, moment)
  const next = { ...state, epoch, leaderId: NOBODY, voted: state.self, role }
  if (role.granted.size >= majority(state.voters)) return startLeading(next, role.granted, moment)
  return { state: next, effects: [{ type: 'requestVotes', epoch, isPreVote: false }] }
}

function nominee<N extends 'prospective' | 'candidate'>(name: N, state: RaftState, moment: Moment) {
  const deadlineMs = moment.nowMs + electionTimeoutMs(state, moment)
  return { name, granted: new Set(isVoter(state) ? [state.self.id] : []), rejected: new Set<number>(), deadlineMs }
}

/** An answer counts for the candidacy that it was asked for. */
export function countVote(state: RaftState, event: EventOf<'voteAnswered'>, moment: Moment): Step {
  const { role, voters } = state
  const expected = event.isPreVote ? 'prospective' : 'candidate'
  if ((role.name !== 'prospective' && role.name !== 'candidate') || role.name !== expected) return unchanged(state)
  if (event.epoch !== state.epoch || !voters.some(({ id }) => id === event.voterId)) return unchanged(state)
  const granted = new Set(role.granted)
  const rejected = new Set(role.rejected)
  if (event.isGranted) granted.add(event.voterId)
  else rejected.add(event.voterId)
  for (const id of granted) rejected.delete(id)
  const next = { ...state, role: { ...role, granted, rejected } }
  if (granted.size >= majority(voters)) {
    return role.name === 'prospective' ? becomeCandidate(next, moment) : startLeading(next, granted, moment)
  }
  if (voters.length - rejected.size >= majority(voters)) return unchanged(next)
  if (role.name === 'prospective') return giveUp(next, moment)
  return unchanged({ ...next, role: { ...next.role, deadlineMs: moment.nowMs + backoffMs(state, moment) } })
}

/** The others have a leader, or cannot vote for this node: back to where it was. */
export function giveUp(state: RaftState, moment: Moment): Step {
  if (state.leaderId !== NOBODY) return becomeFollower(state, state.epoch, state.leaderId, moment)
  return becomeUnattached(state, state.epoch, moment.nowMs + backoffMs(state, moment))
}

/**
 * Vote. A vote is given once an epoch, to a log that has all that this one has; a pre-vote binds nobody, but is not given against a
 * leader that this node can reach.
 */
export function answerVote(before: RaftState, event: EventOf<'voteRequested'>, moment: Moment): Step {
  const { epoch, candidate, isPreVote } = event
  const entered = epoch > before.epoch ? enterEpoch(before, epoch, moment) : unchanged(before)
  const { state, effects } = entered
  const isUpToDate = hasAllOf(event, moment.log)
  const isGranted = isPreVote
    ? isUpToDate && wouldChange(state)
    : isFreeToVote(state, candidate) && (isUpToDate || state.voted !== undefined)
  if (!isGranted) return { state: isUpToDate ? state : sooner(state, moment), effects, isGranted }
  if (isPreVote || state.voted !== undefined) return { state, effects, isGranted }
  const role = { name: 'unattached' as const, deadlineMs: deadline(state, moment) }
  return { state: { ...state, voted: candidate, role }, effects, isGranted }
}

function deadline(state: RaftState, moment: Moment): number {
  return mayStand(state) ? moment.nowMs + electionTimeoutMs(state, moment) : Infinity
}

/** A later epoch has begun elsewhere. Who waits already goes on waiting: elections of others must not put off its own for ever. */
export function enterEpoch(state: RaftState, epoch: number, moment: Moment): Step {
  const { role } = state
  return becomeUnattached(state, epoch, role.name === 'unattached' ? role.deadlineMs : deadline(state, moment))
}

function hasAllOf(
  { lastEpoch, endOffset }: { readonly lastEpoch: number; readonly endOffset: number },
  log: Moment['log'],
): boolean {
  return lastEpoch > log.lastEpoch || (lastEpoch === log.lastEpoch && endOffset >= log.endOffset)
}

function wouldChange({ role }: RaftState): boolean {
  if (role.name === 'follower') return !role.hasFetched
  return role.name !== 'leader' && role.name !== 'stopped'
}

function isFreeToVote({ role, leaderId, voted }: RaftState, candidate: ReplicaKey): boolean {
  if (role.name === 'stopped' || leaderId !== NOBODY) return false
  return voted === undefined || isSameReplica(voted, candidate)
}

/** Who knows more than a candidate, and has no leader either, had better stand for election soon. */
function sooner(state: RaftState, moment: Moment): RaftState {
  const { role } = state
  if (role.name !== 'unattached' && !(role.name === 'follower' && !role.hasFetched)) return state
  if (!mayStand(state)) return state
  return { ...state, role: { ...role, deadlineMs: Math.min(role.deadlineMs, moment.nowMs + backoffMs(state, moment)) } }
}
