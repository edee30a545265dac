import { ErrorCode } from '../../protocol/errors.ts'
import type { ClassicGroup } from './classic-group.ts'
import type {
  Effect,
  GroupEvent,
  GroupWrite,
  HeartbeatEvent,
  LeaveAnswer,
  LeaveEvent,
  MemberIdentity,
  SyncEvent,
  TimerKey,
} from './effects.ts'
import { GroupStep } from './group-step.ts'
import { join } from './join.ts'
import {
  completeJoinIfAllJoined,
  completeJoinPhase,
  endInitialDelay,
  expireMember,
  expirePendingSyncs,
  prepareRebalance,
  propagateAssignments,
  rebalanceOrCompleteJoin,
  resetAssignments,
} from './rebalance.ts'

/**
 * The classic group protocol (JoinGroup, SyncGroup, Heartbeat, LeaveGroup) of one group as a state machine: changes the group and
 * returns what is to be done, in order. `nowMs` is wall-clock time. A group that has become Dead is to be forgotten.
 *
 * Rules that hold after every step: each reply of an event is answered once, at the latest when the group is unloaded; a member that
 * waits for no answer has a session timer; in Stable and CompletingRebalance all members are of the current generation, and the
 * leader is one of them.
 */
export function stepGroup(group: ClassicGroup, event: GroupEvent, nowMs: number): Effect[] {
  const step = new GroupStep(group, nowMs)
  handle(step, event)
  return step.effects
}

function handle(step: GroupStep, event: GroupEvent): void {
  switch (event.kind) {
    case 'join':
      return join(step, event)
    case 'sync':
      return sync(step, event)
    case 'heartbeat':
      return heartbeat(step, event)
    case 'leave':
      return leave(step, event)
    case 'alive':
      return alive(step, event.memberId)
    case 'timer':
      return timer(step, event.timer)
    case 'appended':
      return appended(step, event.write, event.error)
    case 'loaded':
      return loaded(step)
    case 'unload':
      return unload(step, ErrorCode.NOT_COORDINATOR)
  }
}

function sync(step: GroupStep, event: SyncEvent): void {
  const { group } = step
  const errorCode = validateSync(group, event)
  if (errorCode !== ErrorCode.NONE) return step.refuseSync(event.reply, errorCode)
  const member = group.member(event.memberId)
  group.pendingSyncs.delete(event.memberId)
  if (group.state === 'Stable') {
    step.effects.push({ kind: 'answer-sync', reply: event.reply, answer: step.assignmentOf(member) })
    return
  }
  if (member.syncReply !== null) step.refuseSync(member.syncReply, ErrorCode.REBALANCE_IN_PROGRESS)
  member.syncReply = event.reply
  if (group.leaderId !== event.memberId) return
  // Nobody hears of an assignment that is not in the log: another coordinator would not know it.
  const assignments = new Map(event.assignments.map(({ memberId, assignment }) => [memberId, assignment]))
  step.append({ purpose: 'assignment', generationId: group.generationId, assignments }, assignments)
}

