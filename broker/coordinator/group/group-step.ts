import { ErrorCode } from '../../protocol/errors.ts'
import type { ClassicGroup, Member } from './classic-group.ts'
import {
  type Effect,
  type GroupWrite,
  type JoinAnswer,
  joinError,
  type ReplyId,
  type SyncAnswer,
  syncError,
  type TimerKey,
} from './effects.ts'

/** One step of a group: the group, the time, and the effects so far. */
export class GroupStep {
  readonly group: ClassicGroup
  /** Wall-clock time, ms since the epoch. */
  readonly nowMs: number
  readonly effects: Effect[] = []

  constructor(group: ClassicGroup, nowMs: number) {
    this.group = group
    this.nowMs = nowMs
  }

  schedule(timer: TimerKey, delayMs: number): void {
    this.effects.push({ kind: 'schedule', timer, delayMs })
  }

  cancel(timer: TimerKey): void {
    this.effects.push({ kind: 'cancel', timer })
  }

  append(write: GroupWrite, assignments?: ReadonlyMap<string, Uint8Array>): void {
    this.effects.push({ kind: 'append', value: this.group.toMetadata(assignments), write })
  }

  /** Starts the member's session anew. */
  heartbeat(member: Member, timeoutMs = member.sessionTimeoutMs): void {
    this.schedule(`member:${member.memberId}`, timeoutMs)
  }

  answerJoin(reply: ReplyId, answer: JoinAnswer): void {
    this.effects.push({ kind: 'answer-join', reply, answer })
  }

  refuseJoin(reply: ReplyId, errorCode: ErrorCode, memberId: string): void {
    this.answerJoin(reply, joinError(errorCode, memberId))
  }

  refuseSync(reply: ReplyId, errorCode: ErrorCode): void {
    this.effects.push({ kind: 'answer-sync', reply, answer: syncError(errorCode) })
  }

  /** The current generation as `member` sees it: the leader gets everybody's metadata. */
  generationFor(member: Member, skipAssignment = false): JoinAnswer {
    const group = this.group
    const isLeader = group.leaderId === member.memberId
    return {
      errorCode: ErrorCode.NONE,
      memberId: member.memberId,
      generationId: group.generationId,
      protocolType: group.protocolType,
      protocolName: group.protocolName,
      leader: group.leaderId ?? '',
      skipAssignment,
      members: isLeader
        ? [...group.members.values()].map((each) => ({
            memberId: each.memberId,
            groupInstanceId: each.groupInstanceId,
            metadata: group.metadataOf(each),
          }))
        : [],
    }
  }

  /** Answers the join that this member waits for, if it does. */
  completeJoin(member: Member, answer: JoinAnswer): void {
    if (member.joinReply === null) return
    this.answerJoin(member.joinReply, answer)
    this.group.setJoinReply(member.memberId, null)
  }

  /** Answers the sync that this member waits for with its assignment; true where there was one. */
  completeSync(member: Member, errorCode: ErrorCode): boolean {
    if (member.syncReply === null) return false
    const answer = errorCode === ErrorCode.NONE ? this.assignmentOf(member) : syncError(errorCode)
    this.effects.push({ kind: 'answer-sync', reply: member.syncReply, answer })
    member.syncReply = null
    return true
  }

  assignmentOf(member: Member): SyncAnswer {
    const { protocolType, protocolName } = this.group
    return { errorCode: ErrorCode.NONE, protocolType, protocolName, assignment: member.assignment }
  }

  /** Removes a member whatever it waits for, so that nothing of it is left behind. */
  remove(memberId: string, errorCode: ErrorCode = ErrorCode.UNKNOWN_MEMBER_ID): void {
    const member = this.group.members.get(memberId)
    if (member !== undefined) {
      this.completeJoin(member, joinError(errorCode, ''))
      this.completeSync(member, errorCode)
    }
    this.group.remove(memberId)
    this.cancel(`member:${memberId}`)
  }
}
