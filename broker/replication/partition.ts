import type { Compute } from '../env/compute.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { type ProduceRules, type ProduceVerdict, validateProduce } from '../records/validate.ts'
import type { PartitionLog } from '../storage/log.ts'
import { OffsetWaiters, type Reached, type Wait } from './waiters.ts'

/** What the metadata log says of one partition, as far as this broker acts on it. */
export interface PartitionState {
  readonly leader: number
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

/** Topic-level settings that an append obeys; offsets and times in ms, sizes in bytes. */
export interface AppendRules extends Omit<ProduceRules, 'nowMs'> {
  readonly minInSyncReplicas: number
  /** False for a topic that is compacted only: its records are not to be deleted by offset. */
  readonly deletesRecords: boolean
}

export interface RecordError {
  readonly batchIndex: number
  readonly message: string
}

/** Where an append ended up, or why it did not. */
export interface AppendOutcome {
  readonly error: ErrorCode
  readonly message: string | null
  readonly recordErrors: readonly RecordError[]
  readonly baseOffset: number
  /** The offset behind the append: acknowledged when the log, or the high watermark, gets there. */
  readonly nextOffset: number
  readonly logAppendTimeMs: number
  readonly logStartOffset: number
  readonly recordCount: number
}

const NO_RECORD_ERRORS: readonly RecordError[] = []

const WITHOUT_LOG_START: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.CORRUPT_MESSAGE,
  ErrorCode.MESSAGE_TOO_LARGE,
  ErrorCode.RECORD_LIST_TOO_LARGE,
  ErrorCode.KAFKA_STORAGE_ERROR,
])

export function refusedAppend(
  error: ErrorCode,
  message: string | null = null,
  recordErrors = NO_RECORD_ERRORS,
): AppendOutcome {
  return {
    error,
    message,
    recordErrors,
    baseOffset: -1,
    nextOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    recordCount: 0,
  }
}

export interface PartitionDeps {
  readonly compute: Compute
  wallMs(): number
}

/**
 * One replica hosted here: its log, its role, and those who wait on it. The high watermark is the lowest acknowledgeable offset of
 * the in-sync replicas.
 */
export class Partition {
  readonly log: PartitionLog
  readonly topicId: string
  readonly #nodeId: number
  readonly #deps: PartitionDeps
  readonly #onLocal = new OffsetWaiters()
  readonly #onCommitted = new OffsetWaiters()
  readonly #onProgress = new Set<() => void>()
  #state: PartitionState
  #rules: AppendRules
  #order: Promise<unknown> | undefined
  #removed: ErrorCode | undefined

