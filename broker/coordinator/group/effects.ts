import type { ErrorCode } from '../../protocol/errors.ts'

/** Names a request that waits for its answer; the driver knows which. */
export type ReplyId = number

/** `join`: the end of the join phase; `sync`: the end of the sync phase; `member:<id>`: the session of a member. */
export type TimerKey = 'join' | 'sync' | `member:${string}`

export interface MemberProtocol {
  readonly name: string
  readonly metadata: Uint8Array
}

export interface MemberIdentity {
  readonly memberId: string
  readonly groupInstanceId: string | null
}

export interface JoinEvent extends MemberIdentity {
  readonly kind: 'join'
  readonly reply: ReplyId
  /** The id that the member gets when it has none. */
  readonly newMemberId: string
  readonly clientId: string
  readonly clientHost: string
  readonly protocolType: string
  readonly protocols: readonly MemberProtocol[]
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  /** A new dynamic member is sent away once to come back with its id (KIP-394, v4+). */
  readonly needsKnownMemberId: boolean
  /** The leader understands `skipAssignment` (KIP-814, v9+). */
  readonly canSkipAssignment: boolean
}

export interface SyncEvent extends MemberIdentity {
  readonly kind: 'sync'
  readonly reply: ReplyId
  readonly generationId: number
  /** Null where the version has no such field, and then not checked; so is the name. */
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Uint8Array }[]
}

export interface HeartbeatEvent extends MemberIdentity {
  readonly kind: 'heartbeat'
  readonly reply: ReplyId
  readonly generationId: number
}

export interface LeaveEvent {
  readonly kind: 'leave'
  readonly reply: ReplyId
  readonly members: readonly MemberIdentity[]
}

/** What happens to a group. `appended` is the outcome of an `append` effect, and comes once for each, in their order. */
export type GroupEvent =
  | JoinEvent
  | SyncEvent
  | HeartbeatEvent
  | LeaveEvent
  /** A sign of life other than a heartbeat: an offset commit. */
  | { readonly kind: 'alive'; readonly memberId: string }
  | { readonly kind: 'timer'; readonly timer: TimerKey }
  | { readonly kind: 'appended'; readonly write: GroupWrite; readonly error: ErrorCode }
  | { readonly kind: 'loaded' }
  | { readonly kind: 'unload' }

export interface JoinAnswer {
  readonly errorCode: ErrorCode
  readonly memberId: string
  readonly generationId: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leader: string
  readonly skipAssignment: boolean
  /** Everybody, for the leader; nobody, for the others. */
  readonly members: readonly (MemberIdentity & { readonly metadata: Uint8Array })[]
}

export interface SyncAnswer {
  readonly errorCode: ErrorCode
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignment: Uint8Array
}

export interface LeaveAnswer {
  readonly errorCode: ErrorCode
  readonly members: readonly (MemberIdentity & { readonly errorCode: ErrorCode })[]
}

/** What is written of a group: GroupMetadataValue. */
export interface GroupMetadata {
  readonly protocolType: string
  readonly generation: number
  readonly protocol: string | null
  readonly leader: string | null
  readonly currentStateTimestamp: bigint
  readonly members: readonly MemberMetadata[]
}

export interface MemberMetadata extends MemberIdentity {
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeout: number
  readonly sessionTimeout: number
  readonly subscription: Uint8Array
  readonly assignment: Uint8Array
}

/** What a static member looked like before its successor took its place. */
export interface ReplacedMember {
  readonly memberId: string
  readonly protocols: readonly MemberProtocol[]
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
}

/** Why something is appended: what is to be done when that is over. */
export type GroupWrite =
  | { readonly purpose: 'create' }
  | {
      readonly purpose: 'empty'
      readonly leave: { readonly reply: ReplyId; readonly answer: LeaveAnswer } | null
    }
  | {
      readonly purpose: 'assignment'
      readonly generationId: number
      readonly assignments: ReadonlyMap<string, Uint8Array>
    }
  | {
      readonly purpose: 'static-member'
      readonly reply: ReplyId
      readonly memberId: string
      readonly replaced: ReplacedMember
      readonly leaderBefore: string
      readonly canSkipAssignment: boolean
    }

/** What the driver has to do, in this order. Scheduling a timer replaces the one with the same key. */
export type Effect =
  | { readonly kind: 'answer-join'; readonly reply: ReplyId; readonly answer: JoinAnswer }
  | { readonly kind: 'answer-sync'; readonly reply: ReplyId; readonly answer: SyncAnswer }
  | { readonly kind: 'answer-heartbeat'; readonly reply: ReplyId; readonly errorCode: ErrorCode }
  | { readonly kind: 'answer-leave'; readonly reply: ReplyId; readonly answer: LeaveAnswer }
  | { readonly kind: 'schedule'; readonly timer: TimerKey; readonly delayMs: number }
  | { readonly kind: 'cancel'; readonly timer: TimerKey }
  | { readonly kind: 'append'; readonly value: GroupMetadata; readonly write: GroupWrite }

export const NO_ASSIGNMENT: Uint8Array = new Uint8Array(0)

export function joinError(errorCode: ErrorCode, memberId: string): JoinAnswer {
  return {
    errorCode,
    memberId,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leader: '',
    skipAssignment: false,
    members: [],
  }
}

export function syncError(errorCode: ErrorCode): SyncAnswer {
  return { errorCode, protocolType: null, protocolName: null, assignment: NO_ASSIGNMENT }
}
