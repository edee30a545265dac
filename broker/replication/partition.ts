import type { Compute } from '../env/compute.ts'
import { assert } from '../lib/assert.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { validateProduce } from '../records/validate.ts'
import type { AppendResult, PartitionLog } from '../storage/log.ts'
import { appendChecked, type AppendOutcome, refusedAppend } from './append-outcome.ts'
import type { AppendRules } from './append-rules.ts'
import type { IsrAnswer, IsrProposal, IsrVerdict } from './isr.ts'
import { Leadership, type LeadershipDeps } from './leadership.ts'
import type { PartitionState } from './partition-state.ts'
import type { FollowerPosition, RemoteReplica } from './remote-replica.ts'
import { Turns } from './turns.ts'
import { Listeners, OffsetWaiters, type Reached, type Wait, Watchers } from './waiters.ts'

export interface PartitionDeps extends LeadershipDeps {
  readonly compute: Compute
  wallMs(): number
  monotonicMs(): number
  /** Asks the controller for another ISR; the answer goes to `isrAnswered`. */
  proposeIsr(partition: Partition, proposal: IsrProposal): void
  /** From `offset` on the log of this replica is not what was written. */
  onDamaged(partition: Partition, offset: number): void
}

const NO_REMOTES: readonly RemoteReplica[] = []
const OVER: Wait = { cancel: () => {} }

/**
 * One replica hosted here: its log, its role, and those who wait on it. The high watermark is the lowest acknowledgeable offset of
 * the in-sync replicas; while there are fewer of them than min.insync.replicas it stands still (KIP-966).
 */
export class Partition {
  readonly topicId: string
  readonly watchers = new Watchers()
  readonly #nodeId: number
  readonly #deps: PartitionDeps
  readonly #onLocal = new OffsetWaiters()
  readonly #onCommitted = new OffsetWaiters()
  readonly #onFollowers = new Listeners()
  readonly #turns = new Turns()
  #log: PartitionLog
  #state: PartitionState
  #rules: AppendRules
  /** Undefined while another broker leads. */
  #leadership: Leadership | undefined
  #exclusive: Promise<void> | undefined
  #removed: ErrorCode | undefined

  constructor(
    options: { nodeId: number; topicId: string; state: PartitionState; rules: AppendRules; log: PartitionLog },
    deps: PartitionDeps,
  ) {
    this.#log = options.log
    this.topicId = options.topicId
    this.#nodeId = options.nodeId
    this.#state = options.state
    this.#rules = options.rules
    this.#deps = deps
    this.#listen()
    this.#lead()
    this.#advance()
  }