  constructor(
    options: { nodeId: number; topicId: string; state: PartitionState; rules: AppendRules; log: PartitionLog },
    deps: PartitionDeps,
  ) {
    this.log = options.log
    this.topicId = options.topicId
    this.#nodeId = options.nodeId
    this.#state = options.state
    this.#rules = options.rules
    this.#deps = deps
    this.log.onAcknowledgeable(() => this.#advance())
    this.#lead()
    this.#advance()
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
  /** No more than the replicas that there are: as in Apache Kafka, a topic with fewer is not held to it. */
  get minInSyncReplicas(): number {
    return Math.min(this.#rules.minInSyncReplicas, this.#state.replicas.length)
  }
  get isUnderMinIsr(): boolean {
    return this.#state.isr.length < this.minInSyncReplicas
  }

  configure(rules: AppendRules): void {
    this.#rules = rules
  }

  /** Takes over a new state from the metadata log. Whoever waits on a leadership that has ended hears so. */
  update(state: PartitionState): void {
    const wasLeader = this.isLeader
    this.#state = state
    this.#lead()
    if (wasLeader && !this.isLeader) this.#failWaiters(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    else this.#advance()
  }

  /** A leader's epoch begins where its log ends, before it has written anything (KIP-101). */
  #lead(): void {
    const { leaderEpochs, logEndOffset } = this.log
    const { leaderEpoch } = this.#state
    if (this.isLeader && leaderEpoch > leaderEpochs.latestEpoch) leaderEpochs.assign(leaderEpoch, logEndOffset)
  }

  /** The error with which this replica answers a client that believes in `leaderEpoch` (-1: any), or NONE (KIP-320). */
  checkLeader(leaderEpoch: number): ErrorCode {
    if (this.#removed !== undefined) return this.#removed
    if (leaderEpoch !== -1 && leaderEpoch < this.#state.leaderEpoch) return ErrorCode.FENCED_LEADER_EPOCH
    if (leaderEpoch !== -1 && leaderEpoch > this.#state.leaderEpoch) return ErrorCode.UNKNOWN_LEADER_EPOCH
    return this.isLeader ? ErrorCode.NONE : ErrorCode.NOT_LEADER_OR_FOLLOWER
  }

  /**
   * Validates and appends what a client or a coordinator sent. Synchronous unless a codec needs the thread pool; appends then keep
   * the order in which they came, since a producer's sequence numbers depend on it.
   */
  append(records: Uint8Array, requireInSync: boolean): AppendOutcome | Promise<AppendOutcome> {
    if (this.#order !== undefined) return this.#inOrder(this.#order.then(() => this.#appendNow(records, requireInSync)))
    const outcome = this.#appendNow(records, requireInSync)
    return outcome instanceof Promise ? this.#inOrder(outcome) : outcome
  }

  #inOrder(outcome: Promise<AppendOutcome>): Promise<AppendOutcome> {
    const settled: Promise<void> = outcome.then(
      () => this.#leave(settled),
      () => this.#leave(settled),
    )
    this.#order = settled
    return outcome
  }

  #leave(settled: Promise<unknown>): void {
    if (this.#order === settled) this.#order = undefined
  }

  #appendNow(records: Uint8Array, requireInSync: boolean): AppendOutcome | Promise<AppendOutcome> {
    const refused = this.#refusal(requireInSync)
    if (refused !== undefined) return refused
    const verdict = validateProduce(records, { ...this.#rules, nowMs: this.#deps.wallMs() }, this.#deps.compute)
    return verdict instanceof Promise
      ? verdict.then((checked) => this.#refusal(requireInSync) ?? this.#appendChecked(checked))
      : this.#appendChecked(verdict)
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

  #appendChecked(verdict: ProduceVerdict): AppendOutcome {
    if (!verdict.ok) return this.#refused(ErrorCode[verdict.error], verdict.message, verdict.recordErrors)
    const appended = this.log.appendAsLeader(verdict.bytes, this.#state.leaderEpoch)
    if (!appended.ok) return this.#refused(ErrorCode[appended.error], appended.message)
    return {
      error: ErrorCode.NONE,
      message: null,
      recordErrors: NO_RECORD_ERRORS,
      baseOffset: appended.baseOffset,
      nextOffset: appended.lastOffset + 1,
      logAppendTimeMs: verdict.logAppendTimeMs,
      logStartOffset: appended.logStartOffset,
      recordCount: appended.duplicate ? 0 : verdict.recordCount,
    }
  }

  /** Producers learn from the log's start whether their earlier records can be gone (KIP-360); of some errors Kafka does not tell it. */
  #refused(error: ErrorCode, message: string, recordErrors?: readonly RecordError[]): AppendOutcome {
    const outcome = refusedAppend(error, message, recordErrors)
    return WITHOUT_LOG_START.has(error) ? outcome : { ...outcome, logStartOffset: this.log.logStartOffset }
  }

  /** Calls `reached` when everything below `offset` is in this replica's file. */
  awaitLocal(offset: number, reached: Reached): Wait {
    return this.#await(this.#onLocal, this.log.acknowledgeableOffset, offset, reached)
  }

  /** Calls `reached` when everything below `offset` is on all in-sync replicas. */
  awaitCommitted(offset: number, reached: Reached): Wait {
    return this.#await(this.#onCommitted, this.log.highWatermark, offset, reached)
  }

  #await(waiters: OffsetWaiters, at: number, offset: number, reached: Reached): Wait {
    const wait = waiters.add(offset, reached)
    if (this.#removed !== undefined) waiters.fail(this.#removed)
    else if (offset <= at) waiters.advance(at)
    return wait
  }

  /** Calls `progressed` each time that more can be read or the role changes, until the returned wait is cancelled. */
  onProgress(progressed: () => void): Wait {
    this.#onProgress.add(progressed)
    return { cancel: () => void this.#onProgress.delete(progressed) }
  }

  /** The replica is gone from here: deleted, moved, or its disk failed. Everybody who waits is told `error`. */
  remove(error: ErrorCode): void {
    this.#removed = error
    this.#failWaiters(error)
  }

  #failWaiters(error: ErrorCode): void {
    this.#onLocal.fail(error)
    this.#onCommitted.fail(error)
    this.#progress()
  }

  #advance(): void {
    const local = this.log.acknowledgeableOffset
    this.#onLocal.advance(local)
    if (!this.isLeader || !this.#isOnlyInSyncReplica() || local <= this.log.highWatermark) return
    this.log.updateHighWatermark(local)
    this.#onCommitted.advance(local)
    this.#progress()
  }

  /** Those who are told may stop to wait, or begin to, meanwhile. */
  #progress(): void {
    for (const progressed of Array.from(this.#onProgress)) progressed()
  }

  #isOnlyInSyncReplica(): boolean {
    return this.#state.isr.length === 1 && this.#state.isr[0] === this.#nodeId
  }
}
