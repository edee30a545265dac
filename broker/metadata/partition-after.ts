import type { MetadataRecordInputOf } from '../protocol/metadata-record.ts'
import { MIGRATING_DIRECTORY } from './directory-id.ts'
import type { PartitionImage } from './image.ts'

/** `leader` of a PartitionChangeRecord that leaves the leader alone. */
export const NO_LEADER_CHANGE = -2
/** Likewise for its `leaderRecoveryState`. */
const NO_RECOVERY_CHANGE = -1

/** The leader epoch grows with each record that names a leader; every change counts in the partition epoch. */
export function partitionAfter(
  before: PartitionImage,
  record: MetadataRecordInputOf<'PartitionChangeRecord'>,
): PartitionImage {
  const { leader = NO_LEADER_CHANGE, leaderRecoveryState: recovery = NO_RECOVERY_CHANGE } = record
  const isElection = leader !== NO_LEADER_CHANGE
  const replicas = record.replicas ?? before.replicas
  return {
    index: before.index,
    replicas,
    directories: directoriesOf(replicas, record.directories ?? before.directories),
    isr: record.isr ?? before.isr,
    removingReplicas: record.removingReplicas ?? before.removingReplicas,
    addingReplicas: record.addingReplicas ?? before.addingReplicas,
    leader: isElection ? leader : before.leader,
    leaderEpoch: isElection ? before.leaderEpoch + 1 : before.leaderEpoch,
    partitionEpoch: before.partitionEpoch + 1,
    leaderRecoveryState: recovery === NO_RECOVERY_CHANGE ? before.leaderRecoveryState : recovery,
    eligibleLeaderReplicas: record.eligibleLeaderReplicas ?? before.eligibleLeaderReplicas,
    lastKnownElr: record.lastKnownElr ?? before.lastKnownElr,
  }
}

/** One directory for each replica: a log whose metadata.version has no directories names none, or no longer the right number. */
export function directoriesOf(replicas: readonly number[], directories: readonly string[]): readonly string[] {
  return directories.length === replicas.length ? directories : replicas.map(() => MIGRATING_DIRECTORY)
}
