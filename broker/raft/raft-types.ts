import type { Clock } from '../env/clock.ts'
import type { Compute } from '../env/compute.ts'
import type { Disk } from '../env/disk.ts'
import type { Random } from '../env/random.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { SnapshotRetention } from './retention.ts'
import type { Snapshot } from './snapshot-file.ts'
import type { Voter, VoterEndpoint } from './voters.ts'

export interface RaftOptions {
  readonly nodeId: number
  /** directory.id of the metadata log's directory. */
  readonly directoryId: string
  /** metadata.log.dir: the parent of `__cluster_metadata-0`. */
  readonly logDir: string
  /** controller.quorum.voters; empty where the quorum is dynamic, and in the log. */
  readonly staticVoters: readonly Voter[]
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
  /** A new leader has heard all that was committed before its epoch. */
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
