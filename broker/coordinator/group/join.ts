import { ErrorCode } from '../../protocol/errors.ts'
import { type Member, newMember } from './classic-group.ts'
import { type JoinEvent, joinError, type MemberProtocol } from './effects.ts'
import type { GroupStep } from './group-step.ts'
import { completeJoinIfAllJoined, prepareRebalance, rebalanceOrCompleteJoin } from './rebalance.ts'

/** JoinGroup, from a member with an id or one that gets its id here. */
export function join(step: GroupStep, event: JoinEvent): void {
  const { group } = step
  if (!acceptsMember(step, event.memberId)) {
    if (event.memberId !== '') step.remove(event.memberId)
    step.refuseJoin(event.reply, ErrorCode.GROUP_MAX_SIZE_REACHED, '')
    completeJoinIfAllJoined(step)
  } else if (group.state === 'Dead') {
    step.refuseJoin(event.reply, ErrorCode.COORDINATOR_NOT_AVAILABLE, event.memberId)
  } else if (!group.supportsProtocols(event.protocolType, event.protocols)) {
    step.refuseJoin(event.reply, ErrorCode.INCONSISTENT_GROUP_PROTOCOL, event.memberId)
  } else if (event.memberId === '') {
    joinNewMember(step, event)
  } else {
    joinKnownMember(step, event)
  }
}

/**
 * group.max.size. During a join phase those that have joined count, so that a group above the limit loses who rejoins last; at other
 * times the members do.
 */
function acceptsMember({ group }: GroupStep, memberId: string): boolean {
  const member = group.members.get(memberId)
  switch (group.state) {
    case 'Empty':
    case 'Dead':
      return true
    case 'PreparingRebalance':
      return (member !== undefined && member.joinReply !== null) || group.awaitingJoinCount < group.rules.maxSize
    default:
      return member !== undefined || group.members.size < group.rules.maxSize
  }
}

function joinNewMember(step: GroupStep, event: JoinEvent): void {
  const { group } = step
  const existing = event.groupInstanceId === null ? undefined : group.staticMemberId(event.groupInstanceId)
  if (existing !== undefined) {
    replaceStaticMember(step, event, existing)
  } else if (event.groupInstanceId === null && event.needsKnownMemberId) {
    group.pendingJoins.add(event.newMemberId)
    step.schedule(`member:${event.newMemberId}`, event.sessionTimeoutMs)
    step.refuseJoin(event.reply, ErrorCode.MEMBER_ID_REQUIRED, event.newMemberId)
  } else {
    addMember(step, event, event.newMemberId)
  }
}

function addMember(step: GroupStep, event: JoinEvent, memberId: string): void {
  const { group } = step
  if (group.state === 'PreparingRebalance' && group.previousState === 'Empty') group.hasNewMember = true
  group.add(event.protocolType, {
    ...newMember({ ...event, memberId }),
    protocols: event.protocols,
    sessionTimeoutMs: event.sessionTimeoutMs,
    rebalanceTimeoutMs: event.rebalanceTimeoutMs,
    isNew: true,
    joinReply: event.reply,
  })
  // A client that gave up on a long join phase comes back as another new member; this bounds how many of these pile up.
  step.schedule(`member:${memberId}`, group.rules.newMemberJoinTimeoutMs)
  rebalanceOrCompleteJoin(step)
}

function joinKnownMember(step: GroupStep, event: JoinEvent): void {
  const { group } = step
  const { memberId, reply } = event
  if (group.pendingJoins.has(memberId)) {
    if (event.groupInstanceId === null) addMember(step, event, memberId)
    // Only dynamic members are told to come back, so this is not what we gave the id to.
    else step.refuseJoin(reply, ErrorCode.UNKNOWN_SERVER_ERROR, memberId)
    return
  }
  const errorCode = group.validateMember(event)
  if (errorCode !== ErrorCode.NONE) return step.refuseJoin(reply, errorCode, memberId)
  const member = group.member(memberId)
  if (canStayInGeneration(step, member, event)) step.answerJoin(reply, step.generationFor(member))
  else rejoin(step, event)
}

/**
 * A member that did not get the answer asks again, and a follower may join without a reason: nothing changes. A leader that rejoins a
 * stable group wants a rebalance: it may have seen new partitions.
 */
function canStayInGeneration({ group }: GroupStep, member: Member, event: JoinEvent): boolean {
  if (!sameProtocols(member.protocols, event.protocols)) return false
  if (group.state === 'CompletingRebalance') return true
  return group.state === 'Stable' && group.leaderId !== member.memberId
}

function rejoin(step: GroupStep, event: JoinEvent): void {
  step.group.update(event.memberId, event)
  awaitJoin(step, event.memberId, event)
  rebalanceOrCompleteJoin(step)
}

function awaitJoin(step: GroupStep, memberId: string, event: JoinEvent): void {
  const member = step.group.member(memberId)
  if (member.joinReply !== null) step.refuseJoin(member.joinReply, ErrorCode.REBALANCE_IN_PROGRESS, memberId)
  step.group.setJoinReply(memberId, event.reply)
}

/**
 * A static member is back with its group.instance.id but without its member id: it takes its place under a new id, and who still uses
 * the old one is fenced. A stable group whose protocol this leaves as it is does not rebalance (KIP-345), nor does the new leader
 * compute an assignment (KIP-814).
 */
function replaceStaticMember(step: GroupStep, event: JoinEvent, oldMemberId: string): void {
  const { group } = step
  const { newMemberId, reply } = event
  const old = group.member(oldMemberId)
  const leaderBefore = group.leaderId ?? ''
  fence(step, oldMemberId)
  const member = group.replaceStaticMember(oldMemberId, newMemberId)
  step.heartbeat(member)
  group.update(newMemberId, event)
  group.setJoinReply(newMemberId, reply)
  if (group.state === 'Stable' && group.selectProtocol() === group.protocolName) {
    const { canSkipAssignment } = event
    step.append({
      purpose: 'static-member',
      reply,
      memberId: newMemberId,
      replaced: { ...old },
      leaderBefore,
      canSkipAssignment,
    })
  } else if (group.state === 'CompletingRebalance') {
    // The leader may be computing an assignment for the old id at this moment.
    prepareRebalance(step)
  } else {
    rebalanceOrCompleteJoin(step)
  }
}

function fence(step: GroupStep, memberId: string): void {
  const member = step.group.member(memberId)
  step.completeJoin(member, joinError(ErrorCode.FENCED_INSTANCE_ID, memberId))
  step.completeSync(member, ErrorCode.FENCED_INSTANCE_ID)
  step.cancel(`member:${memberId}`)
}

function sameProtocols(a: readonly MemberProtocol[], b: readonly MemberProtocol[]): boolean {
  return a.length === b.length && a.every((protocol, i) => sameProtocol(protocol, b[i]))
}

function sameProtocol(a: MemberProtocol, b: MemberProtocol | undefined): boolean {
  return b !== undefined && a.name === b.name && Buffer.compare(a.metadata, b.metadata) === 0
}
