import { assert } from '../lib/assert.ts'

/** Nobody: no leader, or no vote. */
export const NOBODY = -1

export type Role = 'unattached' | 'candidate' | 'leader' | 'resigned'

/** The quorum as this node sees it. Offsets are ends: the next offset behind what they cover. */
export interface RaftState {
  readonly nodeId: number
  readonly voters: readonly number[]
  readonly role: Role
  readonly epoch: number
  readonly leaderId: number
  readonly votedId: number
  /** Who voted for this candidate. */
  readonly votes: ReadonlySet<number>
  /** Where this leader's epoch begins. */
  readonly epochStartOffset: number
  /** As far as each voter's log is durable, while this node leads. */
  readonly durableOffsets: ReadonlyMap<number, number>
  /** Below it everything is committed. Never goes back. */
  readonly highWatermark: number
}

export type RaftEvent =
  /** No leader was heard of for long enough, or this is the only voter: stand for election. */
  | { readonly type: 'electionTimeout' }
  /** The quorum state of that epoch is durable: only now may a vote, the own one too, count. */
  | { readonly type: 'quorumStatePersisted'; readonly epoch: number }
  | { readonly type: 'voteGranted'; readonly epoch: number; readonly voterId: number }
  /** A voter's log is durable up to here. */
  | { readonly type: 'logDurable'; readonly voterId: number; readonly endOffset: number }
  /** The LeaderChange record of this leader's epoch is appended at `offset`. */
  | { readonly type: 'epochStarted'; readonly epoch: number; readonly offset: number }
  /** The disk failed, or the node stops: lead no more. */
  | { readonly type: 'resign' }

export type RaftEffect =
  /** Write `quorum-state`, durably, then report `quorumStatePersisted`. */
  | {
      readonly type: 'persistQuorumState'
      readonly epoch: number
      readonly leaderId: number
      readonly votedId: number
    }
  /** Append a LeaderChange record, the first of the epoch, then report `epochStarted`. */
  | { readonly type: 'appendLeaderChange'; readonly epoch: number; readonly votes: readonly number[] }
  /** Everything below is committed: deliver it. */
  | { readonly type: 'advanceHighWatermark'; readonly offset: number }
  /** The node led, and does not any more. */
  | { readonly type: 'leadershipLost'; readonly epoch: number }

export interface Step {
  readonly state: RaftState
  readonly effects: readonly RaftEffect[]
}

export function initialState(options: {
  readonly nodeId: number
  readonly voters: readonly number[]
  readonly epoch: number
}): RaftState {
  return {
    ...options,
    role: 'unattached',
    leaderId: NOBODY,
    votedId: NOBODY,
    votes: new Set(),
    epochStartOffset: -1,
    durableOffsets: new Map(),
    highWatermark: 0,
  }
}

/** What an event makes of the state, and what is to be done about it, in this order. No clock, disk or socket. KIP-595. */
export function step(state: RaftState, event: RaftEvent): Step {
  switch (event.type) {
    case 'electionTimeout':
      return campaign(state)
    case 'quorumStatePersisted':
      if (state.role !== 'candidate' || event.epoch !== state.epoch) return unchanged(state)
      return countVote(state, state.nodeId)
    case 'voteGranted':
      if (state.role !== 'candidate' || event.epoch !== state.epoch) return unchanged(state)
      return countVote(state, event.voterId)
    case 'epochStarted':
      if (state.role !== 'leader' || event.epoch !== state.epoch) return unchanged(state)
      return { state: { ...state, epochStartOffset: event.offset }, effects: [] }
    case 'logDurable':
      return advance(state, event.voterId, event.endOffset)
    default:
      return resign(state)
  }
}

function unchanged(state: RaftState): Step {
  return { state, effects: [] }
}

/** Each candidacy has an epoch of its own. */
function campaign(state: RaftState): Step {
  if (state.role === 'leader' || !state.voters.includes(state.nodeId)) return unchanged(state)
  const epoch = state.epoch + 1
  const { nodeId } = state
  return {
    state: { ...state, role: 'candidate', epoch, leaderId: NOBODY, votedId: nodeId, votes: new Set() },
    effects: [{ type: 'persistQuorumState', epoch, leaderId: NOBODY, votedId: nodeId }],
  }
}

function countVote(state: RaftState, voterId: number): Step {
  if (!state.voters.includes(voterId)) return unchanged(state)
  const votes = new Set(state.votes).add(voterId)
  const { epoch, nodeId } = state
  if (votes.size < majority(state.voters)) return unchanged({ ...state, votes })
  return {
    state: { ...state, role: 'leader', leaderId: nodeId, votedId: NOBODY, votes, durableOffsets: new Map() },
    effects: [
      { type: 'persistQuorumState', epoch, leaderId: nodeId, votedId: NOBODY },
      { type: 'appendLeaderChange', epoch, votes: [...votes] },
    ],
  }
}

function majority(voters: readonly number[]): number {
  return Math.floor(voters.length / 2) + 1
}

/**
 * What a majority has is committed, but only from the leader's own epoch on: records of earlier epochs are committed with the first of
 * this one (Raft, section 5.4.2).
 */
function advance(before: RaftState, voterId: number, endOffset: number): Step {
  if (before.role !== 'leader' || !before.voters.includes(voterId)) return unchanged(before)
  const durableOffsets = new Map(before.durableOffsets).set(voterId, endOffset)
  const state = { ...before, durableOffsets }
  const offsets = state.voters.map((id) => durableOffsets.get(id) ?? 0).toSorted((a, b) => b - a)
  const committed = offsets[majority(state.voters) - 1]
  assert(committed !== undefined, 'there is a voter')
  if (state.epochStartOffset < 0 || committed <= state.epochStartOffset) return unchanged(state)
  if (committed <= state.highWatermark) return unchanged(state)
  return {
    state: { ...state, highWatermark: committed },
    effects: [{ type: 'advanceHighWatermark', offset: committed }],
  }
}

function resign(state: RaftState): Step {
  const effects: RaftEffect[] = state.role === 'leader' ? [{ type: 'leadershipLost', epoch: state.epoch }] : []
  return {
    state: { ...state, role: 'resigned', leaderId: NOBODY, votes: new Set(), epochStartOffset: -1 },
    effects,
  }
}
