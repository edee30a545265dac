import { assert } from '../lib/assert.ts'
import { ZERO_UUID } from '../lib/uuid.ts'
import { buildBatch } from '../records/build.ts'
import type { PartitionLog } from '../storage/log.ts'
import { controlBatch, kraftVersion, kraftVoters, leaderChange } from './control-records.ts'
import { LogDelivery } from './log-delivery.ts'
import { metadataLogDirectory, type OpenedLog, openMetadataLog, scanQuorumRecords } from './metadata-log.ts'
import { readQuorumState, writeQuorumState } from './quorum-state-file.ts'
import {
  type CommittedBatch,
  NotLeaderError,
  QuorumError,
  type QuorumInfo,
  type RaftDeps,
  type RaftListener,
  type RaftOptions,
} from './raft-types.ts'
import { SnapshotStore } from './snapshot-store.ts'
import type { Snapshot } from './snapshot-file.ts'
import { initialState, type RaftEffect, type RaftEvent, type RaftState, step } from './step.ts'
import { isVoter, type Voter, withEndpoints } from './voters.ts'

/** Who leads the metadata log, what is in it and whom it concerns. */
interface Quorum {
  readonly kraftVersion: number
  readonly voters: readonly Voter[]
  /** The log, or a snapshot of it, has kraft.version; false while only the format command, or the configuration, said it. */
  readonly hasVersionInLog: boolean
  /** The log, or a snapshot of it, has exactly these voters. */
  readonly hasVotersInLog: boolean
}

interface Waiter {
  readonly offset: number
  readonly resolve: (offset: number) => void
  readonly reject: (error: Error) => void
}

/**
 * A member of the metadata quorum: performs what `step` asks for on the disk, and tells listeners what is committed. Committed is what is
 * synced on a majority; appends of one tick share a sync.
 */
export class RaftNode implements AsyncDisposable {
  readonly #options: RaftOptions
  readonly #deps: RaftDeps
  readonly #log: PartitionLog
  readonly #snapshots: SnapshotStore
  readonly #snapshot: Snapshot | undefined
  readonly #delivery: LogDelivery
  readonly #quorum: Quorum
  readonly #listeners: RaftListener[] = []
  readonly #waiters: Waiter[] = []
  #state: RaftState
  /** The epoch that listeners know this node to lead; -1: none. */
  #announcedEpoch = -1

  private constructor(options: RaftOptions, deps: RaftDeps, opened: OpenedLog, quorum: Quorum, epoch: number) {
    this.#options = options
    this.#deps = deps
    this.#log = opened.log
    this.#snapshot = opened.snapshot
    this.#quorum = quorum
    this.#snapshots = new SnapshotStore({ directory: metadataLogDirectory(options.logDir), ...options }, deps, opened)
    this.#state = initialState({ nodeId: options.nodeId, voters: quorum.voters.map(({ id }) => id), epoch })
    this.#delivery = new LogDelivery(
      { startOffset: opened.snapshot?.id.endOffset ?? 0 },
      {
        log: opened.log,
        compute: deps.compute,
        deliver: (batches, nextOffset) => this.#deliver(batches, nextOffset),
        fail: (error) => this.#failed(error),
      },
    )
    opened.log.onAcknowledgeable(() => this.#logDurable())
  }

  /**
   * Opens the log, its snapshots and the quorum state. Rejects with DiskError, SnapshotError, QuorumStateError, and with QuorumError
   * where this node cannot take part.
   */
  static async open(options: RaftOptions, deps: RaftDeps): Promise<RaftNode> {
    const opening: { node?: RaftNode } = {}
    const onFailure = (error: unknown) => {
      if (opening.node !== undefined) opening.node.#failed(error)
    }
    const opened = await openMetadataLog(options, { ...deps, onFailure })
    const { epoch } = readQuorumState(deps.disk, quorumStatePath(options))
    const lastEpoch = Math.max(opened.log.leaderEpochs.latestEpoch ?? 0, opened.snapshot?.id.epoch ?? 0)
    const quorum = await findQuorum(options, deps, opened)
    opening.node = new RaftNode(options, deps, opened, quorum, Math.max(epoch, lastEpoch))
    return opening.node
  }

