import type { Clock } from '../env/clock.ts'
import type { Compute } from '../env/compute.ts'
import type { Disk } from '../env/disk.ts'
import type { Address } from '../env/network.ts'
import type { Random } from '../env/random.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestInputOf, ResponseOf } from '../protocol/apis.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { SnapshotRetention } from './retention.ts'
import type { Snapshot } from './snapshot-file.ts'
import type { Voter, VoterEndpoint } from './voters.ts'

/** What a member of the quorum asks others. */
export type RaftApi =
  | typeof ApiKey.ApiVersions
  | typeof ApiKey.Vote
  | typeof ApiKey.BeginQuorumEpoch
  | typeof ApiKey.EndQuorumEpoch
  | typeof ApiKey.Fetch
  | typeof ApiKey.FetchSnapshot
  | typeof ApiKey.AddRaftVoter
  | typeof ApiKey.RemoveRaftVoter
  | typeof ApiKey.UpdateRaftVoter

/** The way to other nodes. */
export interface RaftTransport {
  /** Rejects with an error whose `isRefused` is true where nobody listens at the address: the node is not there. */
  request<K extends RaftApi>(to: Address, key: K, body: RequestInputOf<K>, timeoutMs: number): Promise<ResponseOf<K>>
}

export interface RaftOptions {
  readonly nodeId: number
  readonly clusterId: string
  /** directory.id of the metadata log's directory. */
  readonly directoryId: string
  /** metadata.log.dir: the parent of `__cluster_metadata-0`. */
  readonly logDir: string
  /** controller.quorum.voters; empty where the quorum is dynamic, and in the log. */
  readonly staticVoters: readonly Voter[]
  /** controller.quorum.bootstrap.servers: where to ask for the leader. */
  readonly bootstrapServers: readonly Address[]
  /** The node has the role of a controller: it may be a voter. Others only follow. */
  readonly isController: boolean
  /** The listener on which controllers reach one another: the first of controller.listener.names. */
  readonly controllerListenerName: string
  /** controller.quorum.fetch.timeout.ms, .election.timeout.ms, .election.backoff.max.ms, .request.timeout.ms and .retry.backoff.ms. */
  readonly fetchTimeoutMs: number
  readonly electionTimeoutMs: number
  readonly electionBackoffMaxMs: number
  readonly requestTimeoutMs: number
  readonly retryBackoffMs: number
  /** controller.quorum.fetch.max.bytes and .fetch.snapshot.max.bytes: the size of an answer. */
  readonly fetchMaxBytes: number
  readonly fetchSnapshotMaxBytes: number
  /** controller.quorum.auto.join.enable: a controller that is no voter makes itself one (KIP-1186). */
  readonly autoJoin: boolean
  /** Where this node's controller listens. */
  readonly endpoints: readonly VoterEndpoint[]
  /** metadata.log.segment.bytes and .ms. */
  readonly segmentBytes: number
  readonly segmentMs: number
  readonly retention: SnapshotRetention
}

export interface RaftDeps {
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  readonly compute: Compute
  readonly logger: Logger
  readonly transport: RaftTransport
  /** The disk of the metadata log has failed: this node takes part no more. */
  readonly onFailed?: (error: unknown) => void
}

/** Committed records, in the order of the log. */
export interface CommittedBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly epoch: number
  readonly appendTimestampMs: number
  readonly sizeInBytes: number
  /** Encoded metadata records; empty for a batch of control records. */
  readonly records: readonly Uint8Array[]
}

export interface LeaderAndEpoch {
  /** -1: none. */
  readonly leaderId: number
  readonly epoch: number
}

/** Who is told. Calls come one at a time and must not throw. */
export interface RaftListener {
  /** Everything heard before is to be forgotten: the state is this. */
  onSnapshot(snapshot: Snapshot): void
  onCommit(batches: readonly CommittedBatch[]): void
  /**
   * Who leads now. A new leader itself has heard all that was committed before its epoch by then; a follower, all that was when it first
   * asked that leader. What the node led and does not any more is told at once, with leader -1.
   */
  onLeaderChange(leader: LeaderAndEpoch): void
}

/** What DescribeQuorum tells; times in ms since the epoch, -1 for unknown. */
export interface ReplicaInfo {
  readonly id: number
  readonly directoryId: string
  readonly endpoints: readonly VoterEndpoint[]
  readonly logEndOffset: number
  readonly lastFetchTimestampMs: number
  readonly lastCaughtUpTimestampMs: number
}

export interface QuorumInfo extends LeaderAndEpoch {
  /** This node leads: others do not know how far the replicas are. */
  readonly isLeader: boolean
  readonly highWatermark: number
  readonly voters: readonly ReplicaInfo[]
  readonly observers: readonly ReplicaInfo[]
}

/** The records were not committed, as far as this node knows: it does not lead, or no longer. */
export class NotLeaderError extends Error {
  readonly code = 'NOT_CONTROLLER'
}

/** The quorum cannot be what the files and the configuration say. */
export class QuorumError extends Error {
  readonly code = 'INVALID_QUORUM'
}
