import type { Clock } from '../../env/clock.ts'
import { Turns } from '../../lib/turns.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { ClassicGroup, type GroupRules } from './classic-group.ts'
import {
  type Effect,
  type GroupEvent,
  type GroupMetadata,
  type HeartbeatEvent,
  type JoinAnswer,
  type JoinEvent,
  type LeaveAnswer,
  type LeaveEvent,
  type ReplyId,
  type SyncAnswer,
  type SyncEvent,
  syncError,
  type TimerKey,
  joinError,
} from './effects.ts'
import { groupRecord } from './group-records.ts'
import { stepGroup } from './group-state.ts'
import { LazyTimers } from './lazy-timers.ts'
import type { RecordWriter } from './record-writer.ts'

/** Every kind of group that a coordinator may have; so far classic ones. */
export type Group = ClassicGroup

type Request<E> = Omit<E, 'kind' | 'reply'>

interface Entry {
  readonly group: Group
  readonly timers: LazyTimers<TimerKey>
}

/** Who waits for which answer. */
class Replies<T> {
  readonly #waiting = new Map<ReplyId, (answer: T) => void>()

  wait(reply: ReplyId): Promise<T> {
    return new Promise((resolve) => this.#waiting.set(reply, resolve))
  }

  answer(reply: ReplyId, answer: T): void {
    this.#waiting.get(reply)?.(answer)
    this.#waiting.delete(reply)
  }
}

/** The groups of one partition of `__consumer_offsets`: the driver of their state machines. */
export class GroupRegistry {
  readonly #rules: GroupRules
  readonly #clock: Clock
  readonly #writer: Pick<RecordWriter, 'write'>
  readonly #onForgotten: (groupId: string) => void
  readonly #entries = new Map<string, Entry>()
  readonly #joins = new Replies<JoinAnswer>()
  readonly #syncs = new Replies<SyncAnswer>()
  readonly #heartbeats = new Replies<ErrorCode>()
  readonly #leaves = new Replies<LeaveAnswer>()
  #lastReply = 0
  #isUnloaded = false

  constructor(
    options: { readonly rules: GroupRules },
    deps: {
      readonly clock: Clock
      readonly writer: Pick<RecordWriter, 'write'>
      /** A group is gone because its creation could not be written. */
      readonly onForgotten: (groupId: string) => void
    },
  ) {
    this.#rules = options.rules
    this.#clock = deps.clock
    this.#writer = deps.writer
    this.#onForgotten = deps.onForgotten
  }

  get(groupId: string): Group | undefined {
    return this.#entries.get(groupId)?.group
  }

  /** How many groups there are. */
  get count(): number {
    return this.#entries.size
  }

