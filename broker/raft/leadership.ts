import { assert } from '../lib/assert.ts'
import {
  isSameReplica,
  type Leading,
  leaderRole,
  majority,
  type Moment,
  type RaftEvent,
  type RaftState,
  type ReplicaKey,
  type Step,
  unchanged,
} from './state.ts'

type EventOf<T extends RaftEvent['type']> = Extract<RaftEvent, { type: T }>

/** How often the voters are looked over, in terms of the fetch timeout: one that still fetches has done so by then. */
const INFORM_RATIO = 0.5
const CHECK_QUORUM_RATIO = 1.5

export function startLeading(state: RaftState, votes: ReadonlySet<number>, { nowMs }: Moment): Step {
  const { epoch, self, timeouts } = state
  const role: Leading = {
    name: 'leader',
    epochStartOffset: -1,
    endOffsets: new Map(),
    quorum: new Set(),
    quorumDeadlineMs: nowMs + timeouts.fetchMs * CHECK_QUORUM_RATIO,
    informed: new Set(),
    informDeadlineMs: nowMs + timeouts.fetchMs * INFORM_RATIO,
  }
  const voters = others(state)
  return {
    state: { ...state, leaderId: self.id, voted: undefined, role },
    effects: [
      { type: 'appendLeaderChange', epoch, votes: [...votes] },
      ...(voters.length > 0 ? [{ type: 'beginQuorumEpoch' as const, voters }] : []),
    ],
  }
}

function others({ voters, self }: RaftState): ReplicaKey[] {
  return voters.filter(({ id }) => id !== self.id)
}

/** Time has passed for a leader: it looks whether a majority still fetches, and tells those who do not that it leads. */
export function lead(state: RaftState, role: Leading, moment: Moment): Step {
  const { nowMs } = moment
  const { fetchMs } = state.timeouts
  if (nowMs >= role.quorumDeadlineMs) {
    if (!isAlone(state)) return resign(state, moment)
    return lead(state, { ...role, quorumDeadlineMs: nowMs + fetchMs * CHECK_QUORUM_RATIO }, moment)
  }
  if (nowMs < role.informDeadlineMs) return unchanged({ ...state, role })
  const voters = others(state).filter(({ id }) => !role.informed.has(id))
  return {
    state: { ...state, role: { ...role, informed: new Set(), informDeadlineMs: nowMs + fetchMs * INFORM_RATIO } },
    effects: voters.length > 0 ? [{ type: 'beginQuorumEpoch', voters }] : [],
  }
}

function isAlone({ voters, self }: RaftState): boolean {
  return voters.every((voter) => isSameReplica(voter, self))
}

/** Leads no more. Who has most of the log should follow: it need not be asked twice. */
export function resign(state: RaftState, { nowMs, jitter }: Moment): Step {
  const role = leaderRole(state)
  if (role === undefined) return unchanged(state)
  const { epoch } = state
  const end = ({ id }: ReplicaKey) => role.endOffsets.get(id) ?? -1
  const successors = others(state).toSorted((a, b) => end(b) - end(a) || a.id - b.id)
  const deadlineMs = nowMs + state.timeouts.electionMs * (1 + jitter)
  return {
    state: { ...state, role: { name: 'resigned', deadlineMs } },
    effects: [
      { type: 'leadershipLost', epoch },
      { type: 'endQuorumEpoch', epoch, successors },
    ],
  }
}

export function replicaFetched(state: RaftState, event: EventOf<'replicaFetched'>, { nowMs }: Moment): Step {
  const role = leaderRole(state)
  const { replica, endOffset } = event
  if (role === undefined || !state.voters.some((voter) => isSameReplica(voter, replica))) return unchanged(state)
  const quorum = new Set(role.quorum).add(replica.id)
  const own = state.voters.some((voter) => isSameReplica(voter, state.self)) ? 1 : 0
  const isComplete = quorum.size + own >= majority(state.voters)
  const next: Leading = {
    ...role,
    quorum: isComplete ? new Set() : quorum,
    quorumDeadlineMs: isComplete ? nowMs + state.timeouts.fetchMs * CHECK_QUORUM_RATIO : role.quorumDeadlineMs,
    informed: new Set(role.informed).add(replica.id),
    endOffsets: endOffset === undefined ? role.endOffsets : new Map(role.endOffsets).set(replica.id, endOffset),
  }
  return advance(state, next)
}

export function logDurable(state: RaftState, { endOffset }: EventOf<'logDurable'>): Step {
  const role = leaderRole(state)
  if (role === undefined) return unchanged(state)
  return advance(state, { ...role, endOffsets: new Map(role.endOffsets).set(state.self.id, endOffset) })
}

/**
 * What a majority has is committed, but only from the leader's own epoch on: records of earlier epochs are committed with the first of
 * this one (Raft, section 5.4.2).
 */
export function advance(before: RaftState, role: Leading): Step {
  const state = { ...before, role }
  if (state.voters.length === 0) return unchanged(state)
  const offsets = state.voters.map(({ id }) => role.endOffsets.get(id) ?? 0).toSorted((a, b) => b - a)
  const committed = offsets[majority(state.voters) - 1]
  assert(committed !== undefined, 'there is a voter')
  if (role.epochStartOffset < 0 || committed <= role.epochStartOffset) return unchanged(state)
  if (committed <= state.highWatermark) return unchanged(state)
  return {
    state: { ...state, highWatermark: committed },
    effects: [{ type: 'advanceHighWatermark', offset: committed }],
  }
}
