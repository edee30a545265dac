import { ClassicGroup, type GroupRules } from '../../../broker/coordinator/group/classic-group.ts'
import type {
  Effect,
  GroupEvent,
  GroupMetadata,
  GroupWrite,
  JoinAnswer,
  JoinEvent,
  LeaveAnswer,
  MemberIdentity,
  ReplyId,
  SyncAnswer,
  TimerKey,
} from '../../../broker/coordinator/group/effects.ts'
import { stepGroup } from '../../../broker/coordinator/group/group-state.ts'
import { ErrorCode, errorName } from '../../../broker/protocol/errors.ts'

export const RULES: GroupRules = { initialRebalanceDelayMs: 3000, maxSize: 100, newMemberJoinTimeoutMs: 300_000 }

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
export const text = (data: Uint8Array): string => new TextDecoder().decode(data)

type Answer = JoinAnswer | SyncAnswer | LeaveAnswer | { readonly errorCode: ErrorCode }

/** A group with a driver whose time, log and requests the test moves by hand. Checks the rules of `stepGroup` after every step. */
export class GroupRig {
  group: ClassicGroup
  nowMs = 1_000_000
  /** What was written and not acknowledged yet, oldest first. */
  readonly writes: { readonly value: GroupMetadata; readonly write: GroupWrite }[] = []
  /** The last value that was acknowledged. */
  written: GroupMetadata | undefined
  readonly timers = new Map<TimerKey, number>()
  readonly answers = new Map<ReplyId, Answer>()
  readonly open = new Set<ReplyId>()
  readonly leaders = new Map<number, string>()
  #nextReply = 1
  #nextMember = 1

  constructor(rules: Partial<GroupRules> = {}) {
    this.group = new ClassicGroup({ groupId: 'g', rules: { ...RULES, ...rules }, nowMs: this.nowMs })
  }

