import type { Timer } from '../env/clock.ts'
import type { Address } from '../env/network.ts'
import { ZERO_UUID } from '../lib/uuid.ts'
import type { NewRecord } from '../records/record.ts'
import { isTooManyFiles } from '../storage/errors.ts'
import type { PartitionLog } from '../storage/log.ts'
import { RETRY_MS } from '../storage/patience.ts'
import { Audience } from './audience.ts'
import { controlBatch, kraftVersion, kraftVoters, leaderChange } from './control-records.ts'
import { metadataLogDirectory } from './metadata-log.ts'
import type { QuorumEntry, QuorumHistory } from './quorum-history.ts'
import { type QuorumState, writeQuorumState } from './quorum-state-file.ts'
import type { RaftDeps, RaftOptions } from './raft-types.ts'
import type { SnapshotStore } from './snapshot-store.ts'
import {
  hasCommittedEpoch,
  initialState,
  isVoter,
  leaderOf,
  nextDeadline,
  NOBODY,
  type RaftEffect,
  type RaftEvent,
  type RaftState,
  type ReplicaKey,
} from './state.ts'
import { step } from './step.ts'
import { type Voter, type VoterEndpoint, withEndpoints } from './voters.ts'

/** Resolution of the random part of time-outs. */
const JITTER_STEPS = 0x1_0000

/** What a member of the quorum has to say to others. */
export interface Outbox {
  requestVotes(epoch: number, isPreVote: boolean): void
  beginQuorumEpoch(voters: readonly ReplicaKey[]): void
  endQuorumEpoch(epoch: number, successors: readonly ReplicaKey[]): void
}

export interface RaftCoreParts {
  readonly log: PartitionLog
  readonly snapshots: SnapshotStore
  readonly history: QuorumHistory
  /** As far as a snapshot reaches: the listeners begin there. */
  readonly startOffset: number
  readonly quorumState: QuorumState
}

export function quorumStatePath({ logDir }: RaftOptions): string {
  return `${metadataLogDirectory(logDir)}/quorum-state`
}

/**
 * The state of a member of the quorum, and what `step` asks for done: on the disk, in the log and with the listeners here, with other
 * nodes through the outbox.
 */
export class RaftCore {
  readonly options: RaftOptions
  readonly deps: RaftDeps
  readonly log: PartitionLog
  readonly snapshots: SnapshotStore
  readonly history: QuorumHistory
  readonly audience: Audience
  readonly self: ReplicaKey
  readonly #observers: ((before: RaftState) => void)[] = []
  /** Where nodes listen, as others said. */
  readonly #addresses = new Map<number, Address>()
  #outbox: Outbox | undefined
  #state: RaftState
  #depth = 0
  /** As the observers know it. */
  #observed: RaftState
  /** What is known to be committed of it. */
  #committed: QuorumEntry
  #timer: { readonly deadlineMs: number; readonly timer: Timer } | undefined
  /** Too many files were open to write `quorum-state`: what comes with time waits for this. */
  #retry: Timer | undefined
  #isShortOfFiles = false
  /** The log is being truncated: nothing may be appended. */
  #truncating: Promise<void> | undefined
  /** The high watermark that the leader of this epoch told first. */
  #firstHeard: { readonly epoch: number; readonly offset: number } | undefined

