import type { Address } from '../env/network.ts'
import { assert } from '../lib/assert.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestOf, ResponseInputOf } from '../protocol/apis.ts'
import { buildBatch } from '../records/build.ts'
import { checkBatch } from './batch-limit.ts'
import { type FetchContext, FetchServer } from './fetch-server.ts'
import { LogFetcher } from './log-fetcher.ts'
import { Membership } from './membership.ts'
import { metadataLogDirectory, type OpenedLog, openMetadataLog, readQuorum } from './metadata-log.ts'
import { QuorumHistory } from './quorum-history.ts'
import { QuorumMessenger } from './quorum-messenger.ts'
import { QuorumRequests } from './quorum-requests.ts'
import { type QuorumState, readQuorumState } from './quorum-state-file.ts'
import { quorumStatePath, RaftCore } from './raft-core.ts'
import {
  NotLeaderError,
  QuorumError,
  type QuorumInfo,
  type RaftDeps,
  type RaftListener,
  type RaftOptions,
} from './raft-types.ts'
import { RaftRates, type RaftRateValues } from './raft-rates.ts'
import { ReplicaProgress } from './replica-progress.ts'
import type { Snapshot } from './snapshot-file.ts'
import { SnapshotStore } from './snapshot-store.ts'
import { hasCommittedEpoch, isSameReplica, leaderOf, NOBODY, type RaftState } from './state.ts'
import { VoterChanges } from './voter-changes.ts'

/**
 * A member of the metadata quorum, voter or observer: keeps the log, takes part in elections, and tells listeners what is committed.
 * Committed is what is synced on a majority; appends of one tick share a sync. KIP-595, KIP-630, KIP-853, KIP-996, KIP-1166.
 */
export class RaftNode implements AsyncDisposable {
  readonly #core: RaftCore
  readonly #snapshot: Snapshot | undefined
  readonly #messenger: QuorumMessenger
  readonly #requests: QuorumRequests
  readonly #progress: ReplicaProgress
  readonly #server: FetchServer
  readonly #changes: VoterChanges
  readonly #rates: RaftRates