  send(event: GroupEvent): void {
    if ('reply' in event) this.open.add(event.reply)
    for (const effect of stepGroup(this.group, event, this.nowMs)) this.#perform(effect)
    this.check()
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case 'schedule':
        this.timers.set(effect.timer, this.nowMs + effect.delayMs)
        return
      case 'cancel':
        this.timers.delete(effect.timer)
        return
      case 'append':
        this.writes.push(effect)
        return
      default:
        if (!this.open.delete(effect.reply)) throw new Error(`reply ${effect.reply} was answered twice`)
        this.answers.set(effect.reply, 'answer' in effect ? effect.answer : { errorCode: effect.errorCode })
    }
  }

  join(options: Partial<Omit<JoinEvent, 'kind' | 'reply'>> = {}): ReplyId {
    const reply = this.#nextReply++
    const protocols = [{ name: 'range', metadata: bytes('r') }]
    const base = {
      clientId: 'c',
      clientHost: '/1.2.3.4',
      protocolType: 'consumer',
      protocols,
      memberId: '',
      groupInstanceId: null,
    }
    const timeouts = { sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 60_000 }
    const newMemberId = `m${this.#nextMember++}`
    const versions = { needsKnownMemberId: true, canSkipAssignment: true }
    this.send({ kind: 'join', reply, newMemberId, ...base, ...timeouts, ...versions, ...options })
    return reply
  }

  /** Asks for a member id and joins with it; the reply of the second request. */
  joinNew(options: Partial<Omit<JoinEvent, 'kind' | 'reply'>> = {}): { memberId: string; reply: ReplyId } {
    const { memberId } = this.joined(this.join(options))
    return { memberId, reply: this.join({ ...options, memberId }) }
  }

  sync(memberId: string, assignments: Record<string, string> = {}, generationId = this.group.generationId): ReplyId {
    const reply = this.#nextReply++
    const list = Object.entries(assignments).map(([id, assignment]) => ({
      memberId: id,
      assignment: bytes(assignment),
    }))
    const protocol = { protocolType: null, protocolName: null }
    this.send({ kind: 'sync', reply, memberId, groupInstanceId: null, generationId, ...protocol, assignments: list })
    return reply
  }

  heartbeat(memberId: string, generationId = this.group.generationId, groupInstanceId: string | null = null): string {
    const reply = this.#nextReply++
    this.send({ kind: 'heartbeat', reply, memberId, groupInstanceId, generationId })
    return this.error(reply)
  }

  leave(...members: (string | MemberIdentity)[]): ReplyId {
    const reply = this.#nextReply++
    const identities = members.map((each) =>
      typeof each === 'string' ? { memberId: each, groupInstanceId: null } : each,
    )
    this.send({ kind: 'leave', reply, members: identities })
    return reply
  }

  /** Lets the oldest write end. */
  ack(error: ErrorCode = ErrorCode.NONE): void {
    const next = this.writes.shift()
    if (next === undefined) throw new Error('nothing is being written')
    if (error === ErrorCode.NONE) this.written = next.value
    this.send({ kind: 'appended', write: next.write, error })
  }

  advance(ms: number): void {
    const untilMs = this.nowMs + ms
    for (;;) {
      const [due] = [...this.timers].filter(([, at]) => at <= untilMs).sort(([, a], [, b]) => a - b)
      if (due === undefined) break
      this.timers.delete(due[0])
      this.nowMs = due[1]
      this.send({ kind: 'timer', timer: due[0] })
    }
    this.nowMs = untilMs
  }

  /** Error name of an answer; 'pending' where there is none yet. */
  error(reply: ReplyId): string {
    const answer = this.answers.get(reply)
    return answer === undefined ? 'pending' : errorName(answer.errorCode)
  }
  joined(reply: ReplyId): JoinAnswer {
    const answer = this.answers.get(reply)
    if (answer === undefined || !('skipAssignment' in answer)) throw new Error(`join ${reply} has no answer`)
    return answer
  }
  assignment(reply: ReplyId): string {
    const answer = this.answers.get(reply)
    if (answer === undefined || !('assignment' in answer)) throw new Error(`sync ${reply} has no answer`)
    return text(answer.assignment)
  }
  left(reply: ReplyId): string[] {
    const answer = this.answers.get(reply)
    if (answer === undefined || !('members' in answer)) throw new Error(`leave ${reply} has no answer`)
    return answer.members.map((member) => ('errorCode' in member ? errorName(member.errorCode) : ''))
  }

  /** A stable group of that many dynamic members; the first one leads. */
  stable(count: number): string[] {
    const joins = Array.from({ length: count }, () => this.joinNew())
    while (this.group.state === 'PreparingRebalance') this.advance(1000)
    const ids = joins.map(({ memberId }) => memberId)
    const leader = this.group.leaderId ?? ''
    for (const id of ids) if (id !== leader) this.sync(id)
    this.sync(leader, Object.fromEntries(ids.map((id) => [id, `for ${id}`])))
    this.ack()
    return ids
  }

  /** The rules that hold after every step. */
  check(): void {
    const { group } = this
    const waiting = [...group.members.values()].flatMap(({ joinReply, syncReply }) => [joinReply, syncReply])
    const inWrites = this.writes.map(({ write }) => (write.purpose === 'empty' ? (write.leave?.reply ?? null) : null))
    const known = new Set([...waiting, ...inWrites])
    for (const reply of this.open)
      if (!known.has(reply)) throw new Error(`reply ${reply} is open, and nobody will answer it`)
    if (group.state === 'Dead') return
    for (const { memberId, joinReply, syncReply } of group.members.values()) {
      if (joinReply !== null && syncReply !== null) throw new Error(`${memberId} waits for two answers`)
      if (joinReply === null && syncReply === null && !this.timers.has(`member:${memberId}`)) {
        throw new Error(`${memberId} has no session timer`)
      }
    }
    for (const memberId of group.pendingJoins)
      if (!this.timers.has(`member:${memberId}`)) throw new Error(`${memberId} stays for ever`)
    if ((group.members.size === 0) !== (group.leaderId === null)) throw new Error('members and a leader go together')
    if (group.leaderId !== null && !group.members.has(group.leaderId)) throw new Error('the leader is no member')
    if (group.state === 'Empty' && group.members.size > 0) throw new Error('an empty group with members')
    const count = [...group.members.values()].filter(({ joinReply }) => joinReply !== null).length
    if (count !== group.awaitingJoinCount) throw new Error('miscounted joins')
    this.#checkPhase()
  }

  #checkPhase(): void {
    const { group } = this
    if (group.state === 'PreparingRebalance' && !this.timers.has('join')) throw new Error('a join phase without an end')
    if (group.state !== 'CompletingRebalance') return
    const isStored = this.writes.some(
      ({ write }) => write.purpose === 'assignment' && write.generationId === group.generationId,
    )
    if (!isStored && !this.timers.has('sync')) throw new Error('a sync phase without an end')
    if (!isStored && group.pendingSyncs.size === 0) throw new Error('everybody synced, and nothing happens')
  }
}