  constructor(options: RaftOptions, deps: RaftDeps, parts: RaftCoreParts) {
    const { log, quorumState, history } = parts
    this.options = options
    this.deps = deps
    this.log = log
    this.snapshots = parts.snapshots
    this.history = history
    this.self = { id: options.nodeId, directoryId: options.directoryId }
    const fail = (error: unknown) => this.fail(error)
    this.audience = new Audience(
      { nodeId: options.nodeId, startOffset: parts.startOffset },
      { log, clock: deps.clock, compute: deps.compute, fail },
    )
    const { votedId, votedDirectoryId } = quorumState
    this.#state = initialState({
      self: this.self,
      timeouts: {
        fetchMs: options.fetchTimeoutMs,
        electionMs: options.electionTimeoutMs,
        electionBackoffMaxMs: options.electionBackoffMaxMs,
      },
      voters: history.current.voters,
      possibleVoters: history.votersFrom(parts.startOffset),
      epoch: quorumState.epoch,
      leaderId: quorumState.leaderId,
      voted: votedId < 0 ? undefined : { id: votedId, directoryId: votedDirectoryId },
      highWatermark: parts.startOffset,
    })
    this.#observed = this.#state
    this.#committed = history.at(parts.startOffset)
    log.listen({
      acknowledgeable: () => this.apply({ type: 'logDurable', endOffset: log.acknowledgeableOffset }),
    })
  }

  /** Call once, before anything is applied. */
  connect(outbox: Outbox): void {
    this.#outbox = outbox
  }

  /** Calls `changed` after each event that changed the state, with the state before it. */
  observe(changed: (before: RaftState) => void): void {
    this.#observers.push(changed)
  }

  get state(): RaftState {
    return this.#state
  }
  get isStopped(): boolean {
    return this.#state.role.name === 'stopped'
  }
  get voters(): readonly Voter[] {
    return this.history.current.voters
  }
  get logEnd(): { readonly endOffset: number; readonly lastEpoch: number } {
    const { logEndOffset, leaderEpochs } = this.log
    const { latestEpoch } = leaderEpochs
    return {
      endOffset: logEndOffset,
      lastEpoch: latestEpoch < 0 ? (this.snapshots.newest?.id.epoch ?? 0) : latestEpoch,
    }
  }

  /**
   * Performs what the event leads to; for `voteRequested`, whether the vote is given. Where too many files are open to write what must not
   * be forgotten, the event did not happen, as if the message were lost.
   */
  apply(event: RaftEvent): boolean {
    this.#depth++
    try {
      const { state, effects, isGranted = false } = step(this.#state, event, this.#moment())
      if (!this.#remember(event, state, effects)) return false
      this.#state = state
      for (const effect of effects) {
        if (this.isStopped && effect.type !== 'leadershipLost') break
        this.#perform(effect)
      }
      return isGranted && !this.isStopped
    } finally {
      this.#depth--
      if (this.#depth === 0) this.#settle()
    }
  }

  /** The disk failed: this node leads, votes and follows no more. */
  fail(error: unknown): void {
    if (this.isStopped) return
    this.deps.logger.error({ err: error }, 'The metadata log failed')
    this.apply({ type: 'stop' })
    this.deps.onFailed?.(error)
  }

  /** A leader told the high watermark. */
  heardHighWatermark(epoch: number, offset: number): void {
    if (offset >= 0 && this.#firstHeard?.epoch !== epoch) this.#firstHeard = { epoch, offset }
  }

  learnAddress(nodeId: number, address: Address): void {
    if (address.host !== '') this.#addresses.set(nodeId, { host: address.host, port: address.port })
  }

  /** Where the node's controller listens, as far as known. */
  addressOf(nodeId: number): Address | undefined {
    return this.#addresses.get(nodeId) ?? this.voterAddress(nodeId)
  }

  voterAddress(nodeId: number): Address | undefined {
    const endpoints = this.voters.find(({ id }) => id === nodeId)?.endpoints ?? []
    return this.reachable(nodeId === this.self.id ? this.options.endpoints : endpoints)
  }

  /** The endpoint for controllers among those of a node. */
  reachable(endpoints: readonly VoterEndpoint[]): Address | undefined {
    const endpoint = endpoints.find(({ name }) => name === this.options.controllerListenerName) ?? endpoints[0]
    return endpoint === undefined ? undefined : { host: endpoint.host, port: endpoint.port }
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.deps.clock.setTimer(ms, resolve)
    })
  }

  /** Appends control records for the epoch that this node leads; gives their offset. Undefined where too many files are open, or the log failed. */
  appendControl(records: readonly NewRecord[]): number | undefined {
    const { epoch } = this.#state
    const batch = controlBatch(records, { baseOffset: 0, epoch, timestampMs: this.deps.clock.wallMs() })
    const appended = this.log.appendAsLeader(batch, epoch, 'REPLICATION')
    if (appended.ok) return appended.baseOffset
    if (this.log.isFailed || appended.error !== 'KAFKA_STORAGE_ERROR') this.fail(new Error(appended.message))
    return undefined
  }

  /** Appends the voters, and `version` where it changes: they count at once. */
  appendVoters(voters: readonly Voter[], version?: number): number | undefined {
    const records = [...(version === undefined ? [] : [kraftVersion(version)]), kraftVoters(voters)]
    const offset = this.appendControl(records)
    if (offset === undefined) return undefined
    this.history.append(offset, { kraftVersion: version, voters })
    this.quorumChanged()
    this.#resignAfter(offset)
    return offset
  }

  quorumChanged(): void {
    const { highWatermark } = this.#state
    this.#committed = this.history.at(highWatermark)
    this.apply({ type: 'votersChanged', voters: this.voters, possibleVoters: this.history.votersFrom(highWatermark) })
  }

  /** Drops the log from `offset` on, or from where it is damaged before that, and what it said of the quorum there. */
  async truncate(offset: number): Promise<void> {
    const truncating = this.log.truncateTo(offset)
    this.#truncating = truncating
    try {
      await truncating
    } finally {
      this.#truncating = undefined
    }
    if (this.history.truncate(Math.min(offset, this.log.logEndOffset))) this.quorumChanged()
  }

  async close(): Promise<void> {
    this.apply({ type: 'stop' })
    this.audience.close()
    await this.#truncating?.catch(() => undefined)
    await this.log.close()
  }

  #moment() {
    return {
      nowMs: this.deps.clock.monotonicMs(),
      jitter: this.deps.random.below(JITTER_STEPS) / JITTER_STEPS,
      log: this.logEnd,
    }
  }

  #perform(effect: RaftEffect): void {
    switch (effect.type) {
      case 'persistQuorumState':
        // The first of all, before the state: `#remember`.
        return
      case 'appendLeaderChange':
        this.#startEpoch(effect.epoch, effect.votes)
        return
      case 'advanceHighWatermark':
        this.log.updateHighWatermark(effect.offset)
        this.audience.advance(effect.offset)
        this.#votersCommitted()
        return
      case 'leadershipLost':
        this.audience.leadershipLost()
        return
      case 'requestVotes':
        this.#outbox?.requestVotes(effect.epoch, effect.isPreVote)
        return
      case 'beginQuorumEpoch':
        this.#outbox?.beginQuorumEpoch(effect.voters)
        return
      case 'endQuorumEpoch':
        this.#outbox?.endQuorumEpoch(effect.epoch, effect.successors)
    }
  }

  #votersCommitted(): void {
    if (this.history.at(this.#state.highWatermark) !== this.#committed) this.quorumChanged()
  }

  /** A leader that is no voter any more leads until that is committed, and those who wait for it have heard. */
  #resignAfter(offset: number): void {
    if (isVoter(this.#state)) return
    this.audience.heard(offset).then(
      () => this.apply({ type: 'resign' }),
      () => undefined,
    )
  }

  /** Writes what is first among the effects, if it is to be written. False where that failed: nothing else is to be done. */
  #remember(event: RaftEvent, next: RaftState, [first]: readonly RaftEffect[]): boolean {
    if (first?.type !== 'persistQuorumState') return true
    const { epoch, leaderId, voted } = first
    const state = { epoch, leaderId, votedId: voted?.id ?? NOBODY, votedDirectoryId: voted?.directoryId ?? ZERO_UUID }
    const quorum = { kraftVersion: this.history.current.kraftVersion, voters: next.voters.map(({ id }) => id) }
    try {
      writeQuorumState(this.deps.disk, quorumStatePath(this.options), state, quorum)
      this.#isShortOfFiles = false
      return true
    } catch (error) {
      if (isTooManyFiles(error)) this.#putOff(event, next)
      else this.fail(error)
      return false
    }
  }

  #putOff(event: RaftEvent, { voters, possibleVoters }: RaftState): void {
    // Who the voters are stands in the log: that is no promise of this node's.
    this.#state = { ...this.#state, voters, possibleVoters }
    if (this.#retry !== undefined && event.type !== 'start') return
    if (!this.#isShortOfFiles) this.deps.logger.warn({}, 'Too many files are open to write quorum-state')
    this.#isShortOfFiles = true
    const again: RaftEvent = event.type === 'start' ? event : { type: 'tick' }
    this.#retry?.cancel()
    this.#retry = this.deps.clock.setTimer(RETRY_MS, () => {
      this.#retry = undefined
      this.apply(again)
    })
  }

  #startEpoch(epoch: number, votes: readonly number[]): void {
    const { role } = this.#state
    if (role.name !== 'leader' || this.#state.epoch !== epoch) return
    if (this.#truncating !== undefined) {
      const start = () => this.#startEpoch(epoch, votes)
      this.#truncating.then(start, start)
      return
    }
    const { kraftVersion: version, voters, votersOffset, offset: entryOffset } = this.history.current
    const records = [
      leaderChange(
        this.self.id,
        voters.map(({ id }) => id),
        votes,
      ),
    ]
    const current = version > 0 ? withEndpoints(voters, this.self.id, this.options.endpoints) : voters
    const isNew = version > 0 && (votersOffset < 0 || current !== voters)
    if (version > 0 && entryOffset < 0) records.push(kraftVersion(version))
    if (isNew) records.push(kraftVoters(current))
    const offset = this.appendControl(records)
    // Another may have a file for it; where there is no other, this one is elected again.
    if (offset === undefined) return void this.apply({ type: 'resign' })
    if (isNew) this.history.append(offset, { kraftVersion: version, voters: current })
    this.apply({ type: 'epochStarted', epoch, offset })
    if (isNew) this.quorumChanged()
    this.#resignAfter(offset)
  }

  /** After an event and all that it led to. */
  #settle(): void {
    // Also where nothing has changed: a timer may fire a little early, and is needed once more.
    this.#setTimer(this.#retry === undefined ? nextDeadline(this.#state) : Infinity)
    const before = this.#observed
    if (before === this.#state) return
    this.#observed = this.#state
    this.audience.setLeadership({
      leaderId: leaderOf(this.#state),
      epoch: this.#state.epoch,
      readyOffset: this.#readyOffset(),
    })
    for (const changed of this.#observers) changed(before)
  }

  #setTimer(deadlineMs: number): void {
    if (deadlineMs === this.#timer?.deadlineMs) return
    this.#timer?.timer.cancel()
    this.#timer = undefined
    if (deadlineMs === Infinity) return
    const { clock } = this.deps
    const timer = clock.setTimer(Math.max(0, deadlineMs - clock.monotonicMs()), () => {
      this.#timer = undefined
      this.apply({ type: 'tick' })
    })
    this.#timer = { deadlineMs, timer }
  }

  /** What must have been heard before the listeners may know who leads. */
  #readyOffset(): number {
    const { role, epoch } = this.#state
    if (role.name === 'leader') return hasCommittedEpoch(this.#state) ? role.epochStartOffset + 1 : Infinity
    return this.#firstHeard?.epoch === epoch ? this.#firstHeard.offset : Infinity
  }
}