  #listen(): void {
    this.#log.listen({
      written: () => this.watchers.tell('written'),
      acknowledgeable: () => this.#advance(),
      trimmed: () => this.watchers.tell('state'),
    })
  }

  get log(): PartitionLog {
    return this.#log
  }
  get state(): PartitionState {
    return this.#state
  }
  get rules(): AppendRules {
    return this.#rules
  }
  get isLeader(): boolean {
    return this.#state.leader === this.#nodeId && this.#removed === undefined
  }
  /** Its log dir has failed, or it is gone from here. */
  get isOffline(): boolean {
    return this.#removed !== undefined
  }
  /** The followers as this leader sees them. */
  get remotes(): readonly RemoteReplica[] {
    return this.#leadership?.remotes ?? NO_REMOTES
  }
  /** Where the log ended when this leader's epoch began; undefined where another leads. */
  get epochStartOffset(): number | undefined {
    return this.#leadership?.epochStartOffset
  }
  /** No more than the replicas that there are: as in Apache Kafka, a topic with fewer is not held to it. */
  get minInSyncReplicas(): number {
    return Math.min(this.#rules.minInSyncReplicas, this.#state.replicas.length)
  }
  get isReassigning(): boolean {
    const { addingReplicas = [], removingReplicas = [] } = this.#state
    return addingReplicas.length + removingReplicas.length > 0
  }
  get isUnderMinIsr(): boolean {
    return this.#state.isr.length < this.minInSyncReplicas
  }

  configure(rules: AppendRules): void {
    this.#rules = rules
  }

  /**
   * Takes over a new state from the metadata log, unless the controller has answered with a later one. Whoever waits on a leadership that
   * has ended hears so. Not while a truncation is under way.
   */
  update(state: PartitionState): void {
    if (state.partitionEpoch < this.#state.partitionEpoch) return
    const wasLeader = this.isLeader
    const isNewEpoch = state.leaderEpoch !== this.#state.leaderEpoch
    this.#state = state
    this.#lead()
    if (wasLeader && !this.isLeader) this.#failWaiters(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    else {
      this.#isrChanged()
      if (isNewEpoch) this.#roleChanged()
    }
  }

  /** A leader's epoch begins where its log ends, before it has written anything (KIP-101). */
  #lead(): void {
    if (!this.isLeader) {
      this.#leadership = undefined
      return
    }
    const nowMs = this.#deps.monotonicMs()
    if (this.#leadership?.leaderEpoch === this.#state.leaderEpoch) {
      this.#leadership.update(this.#state, nowMs)
      return
    }
    const { leaderEpochs, logEndOffset } = this.log
    const { leaderEpoch } = this.#state
    assert(this.#exclusive === undefined, 'nobody leads with a log that is being cut')
    if (leaderEpoch > leaderEpochs.latestEpoch) leaderEpochs.assign(leaderEpoch, logEndOffset)
    const options = { nodeId: this.#nodeId, set: this.#state, epochStartOffset: logEndOffset, nowMs }
    this.#leadership = new Leadership(options, this.#deps)
  }

  /** What waits for more in-sync replicas than there are now is told so: it is in this log, and nobody knows what becomes of it. */
  #isrChanged(): void {
    if (this.isLeader && this.isUnderMinIsr) this.#onCommitted.fail(ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND)
    this.#advance()
    this.watchers.tell('state')
  }

  /** The error with which this replica answers a client that believes in `leaderEpoch` (-1: any), or NONE (KIP-320). */
  checkLeader(leaderEpoch: number): ErrorCode {
    return this.checkReader(leaderEpoch, false)
  }

  /** As `checkLeader`; a reader that `mayFollow` is content with a follower (KIP-392). */
  checkReader(leaderEpoch: number, mayFollow: boolean): ErrorCode {
    if (this.#removed !== undefined) return this.#whyRemoved(this.#removed)
    if (leaderEpoch !== -1 && leaderEpoch < this.#state.leaderEpoch) return ErrorCode.FENCED_LEADER_EPOCH
    if (leaderEpoch !== -1 && leaderEpoch > this.#state.leaderEpoch) return ErrorCode.UNKNOWN_LEADER_EPOCH
    return mayFollow || this.isLeader ? ErrorCode.NONE : ErrorCode.NOT_LEADER_OR_FOLLOWER
  }

  /** Of a log dir that has failed kafkajs goes on to read, whoever leads by now; it asks for the leader only where it is told that there is another. */
  #whyRemoved(error: ErrorCode): ErrorCode {
    const isLedElsewhere = this.#state.leader !== this.#nodeId
    return error === ErrorCode.KAFKA_STORAGE_ERROR && isLedElsewhere ? ErrorCode.NOT_LEADER_OR_FOLLOWER : error
  }

  /**
   * Validates and appends what a client or a coordinator sent. Synchronous unless a codec needs the thread pool; appends then keep
   * the order in which they came, since a producer's sequence numbers depend on it.
   */
  append(records: Uint8Array, requireInSync: boolean): AppendOutcome | Promise<AppendOutcome> {
    return this.#turns.run(() => this.#appendNow(records, requireInSync))
  }

  #appendNow(records: Uint8Array, requireInSync: boolean): AppendOutcome | Promise<AppendOutcome> {
    const refused = this.#refusal(requireInSync)
    if (refused !== undefined) return refused
    const verdict = validateProduce(records, { ...this.#rules, nowMs: this.#deps.wallMs() }, this.#deps.compute)
    return verdict instanceof Promise
      ? verdict.then(
          (checked) => this.#refusal(requireInSync) ?? appendChecked(checked, this.log, this.#state.leaderEpoch),
        )
      : appendChecked(verdict, this.log, this.#state.leaderEpoch)
  }

  #refusal(requireInSync: boolean): AppendOutcome | undefined {
    const error = this.checkLeader(-1)
    if (error !== ErrorCode.NONE) return refusedAppend(error)
    if (!requireInSync || !this.isUnderMinIsr) return undefined
    const { isr } = this.#state
    return refusedAppend(
      ErrorCode.NOT_ENOUGH_REPLICAS,
      `The size of the current ISR ${isr.length} is insufficient to satisfy the min.isr requirement of ${this.minInSyncReplicas} for partition ${this.log.topic}-${this.log.partition}, live replica(s) broker.id are : ${isr.join(',')}`,
    )
  }

  /** Calls `reached` when everything below `offset` is in this leader's file. */
  awaitLocal(offset: number, reached: Reached): Wait {
    return this.#await(this.#onLocal, this.log.acknowledgeableOffset, offset, reached)
  }

  /** Calls `reached` when everything below `offset` is on all in-sync replicas. */
  awaitCommitted(offset: number, reached: Reached): Wait {
    return this.#await(this.#onCommitted, this.log.highWatermark, offset, reached)
  }

  #await(waiters: OffsetWaiters, at: number, offset: number, reached: Reached): Wait {
    // An append that took its time may have outlived the leadership.
    const error = this.checkLeader(-1)
    if (error === ErrorCode.NONE && offset > at) return waiters.add(offset, reached)
    reached(error)
    return OVER
  }

  /** Calls `progressed` each time that a follower has told where it is, or may count no more, until the returned wait is cancelled. */
  onFollowers(progressed: () => void): Wait {
    return this.#onFollowers.add(progressed)
  }

  /** Where the logs of all live replicas begin; this one's where another leads. */
  get lowWatermark(): number {
    const { logStartOffset } = this.log
    return this.#leadership?.lowWatermark(logStartOffset) ?? logStartOffset
  }

  /**
   * A follower fetches from `position`, and so has everything below. False where it is no replica of this partition, or another process
   * of the same broker has taken its place.
   */
  fetchedBy(brokerId: number, position: FollowerPosition): boolean {
    const leadership = this.#leadership
    if (leadership === undefined) return false
    const nowMs = this.#deps.monotonicMs()
    // Another process of the same broker: who has fetched for it up to now is to be told.
    const known = leadership.brokerEpochOf(brokerId)
    if (known !== -1 && position.brokerEpoch > known) this.watchers.tell('state')
    if (!leadership.fetched(brokerId, position, this.log.acknowledgeableOffset, nowMs)) return false
    const proposal = leadership.expansion(brokerId, this.log.highWatermark)
    if (proposal !== undefined) this.#deps.proposeIsr(this, proposal)
    this.#advance()
    this.#onFollowers.notify()
    return true
  }

  /** Whether a follower is known to be at `position`, in sync, and that is the end, all of it committed: nothing is left to be done. */
  isEven(brokerId: number, position: FollowerPosition): boolean {
    const { logEndOffset, acknowledgeableOffset, highWatermark } = this.log
    const { fetchOffset } = position
    if (logEndOffset !== fetchOffset || acknowledgeableOffset !== fetchOffset || highWatermark !== fetchOffset)
      return false
    return this.#state.isr.includes(brokerId) && this.#leadership?.isAt(brokerId, position) === true
  }

  /** A follower with which it was even has fetched from the same position again, the last time at `atMs`. */
  fetchedUntil(brokerId: number, position: FollowerPosition, atMs: number): void {
    this.#leadership?.fetchedUntil(brokerId, position, atMs)
  }

  /** Brokers have come or gone: looks again at what is committed, and deleted. */
  reconsider(): void {
    this.#advance()
    this.#onFollowers.notify()
  }

  /** Takes followers out of the ISR that have not caught up for replica.lag.time.max.ms; to be called now and then. */
  shrinkIsr(): void {
    const proposal = this.#leadership?.shrinkage(this.log.acknowledgeableOffset, this.#deps.monotonicMs())
    if (proposal !== undefined) this.#deps.proposeIsr(this, proposal)
  }

  /** The controller's answer to a proposal. */
  isrAnswered(proposal: IsrProposal, answer: IsrAnswer): IsrVerdict {
    const leadership = this.#leadership
    if (leadership === undefined) return 'failed'
    const verdict = leadership.answered(proposal, answer)
    const { isr, partitionEpoch } = leadership
    this.#state = { ...this.#state, isr, partitionEpoch: Math.max(partitionEpoch, this.#state.partitionEpoch) }
    this.#isrChanged()
    return verdict
  }

  /** A batch at or behind `offset` is damaged: where others have it, readers try again until one of them leads. */
  damaged(offset: number): ErrorCode {
    this.#deps.onDamaged(this, offset)
    return this.#state.replicas.length > 1 ? ErrorCode.KAFKA_STORAGE_ERROR : ErrorCode.CORRUPT_MESSAGE
  }

  /** The broker epoch of a replica, as it told with its Fetch; -1 where unknown. */
  brokerEpochOf(brokerId: number): number {
    return this.#leadership?.brokerEpochOf(brokerId) ?? -1
  }

  /** Appends what the leader gave, while this replica follows in `leaderEpoch`; else, or while the log is cut, undefined. */
  appendAsFollower(bytes: Uint8Array, leaderEpoch: number): AppendResult | undefined {
    return this.isFollowing(leaderEpoch) ? this.log.appendAsFollower(bytes, leaderEpoch) : undefined
  }

  /** Whether this replica follows in `leaderEpoch`, and its log is not being cut. */
  isFollowing(leaderEpoch: number): boolean {
    if (this.#removed !== undefined || this.#exclusive !== undefined) return false
    return !this.isLeader && this.#state.leaderEpoch === leaderEpoch
  }

  /** What the leader says is committed, and where its log begins. */
  followed(highWatermark: number, leaderLogStartOffset: number): void {
    const before = this.log.highWatermark
    this.log.updateHighWatermark(highWatermark)
    if (leaderLogStartOffset > this.log.logStartOffset && leaderLogStartOffset <= this.log.highWatermark)
      this.log.incrementLogStartOffset(leaderLogStartOffset)
    if (this.log.highWatermark > before) this.watchers.tell('committed')
  }

  /** Cuts what the leader does not have; rejects where the disk fails. */
  async truncate(cut: (log: PartitionLog) => Promise<void> | void): Promise<void> {
    assert(!this.isLeader, 'only a follower cuts its log')
    assert(this.#exclusive === undefined, 'one truncation at a time')
    await this.#withoutAppends(Promise.resolve(cut(this.#log)))
  }

  /** Puts the log that `swap` gives in the place of this one; meanwhile nothing is appended, and nobody comes to lead. */
  async replaceLog(swap: (log: PartitionLog) => Promise<PartitionLog>): Promise<void> {
    await this.#turns.run(async () => {
      while (this.#exclusive !== undefined) await this.#exclusive
      this.#log.writeStaged()
      const swapped = swap(this.#log).then((log) => {
        // Settings may have changed on the way.
        log.updateConfig(this.#log.config)
        this.#log = log
        this.#listen()
        this.#advance()
      })
      await this.#withoutAppends(swapped)
    })
  }

  async #withoutAppends(work: Promise<void>): Promise<void> {
    const settled = work.then(
      () => undefined,
      () => undefined,
    )
    this.#exclusive = settled
    try {
      await work
    } finally {
      this.#exclusive = undefined
      this.watchers.tell('state')
    }
  }

  get isBusy(): boolean {
    return this.#exclusive !== undefined
  }

  /** Resolves when the truncation that is under way, if any, has ended. */
  async settled(): Promise<void> {
    await this.#exclusive
  }

  /** The replica is gone from here: deleted, moved, or its disk failed. Everybody who waits is told `error`. */
  remove(error: ErrorCode): void {
    this.#removed = error
    this.#failWaiters(error)
  }

  #failWaiters(error: ErrorCode): void {
    this.#onLocal.fail(error)
    this.#onCommitted.fail(error)
    this.#roleChanged()
  }

  #roleChanged(): void {
    this.watchers.tell('role')
    this.#onFollowers.notify()
  }

  #advance(): void {
    const local = this.log.acknowledgeableOffset
    this.#onLocal.advance(local)
    const leadership = this.#leadership
    if (leadership === undefined || this.#removed !== undefined || local <= this.log.highWatermark) return
    if (this.isUnderMinIsr) return
    const committed = leadership.committedOffset(local, this.#deps.monotonicMs())
    if (committed <= this.log.highWatermark) return
    this.log.updateHighWatermark(committed)
    this.#onCommitted.advance(committed)
    this.watchers.tell('committed')
  }
}
