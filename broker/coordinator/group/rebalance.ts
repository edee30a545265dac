import { ErrorCode } from '../../protocol/errors.ts'
import type { Member } from './classic-group.ts'
import { NO_ASSIGNMENT } from './effects.ts'
import type { GroupStep } from './group-step.ts'

/** A join phase of which nobody has been starts over after that at least: members may ask for a rebalance timeout of nothing. */
const NOBODY_JOINED_MS_MIN = 1000

/** Starts a rebalance, or where one is going on, ends its join phase as soon as everybody is there. */
export function rebalanceOrCompleteJoin(step: GroupStep): void {
  if (step.group.canRebalance) prepareRebalance(step)
  else completeJoinIfAllJoined(step)
}

/**
 * Begins a join phase. A group that was empty first waits group.initial.rebalance.delay.ms for more members (KIP-134); any other ends
 * the phase when everybody has rejoined, and at the latest after the rebalance timeout.
 */
export function prepareRebalance(step: GroupStep): void {
  const { group } = step
  if (group.state === 'CompletingRebalance') resetAssignments(step, ErrorCode.REBALANCE_IN_PROGRESS)
  group.pendingSyncs.clear()
  step.cancel('sync')
  if (group.state === 'Empty') {
    const delayMs = group.rules.initialRebalanceDelayMs
    group.initialDelay = { delayMs, remainingMs: Math.max(group.rebalanceTimeoutMs - delayMs, 0) }
    group.hasNewMember = false
    group.transitionTo('PreparingRebalance', step.nowMs)
    step.schedule('join', delayMs)
    return
  }
  group.transitionTo('PreparingRebalance', step.nowMs)
  if (group.hasAllMembersJoined) completeJoinPhase(step)
  else step.schedule('join', group.rebalanceTimeoutMs)
}

export function completeJoinIfAllJoined(step: GroupStep): void {
  const { group } = step
  // The initial delay runs its time even when everybody who is known has joined.
  if (group.state !== 'PreparingRebalance' || group.previousState === 'Empty') return
  if (group.hasAllMembersJoined) completeJoinPhase(step)
}

/** The initial delay is over: extends it where somebody joined meanwhile, up to the rebalance timeout in all. */
export function endInitialDelay(step: GroupStep, delayMs: number, remainingMs: number): void {
  const { group } = step
  if (!group.hasNewMember || remainingMs === 0) return completeJoinPhase(step)
  group.hasNewMember = false
  const nextDelayMs = Math.min(group.rules.initialRebalanceDelayMs, remainingMs)
  group.initialDelay = { delayMs: nextDelayMs, remainingMs: Math.max(remainingMs - delayMs, 0) }
  step.schedule('join', nextDelayMs)
}

/**
 * Ends the join phase: dynamic members that have not rejoined are out, static ones keep their place until their session ends
 * (KIP-345). Where only such are left and none has joined, the phase starts over.
 */
export function completeJoinPhase(step: GroupStep): void {
  const { group } = step
  step.cancel('join')
  group.initialDelay = null
  for (const member of group.members.values()) {
    if (member.joinReply === null && member.groupInstanceId === null) step.remove(member.memberId)
  }
  if (group.members.size > 0 && !group.electJoinedLeader()) {
    step.schedule('join', Math.max(group.rebalanceTimeoutMs, NOBODY_JOINED_MS_MIN))
    return
  }
  group.startNextGeneration(step.nowMs)
  if (group.members.size === 0) {
    step.append({ purpose: 'empty', leave: null })
    return
  }
  for (const member of group.members.values()) startGeneration(step, member)
  step.schedule('sync', group.rebalanceTimeoutMs)
}

function startGeneration(step: GroupStep, member: Member): void {
  step.completeJoin(member, step.generationFor(member))
  step.heartbeat(member)
  member.isNew = false
  step.group.pendingSyncs.add(member.memberId)
}

/** Members that joined but never asked for their assignment are out (KAFKA-9752), and the others start again without them. */
export function expirePendingSyncs(step: GroupStep): void {
  const { group } = step
  if (group.state !== 'CompletingRebalance' && group.state !== 'Stable') return
  if (group.pendingSyncs.size === 0) return
  for (const memberId of group.pendingSyncs) step.remove(memberId)
  prepareRebalance(step)
}

/** Members that sit in a request cannot send heartbeats: only new ones, and those that owe us a request, time out. */
export function expireMember(step: GroupStep, memberId: string): void {
  const { group } = step
  if (group.pendingJoins.has(memberId)) {
    step.remove(memberId)
    afterRemoval(step)
    return
  }
  const member = group.members.get(memberId)
  if (member === undefined) return
  const isWaiting = member.joinReply !== null || member.syncReply !== null
  if (isWaiting && !member.isNew) return
  step.remove(memberId)
  if (group.canRebalance && group.state !== 'Empty') prepareRebalance(step)
  else afterRemoval(step)
}

/** One less to wait for in a join phase: here even the initial delay is cut short when nobody else is expected. */
function afterRemoval(step: GroupStep): void {
  if (step.group.state === 'PreparingRebalance' && step.group.hasAllMembersJoined) completeJoinPhase(step)
}

/** Stores the leader's assignment and gives each member that waits its own. */
export function propagateAssignments(step: GroupStep, assignments: ReadonlyMap<string, Uint8Array>): void {
  for (const member of step.group.members.values()) {
    member.assignment = assignments.get(member.memberId) ?? NO_ASSIGNMENT
    // A session that ended while the member waited was let pass, so it begins anew here.
    if (step.completeSync(member, ErrorCode.NONE)) step.heartbeat(member)
  }
}

export function resetAssignments(step: GroupStep, errorCode: ErrorCode): void {
  for (const member of step.group.members.values()) {
    member.assignment = NO_ASSIGNMENT
    if (step.completeSync(member, errorCode)) step.heartbeat(member)
  }
}