function validateSync(group: ClassicGroup, event: SyncEvent): ErrorCode {
  if (group.state === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE
  const errorCode = group.validateMember(event)
  if (errorCode !== ErrorCode.NONE) return errorCode
  if (event.generationId !== group.generationId) return ErrorCode.ILLEGAL_GENERATION
  if (event.protocolType !== null && event.protocolType !== group.protocolType)
    return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
  if (event.protocolName !== null && event.protocolName !== group.protocolName)
    return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
  return group.state === 'PreparingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
}

function heartbeat(step: GroupStep, event: HeartbeatEvent): void {
  step.effects.push({ kind: 'answer-heartbeat', reply: event.reply, errorCode: beat(step, event) })
}

function beat(step: GroupStep, event: HeartbeatEvent): ErrorCode {
  const { group } = step
  if (group.state === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE
  const errorCode = group.validateMember(event)
  if (errorCode !== ErrorCode.NONE) return errorCode
  if (event.generationId !== group.generationId) return ErrorCode.ILLEGAL_GENERATION
  step.heartbeat(group.member(event.memberId))
  return group.state === 'PreparingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
}

function alive(step: GroupStep, memberId: string): void {
  const { group } = step
  const member = group.members.get(memberId)
  if (member !== undefined && (group.state === 'Stable' || group.state === 'PreparingRebalance')) step.heartbeat(member)
}

function leave(step: GroupStep, event: LeaveEvent): void {
  const { group } = step
  if (group.state === 'Dead') {
    const answer = { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, members: [] }
    step.effects.push({ kind: 'answer-leave', reply: event.reply, answer })
    return
  }
  const members = event.members.map((identity) => ({
    memberId: identity.memberId,
    groupInstanceId: identity.groupInstanceId,
    errorCode: removeLeaving(step, identity),
  }))
  if (members.some(({ errorCode }) => errorCode === ErrorCode.NONE)) {
    if (group.state === 'PreparingRebalance') completeJoinIfAllJoined(step)
    else if (group.state !== 'Empty') rebalanceOrCompleteJoin(step)
  }
  answerLeave(step, event, { errorCode: ErrorCode.NONE, members })
}

/** Without a member id it is an administrator who removes the static member of this group.instance.id (KIP-345). */
function removeLeaving(step: GroupStep, { memberId, groupInstanceId }: MemberIdentity): ErrorCode {
  const { group } = step
  if (memberId === '') {
    const current = groupInstanceId === null ? undefined : group.staticMemberId(groupInstanceId)
    if (current === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
    step.remove(current)
    return ErrorCode.NONE
  }
  const errorCode = group.pendingJoins.has(memberId)
    ? ErrorCode.NONE
    : group.validateMember({ memberId, groupInstanceId })
  if (errorCode === ErrorCode.NONE) step.remove(memberId)
  return errorCode
}

/** Where the last member has left, the answer waits until that is in the log. */
function answerLeave(step: GroupStep, { reply }: LeaveEvent, answer: LeaveAnswer): void {
  const last = step.effects.at(-1)
  if (last?.kind === 'append' && last.write.purpose === 'empty') {
    step.effects[step.effects.length - 1] = { ...last, write: { purpose: 'empty', leave: { reply, answer } } }
  } else {
    step.effects.push({ kind: 'answer-leave', reply, answer })
  }
}

function timer(step: GroupStep, key: TimerKey): void {
  const { group } = step
  if (key === 'sync') {
    expirePendingSyncs(step)
  } else if (key === 'join') {
    if (group.state !== 'PreparingRebalance') return
    if (group.initialDelay === null) completeJoinPhase(step)
    else endInitialDelay(step, group.initialDelay.delayMs, group.initialDelay.remainingMs)
  } else if (group.state !== 'Dead') {
    expireMember(step, key.slice('member:'.length))
  }
}

function appended(step: GroupStep, write: GroupWrite, error: ErrorCode): void {
  switch (write.purpose) {
    case 'create':
      if (error !== ErrorCode.NONE) unload(step, error)
      return
    case 'empty': {
      if (write.leave === null) return
      const { reply, answer } = write.leave
      const failed = { errorCode: error, members: [] }
      step.effects.push({ kind: 'answer-leave', reply, answer: error === ErrorCode.NONE ? answer : failed })
      return
    }
    case 'assignment':
      return assignmentAppended(step, write, error)
    case 'static-member':
      return staticMemberAppended(step, write, error)
  }
}

function assignmentAppended(
  step: GroupStep,
  { generationId, assignments }: Extract<GroupWrite, { purpose: 'assignment' }>,
  error: ErrorCode,
): void {
  const { group } = step
  // Another member may have joined or left since: then this generation is over already.
  if (group.state !== 'CompletingRebalance' || group.generationId !== generationId) return
  if (error === ErrorCode.NONE) {
    propagateAssignments(step, assignments)
    group.transitionTo('Stable', step.nowMs)
  } else {
    resetAssignments(step, error)
    prepareRebalance(step)
  }
}

function staticMemberAppended(
  step: GroupStep,
  write: Extract<GroupWrite, { purpose: 'static-member' }>,
  error: ErrorCode,
): void {
  const { group } = step
  const member = group.members.get(write.memberId)
  if (member === undefined || member.joinReply !== write.reply) return
  // In a rebalance that began since, this join counts like any other: what comes of it is written anew. Nor could it be taken back:
  // others may have gone on to a protocol that the member had not before.
  if (group.state !== 'Stable') return
  if (error !== ErrorCode.NONE) {
    step.completeJoin(member, {
      ...step.generationFor(member),
      errorCode: error,
      memberId: '',
      leader: write.leaderBefore,
      members: [],
    })
    step.cancel(`member:${write.memberId}`)
    group.update(write.memberId, write.replaced)
    step.heartbeat(group.replaceStaticMember(write.memberId, write.replaced.memberId))
    return
  }
  const answer = step.generationFor(member, write.canSkipAssignment && group.leaderId === write.memberId)
  // A leader that cannot skip the assignment must not think that it leads: nobody else rejoins.
  step.completeJoin(member, write.canSkipAssignment ? answer : { ...answer, leader: write.leaderBefore, members: [] })
  step.heartbeat(member)
}

function loaded(step: GroupStep): void {
  const { group } = step
  for (const member of group.members.values()) step.heartbeat(member)
  if (group.members.size > group.rules.maxSize) prepareRebalance(step)
}

/** Everybody who waits is sent away; the group is Dead. */
function unload(step: GroupStep, error: ErrorCode): void {
  const { group } = step
  for (const member of group.members.values()) {
    step.completeJoin(member, { ...step.generationFor(member), errorCode: error, members: [] })
    step.completeSync(member, error)
    step.cancel(`member:${member.memberId}`)
  }
  for (const memberId of group.pendingJoins) step.cancel(`member:${memberId}`)
  step.cancel('join')
  step.cancel('sync')
  group.transitionTo('Dead', step.nowMs)
}