  /** Call before `start`. */
  register(listener: RaftListener): void {
    this.#listeners.push(listener)
  }

  /** Tells the listeners the newest snapshot, then stands for election. */
  start(): void {
    if (this.#snapshot !== undefined) for (const listener of this.#listeners) listener.onSnapshot(this.#snapshot)
    // The only voter need not wait for another leader to be heard of.
    this.#step({ type: 'electionTimeout' })
  }

  get leaderAndEpoch(): { readonly leaderId: number; readonly epoch: number } {
    return { leaderId: this.#state.leaderId, epoch: this.#state.epoch }
  }
  get kraftVersion(): number {
    return this.#quorum.kraftVersion
  }
  /** The offset that the next proposed record gets. */
  get nextOffset(): number {
    return this.#log.logEndOffset
  }
  get highWatermark(): number {
    return this.#state.highWatermark
  }
  /** Bytes of the log, without snapshots. */
  get logSizeInBytes(): number {
    return this.#log.sizeInBytes()
  }

  /**
   * Appends encoded metadata records as one batch: all or none. Resolves with the last one's offset once they are committed and the
   * listeners have heard them. Rejects with NotLeaderError where this node does not lead, or stops to before that: then they may be
   * committed or not.
   */
  propose(records: readonly Uint8Array[]): Promise<number> {
    const { role, epoch } = this.#state
    if (role !== 'leader') return Promise.reject(new NotLeaderError('This node does not lead the metadata quorum'))
    const batch = buildBatch({
      records: records.map((value) => ({ key: null, value })),
      baseTimestampMs: this.#deps.clock.wallMs(),
    })
    const appended = this.#log.appendAsLeader(batch, epoch, 'REPLICATION')
    if (!appended.ok) return Promise.reject(new NotLeaderError(appended.message))
    return new Promise((resolve, reject) => {
      this.#waiters.push({ offset: appended.lastOffset, resolve, reject })
    })
  }

  /** Writes a snapshot of everything below `id.endOffset`, and drops what it makes superfluous. Rejects with DiskError. */
  async createSnapshot(
    id: { readonly endOffset: number; readonly epoch: number },
    lastContainedLogTimestampMs: number,
    records: Iterable<Uint8Array>,
  ): Promise<void> {
    assert(id.endOffset <= this.#delivery.nextOffset, 'a snapshot has nothing that is not committed')
    const { kraftVersion: version, voters } = this.#quorum
    await this.#snapshots.create({ id, lastContainedLogTimestampMs, kraftVersion: version, voters, records })
  }

  /** For DescribeQuorum. */
  quorumInfo(): QuorumInfo {
    const { leaderId, epoch, highWatermark, nodeId, durableOffsets } = this.#state
    const nowMs = this.#deps.clock.wallMs()
    const voters = this.#quorum.voters.map(({ id, directoryId, endpoints }) => {
      const isLeader = id === nodeId && id === leaderId
      return {
        id,
        directoryId,
        endpoints,
        logEndOffset: isLeader ? this.#log.logEndOffset : (durableOffsets.get(id) ?? -1),
        lastFetchTimestampMs: isLeader ? nowMs : -1,
        lastCaughtUpTimestampMs: isLeader ? nowMs : -1,
      }
    })
    return { leaderId, epoch, highWatermark, voters, observers: [] }
  }

  /** Leads no more, and closes the log; what was proposed and is not committed is rejected. */
  async close(): Promise<void> {
    this.#step({ type: 'resign' })
    this.#delivery.close()
    await this.#log.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #failed(error: unknown): void {
    this.#deps.logger.error({ err: error }, 'The metadata log failed')
    this.#step({ type: 'resign' })
  }

  #logDurable(): void {
    this.#step({
      type: 'logDurable',
      voterId: this.#options.nodeId,
      endOffset: this.#log.acknowledgeableOffset,
    })
  }

  #step(event: RaftEvent): void {
    const { state, effects } = step(this.#state, event)
    this.#state = state
    for (const effect of effects) this.#perform(effect)
  }

  #perform(effect: RaftEffect): void {
    switch (effect.type) {
      case 'persistQuorumState':
        this.#persist(effect.epoch, effect.leaderId, effect.votedId)
        return
      case 'appendLeaderChange':
        this.#startEpoch(effect.epoch, effect.votes)
        return
      case 'advanceHighWatermark':
        this.#log.updateHighWatermark(effect.offset)
        this.#delivery.advance(effect.offset)
        return
      case 'leadershipLost':
        this.#lost(effect.epoch)
    }
  }

  #persist(epoch: number, leaderId: number, votedId: number): void {
    const votedDirectoryId = votedId === this.#options.nodeId ? this.#options.directoryId : ZERO_UUID
    const state = { epoch, leaderId, votedId, votedDirectoryId }
    const quorum = { kraftVersion: this.kraftVersion, voters: this.#state.voters }
    writeQuorumState(this.#deps.disk, quorumStatePath(this.#options), state, quorum)
    this.#step({ type: 'quorumStatePersisted', epoch })
  }

  #startEpoch(epoch: number, votes: readonly number[]): void {
    const { nodeId } = this.#options
    const records = [leaderChange(nodeId, this.#state.voters, votes)]
    const { voters, hasVersionInLog, hasVotersInLog } = this.#quorum
    if (this.kraftVersion > 0 && !hasVersionInLog) records.push(kraftVersion(this.kraftVersion))
    if (this.kraftVersion > 0 && !hasVotersInLog) records.push(kraftVoters(voters))
    const batch = controlBatch(records, { baseOffset: 0, epoch, timestampMs: this.#deps.clock.wallMs() })
    const appended = this.#log.appendAsLeader(batch, epoch, 'REPLICATION')
    if (appended.ok) this.#step({ type: 'epochStarted', epoch, offset: appended.baseOffset })
    else this.#failed(appended.message)
  }

  #deliver(batches: readonly CommittedBatch[], nextOffset: number): void {
    for (const listener of this.#listeners) listener.onCommit(batches)
    const { role, epoch, leaderId, epochStartOffset } = this.#state
    if (role === 'leader' && this.#announcedEpoch !== epoch && nextOffset > epochStartOffset) {
      this.#announcedEpoch = epoch
      for (const listener of this.#listeners) listener.onLeaderChange({ leaderId, epoch })
    }
    while (this.#waiters[0] !== undefined && this.#waiters[0].offset < nextOffset) {
      const waiter = this.#waiters.shift()
      waiter?.resolve(waiter.offset)
    }
  }

  #lost(epoch: number): void {
    const error = new NotLeaderError('This node does not lead the metadata quorum any more')
    for (const { reject } of this.#waiters.splice(0)) reject(error)
    if (this.#announcedEpoch === -1) return
    this.#announcedEpoch = -1
    for (const listener of this.#listeners) listener.onLeaderChange({ leaderId: -1, epoch })
  }
}

function quorumStatePath({ logDir }: RaftOptions): string {
  return `${metadataLogDirectory(logDir)}/quorum-state`
}

/** The voters: those in the log, else those in the newest snapshot, else those of the configuration. */
async function findQuorum(options: RaftOptions, deps: RaftDeps, { log, snapshot }: OpenedLog): Promise<Quorum> {
  const inLog = await scanQuorumRecords(log, Math.max(log.logStartOffset, snapshot?.id.endOffset ?? 0), deps)
  const version = inLog.kraftVersion ?? snapshot?.kraftVersion ?? 0
  const dynamic = inLog.voters ?? snapshot?.voters
  const voters = version > 0 ? (dynamic ?? []) : options.staticVoters
  const { nodeId, directoryId } = options
  if (!isVoter(voters, nodeId, directoryId)) {
    throw new QuorumError(`Node ${nodeId} with directory ${directoryId} is not a voter of the metadata quorum`)
  }
  if (voters.length > 1) {
    const ids = voters.map(({ id }) => id).join(', ')
    throw new QuorumError(`The metadata quorum has the voters ${ids}: only one is supported`)
  }
  const hasVersionInLog = inLog.kraftVersion !== undefined || (snapshot?.id.endOffset ?? 0) > 0
  if (version === 0) return { kraftVersion: 0, voters, hasVersionInLog, hasVotersInLog: false }
  const current = withEndpoints(voters, nodeId, options.endpoints)
  return {
    kraftVersion: version,
    voters: current,
    hasVersionInLog,
    hasVotersInLog: hasVersionInLog && current === voters,
  }
}