  *all(): Generator<Group> {
    for (const { group } of this.#entries.values()) yield group
  }

  /** The group, or a new empty one: for offsets of consumers that do not join. */
  getOrCreate(groupId: string): Group {
    return (
      this.get(groupId) ??
      this.#add(new ClassicGroup({ groupId, rules: this.#rules, nowMs: this.#clock.wallMs() })).group
    )
  }

  /** Sets a group to what the log says of it; null removes it. Starts no timers: `onLoaded` does. */
  replay(groupId: string, value: GroupMetadata | null): void {
    if (value === null) this.#entries.delete(groupId)
    else this.#add(ClassicGroup.fromMetadata({ groupId, rules: this.#rules }, value))
  }

  /** Everything that the log tells has been told: the sessions of all members begin. Others have their turn meanwhile, but for requests. */
  async onLoaded(): Promise<void> {
    const turns = new Turns({ clock: this.#clock })
    for (const entry of this.#entries.values()) {
      this.#step(entry, { kind: 'loaded' })
      if (turns.isOver) await turns.next()
      if (this.#isUnloaded) return
    }
  }

  /** Sends away everybody who waits, and forgets all groups; others have their turn meanwhile. No more requests may come. */
  async unload(): Promise<void> {
    this.#isUnloaded = true
    const turns = new Turns({ clock: this.#clock })
    for (const entry of this.#entries.values()) {
      this.#step(entry, { kind: 'unload' })
      if (turns.isOver) await turns.next()
    }
  }

  join(groupId: string, request: Request<JoinEvent>): Promise<JoinAnswer> {
    const known = this.#entries.get(groupId)
    if (known === undefined && request.memberId !== '') {
      return Promise.resolve(joinError(ErrorCode.UNKNOWN_MEMBER_ID, request.memberId))
    }
    const entry = known ?? this.#add(new ClassicGroup({ groupId, rules: this.#rules, nowMs: this.#clock.wallMs() }))
    const reply = ++this.#lastReply
    const answer = this.#joins.wait(reply)
    const effects = this.#step(entry, { kind: 'join', reply, ...request })
    if (known === undefined && !effects.some(({ kind }) => kind === 'append')) this.#writeCreation(entry)
    return answer
  }

  sync(groupId: string, request: Request<SyncEvent>): Promise<SyncAnswer> {
    const entry = this.#entries.get(groupId)
    if (entry === undefined) return Promise.resolve(syncError(ErrorCode.UNKNOWN_MEMBER_ID))
    const reply = ++this.#lastReply
    const answer = this.#syncs.wait(reply)
    this.#step(entry, { kind: 'sync', reply, ...request })
    return answer
  }

  heartbeat(groupId: string, request: Request<HeartbeatEvent>): Promise<ErrorCode> {
    const entry = this.#entries.get(groupId)
    if (entry === undefined) return Promise.resolve(ErrorCode.UNKNOWN_MEMBER_ID)
    const reply = ++this.#lastReply
    const answer = this.#heartbeats.wait(reply)
    this.#step(entry, { kind: 'heartbeat', reply, ...request })
    return answer
  }

  leave(groupId: string, { members }: Request<LeaveEvent>): Promise<LeaveAnswer> {
    const entry = this.#entries.get(groupId)
    if (entry === undefined) {
      const unknown = members.map((member) => ({ ...member, errorCode: ErrorCode.UNKNOWN_MEMBER_ID }))
      return Promise.resolve({ errorCode: ErrorCode.NONE, members: unknown })
    }
    const reply = ++this.#lastReply
    const answer = this.#leaves.wait(reply)
    this.#step(entry, { kind: 'leave', reply, members })
    return answer
  }

  /** A request of the member other than a heartbeat: its session begins anew. */
  onAlive(groupId: string, memberId: string): void {
    const entry = this.#entries.get(groupId)
    if (entry !== undefined) this.#step(entry, { kind: 'alive', memberId })
  }

  /** Takes out a group that is being deleted. Call what this returns where the deletion fails: it brings the group back. */
  take(groupId: string): () => void {
    const entry = this.#entries.get(groupId)
    entry?.timers.cancelAll()
    // Their time would never be up, and each rebalance wait for them: whoever comes back with such an id gets another.
    entry?.group.pendingJoins.clear()
    this.#entries.delete(groupId)
    return () => {
      if (entry === undefined || entry.group.state === 'Dead' || this.#entries.has(groupId)) return
      this.#entries.set(groupId, entry)
    }
  }

  #add(group: Group): Entry {
    const timers = new LazyTimers<TimerKey>({ fire: (timer) => this.#onTimer(entry, timer) }, { clock: this.#clock })
    const entry: Entry = { group, timers }
    this.#entries.set(group.groupId, entry)
    return entry
  }

  /** Nobody is to hear of a rebalance that others lead by now. */
  #onTimer(entry: Entry, timer: TimerKey): void {
    if (!this.#isUnloaded) this.#step(entry, { kind: 'timer', timer })
  }

  /** A group is in the log from its first join on, so that its offsets are kept by the rules of a group that has been used. */
  #writeCreation(entry: Entry): void {
    const { groupId, stateTimestampMs } = entry.group
    const empty = { protocolType: '', generation: 0, protocol: null, leader: null, members: [] }
    const record = groupRecord(groupId, { ...empty, currentStateTimestamp: BigInt(stateTimestampMs) })
    const write = { purpose: 'create' } as const
    this.#writer.write([record], (error) => {
      this.#step(entry, { kind: 'appended', write, error })
      if (error !== ErrorCode.NONE) this.#onForgotten(groupId)
    })
  }

  #step(entry: Entry, event: GroupEvent): Effect[] {
    const effects = stepGroup(entry.group, event, this.#clock.wallMs())
    for (const effect of effects) this.#perform(entry, effect)
    if (entry.group.state === 'Dead') {
      entry.timers.cancelAll()
      if (this.#entries.get(entry.group.groupId) === entry) this.#entries.delete(entry.group.groupId)
    }
    return effects
  }

  #perform(entry: Entry, effect: Effect): void {
    switch (effect.kind) {
      case 'answer-join':
        return this.#joins.answer(effect.reply, effect.answer)
      case 'answer-sync':
        return this.#syncs.answer(effect.reply, effect.answer)
      case 'answer-heartbeat':
        return this.#heartbeats.answer(effect.reply, effect.errorCode)
      case 'answer-leave':
        return this.#leaves.answer(effect.reply, effect.answer)
      case 'schedule':
        return entry.timers.schedule(effect.timer, effect.delayMs)
      case 'cancel':
        return entry.timers.cancel(effect.timer)
      case 'append': {
        const { write, value } = effect
        const record = groupRecord(entry.group.groupId, value)
        return this.#writer.write([record], (error) => this.#step(entry, { kind: 'appended', write, error }))
      }
    }
  }
}
