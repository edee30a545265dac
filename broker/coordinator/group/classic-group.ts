import { assert } from '../../lib/assert.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import {
  type GroupMetadata,
  type MemberIdentity,
  type MemberProtocol,
  NO_ASSIGNMENT,
  type ReplacedMember,
  type ReplyId,
} from './effects.ts'
import { subscribedTopicsOf } from './subscription.ts'

export const CONSUMER_PROTOCOL_TYPE = 'consumer'

export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

/** From which states a group may come into each. */
const PREVIOUS: Readonly<Record<GroupState, readonly GroupState[]>> = {
  Empty: ['PreparingRebalance'],
  PreparingRebalance: ['Stable', 'CompletingRebalance', 'Empty'],
  CompletingRebalance: ['PreparingRebalance'],
  Stable: ['CompletingRebalance'],
  Dead: ['Empty', 'PreparingRebalance', 'CompletingRebalance', 'Stable', 'Dead'],
}

export interface GroupRules {
  /** group.initial.rebalance.delay.ms */
  readonly initialRebalanceDelayMs: number
  /** group.max.size */
  readonly maxSize: number
  /** How long a member that never had a generation may wait for its first; 5 minutes in Kafka. */
  readonly newMemberJoinTimeoutMs: number
}

export interface Member extends MemberIdentity {
  readonly clientId: string
  readonly clientHost: string
  readonly protocols: readonly MemberProtocol[]
  readonly rebalanceTimeoutMs: number
  readonly sessionTimeoutMs: number
  assignment: Uint8Array
  /** Has not been in a generation yet: its session runs even while it waits for the join phase to end. */
  isNew: boolean
  readonly joinReply: ReplyId | null
  syncReply: ReplyId | null
}

/** A member whose fields the group may change; outside it they are read-only, because the group counts them. */
type Mutable = { -readonly [K in keyof Member]: Member[K] }

/**
 * The members of one classic group and what follows from them: leader, supported protocols, subscribed topics. It knows nothing of
 * requests and timers: `group-state.ts` does.
 */
export class ClassicGroup {
  readonly type = 'classic'
  readonly groupId: string
  readonly rules: GroupRules
  generationId = 0
  protocolType: string | null = null
  protocolName: string | null = null
  leaderId: string | null = null
  /** Ids given out to dynamic members that have not come back with them yet. */
  readonly pendingJoins = new Set<string>()
  /** Members of the current generation that have not asked for their assignment yet. */
  readonly pendingSyncs = new Set<string>()
  /** Somebody joined since the initial rebalance delay last began. */
  hasNewMember = false
  /** Set during the join phase of a group that was empty: how long the current wait is and how much may follow. */
  initialDelay: { readonly delayMs: number; readonly remainingMs: number } | null = null
  /** Topics that the members of the current generation subscribe to; null where that is not known. */
  subscribedTopics: ReadonlySet<string> | null = null
  #state: GroupState
  #previousState: GroupState = 'Dead'
  #stateTimestampMs: number
  readonly #members = new Map<string, Mutable>()
  readonly #staticMembers = new Map<string, string>()
  readonly #supporters = new Map<string, number>()
  #awaitingJoin = 0

  /** An empty group. */
  constructor(options: { readonly groupId: string; readonly rules: GroupRules; readonly nowMs: number }) {
    this.groupId = options.groupId
    this.rules = options.rules
    this.#state = 'Empty'
    this.#stateTimestampMs = options.nowMs
  }

