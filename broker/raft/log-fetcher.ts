import type { Address } from '../env/network.ts'
import { METADATA_TOPIC_ID } from '../lib/uuid.ts'
import { ApiKey } from '../protocol/api-key.ts'
import type { ResponseOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { isTooManyFiles } from '../storage/errors.ts'
import { patiently } from '../storage/patience.ts'
import type { Membership } from './membership.ts'
import { METADATA_TOPIC, noteQuorum } from './metadata-log.ts'
import type { RaftCore } from './raft-core.ts'
import { downloadSnapshot } from './snapshot-download.ts'
import { leaderOf, NOBODY } from './state.ts'

type FetchResponse = ResponseOf<typeof ApiKey.Fetch>
type Partition = FetchResponse['responses'][number]['partitions'][number]

const MAX_WAIT_MS = 500
/** What a node answers that has led, and does not any more. */
const RESIGNED: ReadonlySet<number> = new Set([ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.BROKER_NOT_AVAILABLE])
/** How often the pause between two attempts doubles. */
const BACKOFF_DOUBLINGS = 3

/**
 * Keeps this node's log as the leader has it: fetches, appends, syncs, and with the next fetch tells how far that is (KIP-595). Where no
 * leader is known, or it does not answer, it asks others who leads.
 */
export class LogFetcher {
  readonly #core: RaftCore
  readonly #membership: Membership
  readonly #onFetched: (records: number) => void
  /** Whom, and in which epoch, the running loop asks; another leader or epoch has a loop of its own. */
  #followed = ''
  #loop = 0
  /** What the last loop does to the log: the next one waits for it. */
  #applying: Promise<unknown> = Promise.resolve()
  #hasWarned = false

  /** `onFetched` is told how many records were appended. */
  constructor(
    core: RaftCore,
    deps: { readonly membership: Membership; readonly onFetched: (records: number) => void },
  ) {
    this.#core = core
    this.#membership = deps.membership
    this.#onFetched = deps.onFetched
  }

  /** To be called when the state may have changed: fetches from another leader, or stops to. */
  update(): void {
    const { role, epoch } = this.#core.state
    const leaderId = leaderOf(this.#core.state)
    const isFetching = role.name === 'follower' || role.name === 'unattached' || role.name === 'resigned'
    const followed = isFetching ? `${leaderId} ${epoch}` : ''
    if (followed === this.#followed) return
    this.#followed = followed
    this.#loop++
    if (isFetching) void this.#run(this.#loop, leaderId, epoch)
  }

  async #run(loop: number, leaderId: number, epoch: number): Promise<void> {
    const { retryBackoffMs } = this.#core.options
    const isCurrent = () => loop === this.#loop && !this.#core.isStopped
    await this.#applying
    let failures = 0
    while (isCurrent()) {
      const askLeader = leaderId !== NOBODY && failures % 2 === 0
      const address = askLeader ? this.#core.addressOf(leaderId) : this.#anyOther(leaderId)
      const isDone = address !== undefined && (await this.#fetch(address, askLeader, epoch, isCurrent))
      if (isDone) failures = 0
      else await this.#core.sleep(retryBackoffMs * 2 ** Math.min(failures++, BACKOFF_DOUBLINGS))
    }
  }

  /** Somebody who may know the leader. */
  #anyOther(leaderId: number): Address | undefined {
    const { self, options, state, deps } = this.#core
    const voters = state.voters
      .filter(({ id }) => id !== self.id && id !== leaderId)
      .flatMap(({ id }) => this.#core.voterAddress(id) ?? [])
    // It is among the bootstrap servers too: while it hangs, each attempt would take as long as a request may.
    const leader = leaderId === NOBODY ? undefined : this.#core.addressOf(leaderId)
    const servers = options.bootstrapServers.filter(({ host, port }) => host !== leader?.host || port !== leader.port)
    const all = [...voters, ...servers]
    return all.length === 0 ? undefined : all[deps.random.below(all.length)]
  }

  /** False where there was no answer that helps. */
  async #fetch(address: Address, isLeader: boolean, epoch: number, isCurrent: () => boolean): Promise<boolean> {
    const { deps, options } = this.#core
    let response: FetchResponse
    try {
      response = await deps.transport.request(address, ApiKey.Fetch, this.#request(epoch), options.requestTimeoutMs)
    } catch (error) {
      if (isLeader && isCurrent() && isRefused(error)) this.#core.apply({ type: 'leaderLost', epoch })
      return false
    }
    if (!isCurrent()) return true
    const partition = response.responses[0]?.partitions[0]
    if (response.errorCode === ErrorCode.INCONSISTENT_CLUSTER_ID) this.#warnOfCluster(address)
    if (response.errorCode !== ErrorCode.NONE || partition === undefined) return false
    for (const { nodeId, host, port } of response.nodeEndpoints) this.#core.learnAddress(nodeId, { host, port })
    const { leaderId, leaderEpoch } = partition.currentLeader
    if (leaderEpoch >= 0) {
      this.#core.apply({ type: 'leaderHeard', epoch: leaderEpoch, leaderId, isLeaderItself: isLeader })
      if (!isCurrent()) return true
    }
    if (isLeader && RESIGNED.has(partition.errorCode)) this.#core.apply({ type: 'leaderLost', epoch })
    if (partition.errorCode !== ErrorCode.NONE || !isLeader) return false
    const following = this.#follow(partition, address, epoch, isCurrent).catch((error: unknown) => {
      if (!isTooManyFiles(error)) this.#core.fail(error)
      return false
    })
    this.#applying = following
    const isDone = await following
    if (isCurrent()) this.#membership.afterFetch(address, epoch)
    return isDone
  }

  /** Once: it is asked again all the time. */
  #warnOfCluster({ host, port }: Address): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    const { deps, options } = this.#core
    const fields = { host, port, clusterId: options.clusterId }
    deps.logger.warn(fields, 'A controller that this node asks belongs to another cluster')
  }

  #request(epoch: number) {
    const { options, self, state, logEnd, log } = this.#core
    const partition = {
      partition: 0,
      currentLeaderEpoch: epoch,
      fetchOffset: BigInt(logEnd.endOffset),
      lastFetchedEpoch: logEnd.lastEpoch,
      logStartOffset: BigInt(log.logStartOffset),
      partitionMaxBytes: options.fetchMaxBytes,
      replicaDirectoryId: self.directoryId,
      highWatermark: BigInt(state.highWatermark),
    }
    return {
      clusterId: options.clusterId,
      replicaId: self.id,
      replicaState: { replicaId: self.id, replicaEpoch: -1n },
      maxWaitMs: Math.min(MAX_WAIT_MS, Math.floor(Math.min(options.fetchTimeoutMs, options.requestTimeoutMs) / 2)),
      minBytes: 0,
      maxBytes: options.fetchMaxBytes,
      isolationLevel: 0,
      sessionId: 0,
      sessionEpoch: -1,
      rackId: '',
      forgottenTopicsData: [],
      topics: [{ topic: METADATA_TOPIC, topicId: METADATA_TOPIC_ID, partitions: [partition] }],
    }
  }

  /** False where what the leader sent is of no use: it is asked again, after a pause. */
  async #follow(partition: Partition, address: Address, epoch: number, isCurrent: () => boolean): Promise<boolean> {
    const core = this.#core
    const { divergingEpoch, snapshotId, records } = partition
    let highWatermark = -1
    if (divergingEpoch.epoch >= 0) await this.#truncate(divergingEpoch.epoch, Number(divergingEpoch.endOffset))
    else if (snapshotId.endOffset >= 0n) {
      const id = { endOffset: Number(snapshotId.endOffset), epoch: snapshotId.epoch }
      const isThere = await downloadSnapshot(core, { id, address, epoch, isCurrent })
      if (!isThere) return false
    } else {
      if (records !== null && records.length > 0 && !(await this.#append(records, epoch))) return false
      // Only now is this log known to be the same as the leader's up to its end.
      highWatermark = Number(partition.highWatermark)
    }
    if (!isCurrent()) return true
    core.heardHighWatermark(epoch, highWatermark)
    core.apply({ type: 'fetched', epoch, highWatermark })
    return true
  }

  /** Drops what the leader does not have; never what is committed. */
  async #truncate(epoch: number, leaderEndOffset: number): Promise<void> {
    const { log, state } = this.#core
    const local = log.leaderEpochs.endOffsetFor(epoch, log.logEndOffset)
    const offset = local.epoch === epoch ? Math.min(local.endOffset, leaderEndOffset) : local.endOffset
    if (offset < state.highWatermark) {
      const message = `The leader asks to truncate the metadata log to ${offset}, below the high watermark ${state.highWatermark}`
      throw new Error(message)
    }
    this.#core.deps.logger.info({ offset, logEndOffset: log.logEndOffset }, 'Truncating the metadata log')
    await this.#core.truncate(offset)
  }

  /** False where the leader sent what cannot be appended: it is asked again. */
  async #append(records: Uint8Array, epoch: number): Promise<boolean> {
    const { log, deps, history } = this.#core
    const from = log.logEndOffset
    const appended = log.appendAsFollower(records, epoch)
    if (!appended.ok) {
      if (log.isFailed) throw new Error(appended.message)
      deps.logger.warn({ error: appended.message }, 'What the leader of the metadata quorum sent could not be appended')
      return false
    }
    this.#onFetched(log.logEndOffset - from)
    const { logEndOffset } = log
    if (logEndOffset > from && noteQuorum(records, logEndOffset, history, deps)) this.#core.quorumChanged()
    // The next fetch, whoever is asked, tells that it is durable.
    await patiently(deps.clock, () => log.flush())
    return true
  }
}

function isRefused(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'isRefused' in error && error.isRefused === true
}