  private constructor(core: RaftCore, snapshot: Snapshot | undefined) {
    this.#core = core
    this.#snapshot = snapshot
    this.#messenger = new QuorumMessenger(core)
    this.#requests = new QuorumRequests(core)
    this.#progress = new ReplicaProgress(core.deps)
    this.#rates = new RaftRates(core.deps)
    const parts = { requests: this.#requests, progress: this.#progress }
    this.#server = new FetchServer(core, parts)
    this.#changes = new VoterChanges(core, parts)
    core.connect(this.#messenger)
  }

  /**
   * Opens the log, its snapshots and the quorum state. Rejects with DiskError, SnapshotError, QuorumStateError, and with QuorumError
   * where this node cannot take part.
   */
  static async open(options: RaftOptions, deps: RaftDeps): Promise<RaftNode> {
    const opening: { parts?: { core: RaftCore; node: RaftNode } } = {}
    const opened = await openMetadataLog(options, {
      ...deps,
      onFailure: (error) => opening.parts?.core.fail(error),
      onWritten: () => opening.parts?.node.onWritten(),
    })
    const history = await findQuorum(options, deps, opened)
    const directory = metadataLogDirectory(options.logDir)
    const core = new RaftCore(options, deps, {
      log: opened.log,
      snapshots: new SnapshotStore({ directory, retention: options.retention }, deps, opened),
      history,
      startOffset: opened.snapshot?.id.endOffset ?? 0,
      quorumState: stateAtStart(options, deps, opened),
    })
    const node = new RaftNode(core, opened.snapshot)
    opening.parts = { core, node }
    return node
  }

  /** What was appended can be read: the replicas need not wait until it is synced here. */
  onWritten(): void {
    this.#server.wake()
  }

  /** Call before `start`. */
  register(listener: RaftListener): void {
    this.#core.audience.register(listener)
  }

  /** Tells the listeners the newest snapshot, then looks for the leader, or for votes. */
  start(): void {
    const core = this.#core
    if (this.#snapshot !== undefined) core.audience.load(this.#snapshot)
    const onFetched = (records: number): void => this.#rates.fetched(records)
    const fetcher = new LogFetcher(core, { membership: new Membership(core), onFetched })
    core.observe((before) => this.#changed(before, fetcher))
    core.apply({ type: 'start' })
    fetcher.update()
  }

  #changed(before: RaftState, fetcher: LogFetcher): void {
    const { role, epoch, leaderId, highWatermark } = this.#core.state
    const isElsewhere = role.name !== before.role.name || epoch !== before.epoch || leaderId !== before.leaderId
    if (isElsewhere) {
      if (role.name === 'leader') this.#progress.clear()
      else this.#rates.forget()
      if (role.name === 'prospective' || role.name === 'candidate') this.#rates.stands()
      else if (role.name === 'leader' || role.name === 'follower') this.#rates.elected()
      const isQuiet = role.name === 'prospective' || before.role.name === 'prospective'
      this.#core.deps.logger[isQuiet ? 'debug' : 'info'](
        { role: this.role, epoch, leaderId },
        'The role in the metadata quorum changed',
      )
      fetcher.update()
    }
    if (highWatermark !== before.highWatermark) this.#rates.committed(highWatermark)
    if (isElsewhere || highWatermark !== before.highWatermark) this.#server.wake()
  }

  get leaderAndEpoch(): { readonly leaderId: number; readonly epoch: number } {
    return { leaderId: leaderOf(this.#core.state), epoch: this.#core.state.epoch }
  }
  /** Where the leader's controller listens, as far as this node knows. */
  get leaderAddress(): Address | undefined {
    const { leaderId } = this.leaderAndEpoch
    return leaderId === NOBODY ? undefined : this.#core.addressOf(leaderId)
  }
  get kraftVersion(): number {
    return this.#core.history.current.kraftVersion
  }
  /** The offset that the next proposed record gets. */
  get nextOffset(): number {
    return this.#core.log.logEndOffset
  }
  get highWatermark(): number {
    return this.#core.state.highWatermark
  }
  /** Whom this node voted for in this epoch; -1: nobody. */
  get votedId(): number {
    return this.#core.state.voted?.id ?? NOBODY
  }
  /** How much goes through this node. */
  get rates(): RaftRateValues {
    return this.#rates.values()
  }
  /** Bytes of the log, without snapshots. */
  get logSizeInBytes(): number {
    return this.#core.log.sizeInBytes()
  }
  /** `leader`, `follower`, `observer`, `unattached`, `prospective`, `candidate`, `resigned` or `stopped`. */
  get role(): string {
    const { role, voters, self } = this.#core.state
    const isObserver = !voters.some((voter) => isSameReplica(voter, self))
    return role.name === 'follower' && isObserver ? 'observer' : role.name
  }

  /**
   * Appends encoded metadata records as one batch: all or none. Resolves with the last one's offset once they are committed and the
   * listeners have heard them. Rejects with NotLeaderError where this node does not lead, or ceases to before that: then they may be
   * committed or not. Throws RecordsTooLargeError.
   */
  propose(records: readonly Uint8Array[]): Promise<number> {
    const { role, epoch } = this.#core.state
    if (role.name !== 'leader' || role.epochStartOffset < 0) {
      return Promise.reject(new NotLeaderError('This node does not lead the metadata quorum'))
    }
    checkBatch(records)
    const batch = buildBatch({
      records: records.map((value) => ({ key: null, value })),
      baseTimestampMs: this.#core.deps.clock.wallMs(),
    })
    const appended = this.#core.log.appendAsLeader(batch, epoch, 'REPLICATION')
    if (!appended.ok) return Promise.reject(new NotLeaderError(appended.message))
    this.#rates.appended(records.length, appended.lastOffset)
    return this.#core.audience.heard(appended.lastOffset)
  }

  /** Writes a snapshot of everything below `id.endOffset`, and drops what it makes superfluous. Rejects with DiskError. */
  async createSnapshot(
    id: { readonly endOffset: number; readonly epoch: number },
    lastContainedLogTimestampMs: number,
    records: Iterable<Uint8Array>,
  ): Promise<void> {
    const { audience, history, snapshots } = this.#core
    assert(id.endOffset <= audience.nextOffset, 'a snapshot has nothing that is not committed')
    const { kraftVersion, voters } = history.at(id.endOffset)
    await snapshots.create({ id, lastContainedLogTimestampMs, kraftVersion, voters, records })
  }

  /**
   * Raises kraft.version (UpdateFeatures), where this node leads; says what is against it, or null. The records are in the log on return;
   * with `validateOnly` they are not.
   */
  upgradeKraftVersion(version: number, options: { readonly validateOnly: boolean }): string | null {
    return this.#changes.upgrade(version, options)
  }

  /** Hands leadership over; resolves when the other voters know. For a shutdown, before `close`. */
  async resign(): Promise<void> {
    if (this.#core.state.role.name !== 'leader') return
    this.#core.apply({ type: 'resign' })
    await this.#messenger.ending
  }

  /** Vote (52). */
  vote(request: RequestOf<typeof ApiKey.Vote>): ResponseInputOf<typeof ApiKey.Vote> {
    return this.#requests.vote(request)
  }
  /** BeginQuorumEpoch (53). */
  beginQuorumEpoch(
    request: RequestOf<typeof ApiKey.BeginQuorumEpoch>,
  ): ResponseInputOf<typeof ApiKey.BeginQuorumEpoch> {
    return this.#requests.beginQuorumEpoch(request)
  }
  /** EndQuorumEpoch (54). */
  endQuorumEpoch(request: RequestOf<typeof ApiKey.EndQuorumEpoch>): ResponseInputOf<typeof ApiKey.EndQuorumEpoch> {
    return this.#requests.endQuorumEpoch(request)
  }
  /** Fetch (1) of the metadata log. */
  fetch(request: RequestOf<typeof ApiKey.Fetch>, context: FetchContext): Promise<ResponseInputOf<typeof ApiKey.Fetch>> {
    return this.#server.fetch(request, context)
  }
  /** FetchSnapshot (59). */
  fetchSnapshot(
    request: RequestOf<typeof ApiKey.FetchSnapshot>,
  ): Promise<ResponseInputOf<typeof ApiKey.FetchSnapshot>> {
    return this.#requests.fetchSnapshot(request)
  }
  /** AddRaftVoter (80). */
  addVoter(request: RequestOf<typeof ApiKey.AddRaftVoter>): Promise<ResponseInputOf<typeof ApiKey.AddRaftVoter>> {
    return this.#changes.add(request)
  }
  /** RemoveRaftVoter (81). */
  removeVoter(
    request: RequestOf<typeof ApiKey.RemoveRaftVoter>,
  ): Promise<ResponseInputOf<typeof ApiKey.RemoveRaftVoter>> {
    return this.#changes.remove(request)
  }
  /** UpdateRaftVoter (82). */
  updateVoter(request: RequestOf<typeof ApiKey.UpdateRaftVoter>): ResponseInputOf<typeof ApiKey.UpdateRaftVoter> {
    return this.#changes.update(request)
  }

  /** For DescribeQuorum; only the leader knows how far the replicas are. */
  quorumInfo(): QuorumInfo {
    const { state, voters, self, log, options } = this.#core
    const isLeader = state.role.name === 'leader'
    const nowMs = this.#core.deps.clock.wallMs()
    const replicas = isLeader ? this.#progress.list() : []
    const own = { logEndOffset: log.logEndOffset, lastFetchTimestampMs: nowMs, lastCaughtUpTimestampMs: nowMs }
    const unknown = { logEndOffset: -1, lastFetchTimestampMs: -1, lastCaughtUpTimestampMs: -1 }
    const told = replicas.map(({ replica, endOffset, lastFetchMs, lastCaughtUpMs }) => ({
      ...replica,
      endpoints: [],
      logEndOffset: endOffset,
      lastFetchTimestampMs: lastFetchMs,
      lastCaughtUpTimestampMs: lastCaughtUpMs,
    }))
    return {
      ...this.leaderAndEpoch,
      isLeader,
      highWatermark: isLeader && !hasCommittedEpoch(state) ? -1 : state.highWatermark,
      voters: voters.map(({ id, directoryId, endpoints }) => {
        const progress = told.find((replica) => isSameReplica({ id, directoryId }, replica)) ?? unknown
        const isSelf = isLeader && id === options.nodeId
        return { ...(isSelf ? own : progress), id, directoryId, endpoints }
      }),
      observers: told.filter(
        (replica) => replica.id !== self.id && !voters.some((voter) => isSameReplica(voter, replica)),
      ),
    }
  }

  /** Takes part no more, and closes the log; what was proposed and is not committed is rejected. */
  close(): Promise<void> {
    return this.#core.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** An epoch is written to `quorum-state` before there are records of it: where the file is gone, the log still has the latest. */
function stateAtStart(options: RaftOptions, deps: RaftDeps, { log, snapshot }: OpenedLog): QuorumState {
  const state = readQuorumState(deps.disk, quorumStatePath(options))
  const logEpoch = Math.max(log.leaderEpochs.latestEpoch, snapshot?.id.epoch ?? 0)
  if (logEpoch <= state.epoch) return state
  return { ...state, epoch: logEpoch, leaderId: NOBODY, votedId: NOBODY }
}

/** The voters: those in the log, else those in the newest snapshot, else those of the configuration. */
async function findQuorum(options: RaftOptions, deps: RaftDeps, opened: OpenedLog): Promise<QuorumHistory> {
  const { log, snapshot } = opened
  const endOffset = snapshot?.id.endOffset ?? 0
  const version = snapshot?.kraftVersion ?? 0
  const history = new QuorumHistory({
    offset: endOffset - 1,
    kraftVersion: version,
    voters: version > 0 ? (snapshot?.voters ?? []) : options.staticVoters,
    votersOffset: version > 0 && snapshot?.voters !== undefined ? endOffset - 1 : -1,
  })
  await readQuorum(log, Math.max(log.logStartOffset, endOffset), history, deps)
  const { voters, kraftVersion } = history.current
  const { nodeId, isController, bootstrapServers } = options
  if (voters.length === 0 && bootstrapServers.length === 0) {
    throw new QuorumError(`Node ${nodeId} knows no voter of the metadata quorum, and no controller to ask for them`)
  }
  if (kraftVersion === 0 && isController && voters.length > 0 && !voters.some(({ id }) => id === nodeId)) {
    throw new QuorumError(`Node ${nodeId} is a controller, and not among the static voters of the metadata quorum`)
  }
  return history
}