  /** The group as it was written: Stable, or Empty without members. */
  static fromMetadata(
    options: { readonly groupId: string; readonly rules: GroupRules },
    value: GroupMetadata,
  ): ClassicGroup {
    const group = new ClassicGroup({ ...options, nowMs: Number(value.currentStateTimestamp) })
    group.generationId = value.generation
    group.protocolType = value.protocolType === '' ? null : value.protocolType
    group.protocolName = value.protocol
    group.leaderId = value.leader
    for (const member of value.members) {
      const { sessionTimeout, rebalanceTimeout, subscription } = member
      group.add(value.protocolType, {
        ...newMember(member),
        protocols: [{ name: value.protocol ?? '', metadata: subscription }],
        sessionTimeoutMs: sessionTimeout,
        rebalanceTimeoutMs: rebalanceTimeout === -1 ? sessionTimeout : rebalanceTimeout,
        assignment: member.assignment,
      })
    }
    if (!group.#members.has(value.leader ?? '')) group.leaderId = group.#members.keys().next().value ?? null
    if (value.members.length > 0) group.#state = 'Stable'
    group.subscribedTopics = subscribedTopicsOf(group)
    return group
  }

  get state(): GroupState {
    return this.#state
  }
  get previousState(): GroupState {
    return this.#previousState
  }
  /** When the group came into its state, in ms since the epoch; -1 where an old record does not tell. */
  get stateTimestampMs(): number {
    return this.#stateTimestampMs
  }
  get members(): ReadonlyMap<string, Member> {
    return this.#members
  }
  get awaitingJoinCount(): number {
    return this.#awaitingJoin
  }
  get usesConsumerProtocol(): boolean {
    return this.protocolType === CONSUMER_PROTOCOL_TYPE
  }
  /** The longest that any member wants to be given to rejoin. */
  get rebalanceTimeoutMs(): number {
    let longest = 0
    for (const { rebalanceTimeoutMs } of this.#members.values()) longest = Math.max(longest, rebalanceTimeoutMs)
    return longest
  }
  get hasAllMembersJoined(): boolean {
    return this.#members.size === this.#awaitingJoin && this.pendingJoins.size === 0
  }
  get canRebalance(): boolean {
    return PREVIOUS.PreparingRebalance.includes(this.#state)
  }

  transitionTo(state: GroupState, nowMs: number): void {
    assert(PREVIOUS[state].includes(this.#state), `group ${this.groupId}: ${this.#state} -> ${state}`)
    this.#previousState = this.#state
    this.#state = state
    this.#stateTimestampMs = nowMs
  }

  /** Adds a member; the first one sets the type of the group's protocols. */
  add(protocolType: string, member: Member): void {
    assert(!this.#members.has(member.memberId), 'a member is added once')
    if (member.groupInstanceId !== null) {
      assert(!this.#staticMembers.has(member.groupInstanceId), 'a static member is added once')
      this.#staticMembers.set(member.groupInstanceId, member.memberId)
    }
    if (this.#members.size === 0) this.protocolType = protocolType
    this.leaderId ??= member.memberId
    this.#members.set(member.memberId, { ...member })
    this.#countProtocols(member.protocols, 1)
    if (member.joinReply !== null) this.#awaitingJoin++
    this.pendingJoins.delete(member.memberId)
  }

  /** Forgets the member, or the pending id; whoever waits for it must have been answered. */
  remove(memberId: string): void {
    const member = this.#members.get(memberId)
    if (member !== undefined) {
      assert(member.joinReply === null && member.syncReply === null, 'a member that leaves has been answered')
      this.#members.delete(memberId)
      this.#countProtocols(member.protocols, -1)
      if (member.groupInstanceId !== null) this.#staticMembers.delete(member.groupInstanceId)
    }
    if (this.leaderId === memberId) this.leaderId = this.#members.keys().next().value ?? null
    this.pendingJoins.delete(memberId)
    this.pendingSyncs.delete(memberId)
  }

  /** Gives the place of a static member, with its assignment, to a new member id. */
  replaceStaticMember(oldMemberId: string, newMemberId: string): Member {
    const old = this.#members.get(oldMemberId)
    assert(old !== undefined && old.groupInstanceId !== null, 'only static members are replaced')
    assert(old.joinReply === null && old.syncReply === null, 'a member that is replaced has been answered')
    this.#members.delete(oldMemberId)
    this.#members.set(newMemberId, { ...old, memberId: newMemberId, isNew: false })
    if (this.leaderId === oldMemberId) this.leaderId = newMemberId
    if (this.pendingSyncs.delete(oldMemberId)) this.pendingSyncs.add(newMemberId)
    this.#staticMembers.set(old.groupInstanceId, newMemberId)
    return this.member(newMemberId)
  }

  update(memberId: string, change: Omit<ReplacedMember, 'memberId'>): void {
    const member = this.#mutable(memberId)
    this.#countProtocols(member.protocols, -1)
    member.protocols = change.protocols
    this.#countProtocols(member.protocols, 1)
    member.sessionTimeoutMs = change.sessionTimeoutMs
    member.rebalanceTimeoutMs = change.rebalanceTimeoutMs
  }

  setJoinReply(memberId: string, reply: ReplyId | null): void {
    const member = this.#mutable(memberId)
    this.#awaitingJoin += (reply === null ? 0 : 1) - (member.joinReply === null ? 0 : 1)
    member.joinReply = reply
  }

  member(memberId: string): Member {
    return this.#mutable(memberId)
  }

  #mutable(memberId: string): Mutable {
    const member = this.#members.get(memberId)
    assert(member !== undefined, `group ${this.groupId} has no member ${memberId}`)
    return member
  }

  staticMemberId(groupInstanceId: string): string | undefined {
    return this.#staticMembers.get(groupInstanceId)
  }

  /** NONE, UNKNOWN_MEMBER_ID, or FENCED_INSTANCE_ID: another member has this group.instance.id by now (KIP-345). */
  validateMember({ memberId, groupInstanceId }: MemberIdentity): ErrorCode {
    if (groupInstanceId !== null) {
      const current = this.#staticMembers.get(groupInstanceId)
      if (current === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
      if (current !== memberId) return ErrorCode.FENCED_INSTANCE_ID
    }
    return this.#members.has(memberId) ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID
  }

  /** Whether a member with these protocols has one in common with everybody here. */
  supportsProtocols(protocolType: string, protocols: readonly MemberProtocol[]): boolean {
    if (this.#state === 'Empty') return protocolType !== '' && protocols.length > 0
    return (
      this.protocolType === protocolType &&
      protocols.some(({ name }) => (this.#supporters.get(name) ?? 0) === this.#members.size)
    )
  }

  /** The protocol that most members prefer among those that all have. */
  selectProtocol(): string {
    const votes = new Map<string, number>()
    for (const { protocols } of this.#members.values()) {
      const vote = protocols.find(({ name }) => this.#supporters.get(name) === this.#members.size)
      assert(vote !== undefined, 'members have a protocol in common')
      votes.set(vote.name, (votes.get(vote.name) ?? 0) + 1)
    }
    const [[best] = []] = [...votes].sort(([, a], [, b]) => b - a)
    assert(best !== undefined, 'a group without members has no protocol')
    return best
  }

  #countProtocols(protocols: readonly MemberProtocol[], by: number): void {
    for (const { name } of protocols) {
      const count = (this.#supporters.get(name) ?? 0) + by
      if (count === 0) this.#supporters.delete(name)
      else this.#supporters.set(name, count)
    }
  }

  /** Makes sure that the leader is one that has joined; false where nobody has. */
  electJoinedLeader(): boolean {
    if (this.leaderId === null) return false
    if (this.member(this.leaderId).joinReply !== null) return true
    for (const member of this.#members.values()) {
      if (member.joinReply === null) continue
      this.leaderId = member.memberId
      return true
    }
    return false
  }

  /** Ends the join phase: CompletingRebalance, or Empty without members. */
  startNextGeneration(nowMs: number): void {
    this.generationId++
    this.protocolName = this.#members.size > 0 ? this.selectProtocol() : null
    this.subscribedTopics = subscribedTopicsOf(this)
    this.transitionTo(this.#members.size > 0 ? 'CompletingRebalance' : 'Empty', nowMs)
    this.pendingSyncs.clear()
  }

  /** A member's metadata for the group's protocol; empty where there is none. */
  metadataOf(member: Member): Uint8Array {
    return member.protocols.find(({ name }) => name === this.protocolName)?.metadata ?? NO_ASSIGNMENT
  }

  /** What to write, with these assignments or the members' own. */
  toMetadata(assignments?: ReadonlyMap<string, Uint8Array>): GroupMetadata {
    return {
      protocolType: this.protocolType ?? '',
      generation: this.generationId,
      protocol: this.protocolName,
      leader: this.leaderId,
      currentStateTimestamp: BigInt(this.#stateTimestampMs),
      members: [...this.#members.values()].map((member) => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        rebalanceTimeout: member.rebalanceTimeoutMs,
        sessionTimeout: member.sessionTimeoutMs,
        subscription: this.metadataOf(member),
        assignment: assignments === undefined ? member.assignment : (assignments.get(member.memberId) ?? NO_ASSIGNMENT),
      })),
    }
  }
}

/** A member without protocols, assignment and requests. */
export function newMember(
  identity: MemberIdentity & { readonly clientId: string; readonly clientHost: string },
): Member {
  return {
    memberId: identity.memberId,
    groupInstanceId: identity.groupInstanceId,
    clientId: identity.clientId,
    clientHost: identity.clientHost,
    protocols: [],
    rebalanceTimeoutMs: 0,
    sessionTimeoutMs: 0,
    assignment: NO_ASSIGNMENT,
    isNew: false,
    joinReply: null,
    syncReply: null,
  }
}
