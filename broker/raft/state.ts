import { ZERO_UUID } from '../lib/uuid.ts'

/** Nobody: no leader, or no vote. */
export const NOBODY = -1

/** A replica of the log: a node's id, and the directory that it keeps the log in; ZERO_UUID where that is not known (KIP-853). */
export interface ReplicaKey {
  readonly id: number
  readonly directoryId: string
}

/** Whether `replica` is `voter`: by the id alone where the quorum does not know the voter's directory. */
export function isSameReplica(voter: ReplicaKey, replica: ReplicaKey): boolean {
  return voter.id === replica.id && (voter.directoryId === ZERO_UUID || voter.directoryId === replica.directoryId)
}

/** All in ms. */
export interface Timeouts {
  /** controller.quorum.fetch.timeout.ms: a follower that could not fetch for so long looks for another leader. */
  readonly fetchMs: number
  /** controller.quorum.election.timeout.ms */
  readonly electionMs: number
  /** controller.quorum.election.backoff.max.ms */
  readonly electionBackoffMaxMs: number
}

/** Knows no leader, or was told of none that it could follow. Times are monotonic ms; Infinity: never. */
export interface Unattached {
  readonly name: 'unattached'
  readonly deadlineMs: number
}

export interface Follower {
  readonly name: 'follower'
  readonly deadlineMs: number
  /** It could fetch from this leader, and has not lost it since: others who stand for election now are not to disturb (KIP-996). */
  readonly hasFetched: boolean
}

/** Asks whether it would be elected (KIP-996), or stands for election. */
export interface Nominee {
  readonly name: 'prospective' | 'candidate'
  readonly granted: ReadonlySet<number>
  /** Those who said no, or are not there. */
  readonly rejected: ReadonlySet<number>
  readonly deadlineMs: number
}

export interface Leading {
  readonly name: 'leader'
  /** Where this leader's epoch begins; -1 until its first record is appended. */
  readonly epochStartOffset: number
  /** As far as each voter's log is durable. */
  readonly endOffsets: ReadonlyMap<number, number>
  /** The voters that fetched since a majority was last complete. */
  readonly quorum: ReadonlySet<number>
  /** Without a majority until then, this leader is cut off, and resigns. */
  readonly quorumDeadlineMs: number
  /** The voters that fetched since BeginQuorumEpoch was last sent: they know who leads. */
  readonly informed: ReadonlySet<number>
  readonly informDeadlineMs: number
}

/** Led in this epoch, and will not again: the next one is for another. */
export interface Resigned {
  readonly name: 'resigned'
  readonly deadlineMs: number
}

/** Closed, or without a disk: does nothing, and promises nothing. */
export interface Stopped {
  readonly name: 'stopped'
}

export type Role = Unattached | Follower | Nominee | Leading | Resigned | Stopped

/** The quorum as this node sees it. Offsets are ends: the next offset behind what they cover. */
export interface RaftState {
  readonly self: ReplicaKey
  readonly timeouts: Timeouts
  /** The last in the log, committed or not: only their votes count (KIP-853). */
  readonly voters: readonly ReplicaKey[]
  /** The last that are known to be committed, and all behind them in the log: any of these may have been, and the last may never be. */
  readonly possibleVoters: readonly ReplicaKey[]
  readonly epoch: number
  /** The leader of `epoch`; this node itself also where it has resigned from it. */
  readonly leaderId: number
  /** Whom this node voted for in `epoch`. */
  readonly voted: ReplicaKey | undefined
  readonly role: Role
  /** Below it everything is committed. Never goes back. */
  readonly highWatermark: number
}

/** What a step may know beside the state. */
export interface Moment {
  /** Monotonic time. */
  readonly nowMs: number
  /** A random number in [0, 1): spreads elections. */
  readonly jitter: number
  /** This node's log: where it ends, and in which epoch. */
  readonly log: { readonly endOffset: number; readonly lastEpoch: number }
}

export type RaftEvent =
  | { readonly type: 'start' }
  /** Time has passed. */
  | { readonly type: 'tick' }
  /** Vote, of this epoch or a later one. */
  | {
      readonly type: 'voteRequested'
      readonly epoch: number
      readonly candidate: ReplicaKey
      readonly lastEpoch: number
      readonly endOffset: number
      readonly isPreVote: boolean
    }
  | {
      readonly type: 'voteAnswered'
      readonly epoch: number
      readonly voterId: number
      readonly isPreVote: boolean
      readonly isGranted: boolean
    }
  /** A node's answer says what the epoch is and who leads in it, as it knows; `isLeaderItself`: the leader says so. */
  | {
      readonly type: 'leaderHeard'
      readonly epoch: number
      readonly leaderId: number
      readonly isLeaderItself: boolean
    }
  /** EndQuorumEpoch: the leader resigns, and names those who should follow it, the best first. */
  | {
      readonly type: 'leaderEnds'
      readonly epoch: number
      readonly leaderId: number
      readonly successors: readonly ReplicaKey[]
    }
  /** Nobody listens where the leader was, or it says that it does not lead: its followers need not wait for the timeout. */
  | { readonly type: 'leaderLost'; readonly epoch: number }
  /** The leader has answered a fetch; `highWatermark` is -1 where this log is not known to be the same as the leader's. */
  | { readonly type: 'fetched'; readonly epoch: number; readonly highWatermark: number }
  /** A snapshot has taken the log's place; everything in it is committed. */
  | { readonly type: 'snapshotLoaded'; readonly endOffset: number }
  /** A replica fetches; `endOffset`: as far as its log is durable and the same as this one, undefined where that is not known. */
  | { readonly type: 'replicaFetched'; readonly replica: ReplicaKey; readonly endOffset: number | undefined }
  /** This node's log is durable up to here. */
  | { readonly type: 'logDurable'; readonly endOffset: number }
  /** The LeaderChange record of this leader's epoch is appended at `offset`. */
  | { readonly type: 'epochStarted'; readonly epoch: number; readonly offset: number }
  | {
      readonly type: 'votersChanged'
      readonly voters: readonly ReplicaKey[]
      readonly possibleVoters: readonly ReplicaKey[]
    }
  /** Hand leadership over. */
  | { readonly type: 'resign' }
  /** The disk failed, or the node stops. */
  | { readonly type: 'stop' }

export type RaftEffect =
  /** Write `quorum-state`, durably, before anything that follows. */
  | {
      readonly type: 'persistQuorumState'
      readonly epoch: number
      readonly leaderId: number
      readonly voted: ReplicaKey | undefined
    }
  /** Ask the other voters. */
  | { readonly type: 'requestVotes'; readonly epoch: number; readonly isPreVote: boolean }
  /** Append a LeaderChange record, the first of the epoch, then report `epochStarted`. */
  | { readonly type: 'appendLeaderChange'; readonly epoch: number; readonly votes: readonly number[] }
  | { readonly type: 'beginQuorumEpoch'; readonly voters: readonly ReplicaKey[] }
  | { readonly type: 'endQuorumEpoch'; readonly epoch: number; readonly successors: readonly ReplicaKey[] }
  /** Everything below is committed: deliver it. */
  | { readonly type: 'advanceHighWatermark'; readonly offset: number }
  /** The node led, and does not any more. */
  | { readonly type: 'leadershipLost'; readonly epoch: number }

export interface Step {
  readonly state: RaftState
  readonly effects: readonly RaftEffect[]
  /** For `voteRequested`. */
  readonly isGranted?: boolean
}

export interface InitialState {
  readonly self: ReplicaKey
  readonly timeouts: Timeouts
  readonly voters: readonly ReplicaKey[]
  readonly possibleVoters: readonly ReplicaKey[]
  readonly epoch: number
  readonly leaderId: number
  readonly voted: ReplicaKey | undefined
  readonly highWatermark: number
}

/** As the files have it. Whoever led when it stopped has resigned: it does not know what it promised then. */
export function initialState(initial: InitialState): RaftState {
  const { leaderId, self } = initial
  const deadlineMs = Infinity
  if (leaderId === self.id) return { ...initial, role: { name: 'resigned', deadlineMs } }
  if (leaderId === NOBODY) return { ...initial, role: { name: 'unattached', deadlineMs } }
  return { ...initial, role: { name: 'follower', deadlineMs, hasFetched: false } }
}

export function isVoter({ voters, self }: Pick<RaftState, 'voters' | 'self'>): boolean {
  return voters.some((voter) => isSameReplica(voter, self))
}

/**
 * Whether this node stands for election. Who is no voter any more still does until that is known to be committed: it may be the only one
 * that has the record of it, and then nobody else would be voted for (Raft, dissertation, section 4.2.2).
 */
export function mayStand(state: RaftState): boolean {
  return isVoter(state) || isVoter({ self: state.self, voters: state.possibleVoters })
}

export function majority(voters: readonly ReplicaKey[]): number {
  return Math.floor(voters.length / 2) + 1
}

export function leaderRole({ role }: RaftState): Leading | undefined {
  return role.name === 'leader' ? role : undefined
}

/** Who leads, as far as this node knows: NOBODY also where it has just resigned itself. */
export function leaderOf({ role, leaderId }: RaftState): number {
  return role.name === 'resigned' || role.name === 'stopped' ? NOBODY : leaderId
}

/** Whether the leader has committed a record of its own epoch: only then does it know the high watermark. */
export function hasCommittedEpoch({ role, highWatermark }: RaftState): boolean {
  return role.name === 'leader' && role.epochStartOffset >= 0 && highWatermark > role.epochStartOffset
}

/** When `tick` has something to do; Infinity: never. */
export function nextDeadline({ role }: RaftState): number {
  if (role.name === 'leader') return Math.min(role.quorumDeadlineMs, role.informDeadlineMs)
  return role.name === 'stopped' ? Infinity : role.deadlineMs
}

export function unchanged(state: RaftState): Step {
  return { state, effects: [] }
}
