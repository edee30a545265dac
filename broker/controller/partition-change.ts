import { isElrEnabled } from '../metadata/features.ts'
import { NO_LEADER, type PartitionImage } from '../metadata/image.ts'
import {
  bumpsLeaderEpochOnShrink,
  partitionRecordVersion,
  supportsDirectoryAssignment,
} from '../metadata/record-versions.ts'
import type { MetadataRecordInputOf } from '../protocol/metadata-record.ts'
import { type Cluster, directoryOn, isActive, isReadable, minIsrOf, type TopicPartition } from './cluster.ts'
import { type Candidates, type ElectionType, elect } from './election.ts'
import { type Assignment, completeReassignment } from './reassignment.ts'
import type { NewMetadataRecord } from './result.ts'

/** Of a leader that may lack records (KIP-704). */
export const RECOVERING = 1

/** What a partition is to become; what is left out stays. */
export interface PartitionTarget {
  readonly isr?: readonly number[]
  readonly replicas?: readonly number[]
  readonly removingReplicas?: readonly number[]
  readonly addingReplicas?: readonly number[]
  readonly leaderRecoveryState?: number
  /** Where one broker now has its replica. */
  readonly directory?: { readonly brokerId: number; readonly id: string }
  /** By default a clean one. */
  readonly election?: ElectionType
  /** Who may lead, of the brokers whose log directories are well; by default the active ones. */
  readonly mayLead?: (id: number) => boolean
  /** A broker that may have lost what it had acknowledged (KIP-966). */
  readonly mayHaveLost?: number
}

export type PartitionChange = NewMetadataRecord<'PartitionChangeRecord'>
type ChangeValue = MetadataRecordInputOf<'PartitionChangeRecord'>
type Changes = Omit<ChangeValue, 'topicId' | 'partitionId'>

/**
 * The record that takes a partition to `target`, or null where it is there: a reassignment is completed if it can be, the eligible leader
 * replicas follow the ISR, and a leader that may not lead any more is replaced.
 */
export function changePartition(
  cluster: Cluster,
  { topic, partition }: TopicPartition,
  target: PartitionTarget,
): PartitionChange | null {
  const { image } = cluster
  const assignment = completeReassignment({
    isr: target.isr ?? partition.isr,
    replicas: target.replicas ?? partition.replicas,
    removingReplicas: target.removingReplicas ?? partition.removingReplicas,
    addingReplicas: target.addingReplicas ?? partition.addingReplicas,
  })
  const hasElr = isElrEnabled(image)
  const candidates: Candidates = {
    ...assignment,
    elr: hasElr ? eligible(partition, assignment, minIsrOf(cluster, topic), target) : partition.eligibleLeaderReplicas,
    lastKnownLeader: hasElr && partition.lastKnownElr.length === 1 ? partition.lastKnownElr[0] : undefined,
    leader: partition.leader,
  }
  const mayLead = target.mayLead ?? ((id: number) => isActive(image, id))
  const elected = elect(candidates, target.election ?? 'clean', (id) => mayLead(id) && isReadable(image, partition, id))
  const leadership = leaderChanges(cluster, partition, { ...assignment, ...elected })
  const changes: Changes = {
    ...leadership,
    ...assignmentChanges(cluster, partition, assignment, target),
    ...recoveryChange(partition, elected.isUnclean, target.leaderRecoveryState),
  }
  if (Object.keys(changes).length === 0) return null
  return {
    type: 'PartitionChangeRecord',
    version: partitionRecordVersion(image.metadataVersion),
    value: { topicId: topic.id, partitionId: partition.index, ...changes },
  }
}

/**
 * KIP-966: below min ISR, whoever left the ISR can lead: nothing was acknowledged without it. Kafka also keeps replicas there that a
 * reassignment took away, who never can.
 */
function eligible(
  partition: PartitionImage,
  { isr, replicas }: Assignment,
  minIsr: number,
  { mayHaveLost }: PartitionTarget,
): readonly number[] {
  if (isr.length >= minIsr) return []
  const candidates = new Set([...partition.eligibleLeaderReplicas, ...partition.isr])
  const isEligible = (id: number) => replicas.includes(id) && !isr.includes(id) && id !== mayHaveLost
  return [...candidates].filter(isEligible).toSorted((a, b) => a - b)
}

interface Led extends Pick<Assignment, 'replicas'> {
  readonly leader: number
  readonly isr: readonly number[]
  readonly elr: readonly number[]
  readonly isUnclean: boolean
}

function leaderChanges(cluster: Cluster, partition: PartitionImage, led: Led): Changes {
  const hasElr = isElrEnabled(cluster.image)
  // Without eligible leader replicas the last ISR is kept, so that only its members can lead later.
  const hasNewIsr = led.isUnclean || ((led.isr.length > 0 || hasElr) && !isSame(led.isr, partition.isr))
  const elr = led.isUnclean || !hasElr ? [] : led.elr
  const isNamed = led.leader !== partition.leader || needsNewEpoch(cluster, partition, led, hasNewIsr)
  const lastKnown = hasElr && isNamed ? lastKnownElr(partition, led.leader) : null
  return {
    ...(isNamed ? { leader: led.leader } : {}),
    ...(hasNewIsr ? { isr: [...led.isr] } : {}),
    ...(isSame(elr, partition.eligibleLeaderReplicas) ? {} : { eligibleLeaderReplicas: [...elr] }),
    ...(lastKnown === null ? {} : { lastKnownElr: lastKnown }),
  }
}

/** A replica that is removed must not go on fetching in this epoch. */
function needsNewEpoch({ image }: Cluster, partition: PartitionImage, led: Led, hasNewIsr: boolean): boolean {
  if (partition.replicas.some((id) => !led.replicas.includes(id))) return true
  const isSmaller = hasNewIsr && partition.isr.some((id) => !led.isr.includes(id))
  return isSmaller && bumpsLeaderEpochOnShrink(image.metadataVersion)
}

/** The last leader is remembered while there is none. */
function lastKnownElr({ leader: before, lastKnownElr: known }: PartitionImage, leader: number): number[] | null {
  if (leader === NO_LEADER) return known.length === 0 && before !== NO_LEADER ? [before] : null
  return known.length === 0 ? null : []
}

function assignmentChanges(
  { image }: Cluster,
  partition: PartitionImage,
  { replicas, removingReplicas, addingReplicas }: Assignment,
  { directory }: PartitionTarget,
): Changes {
  const directories = replicas.map((id) => {
    if (directory?.brokerId === id) return directory.id
    return partition.directories[partition.replicas.indexOf(id)] ?? directoryOn(image, id)
  })
  const hasDirectories = supportsDirectoryAssignment(image.metadataVersion)
  return {
    ...(hasDirectories && !isSame(directories, partition.directories) ? { directories } : {}),
    ...(isSame(replicas, partition.replicas) ? {} : { replicas: [...replicas] }),
    ...(isSame(removingReplicas, partition.removingReplicas) ? {} : { removingReplicas: [...removingReplicas] }),
    ...(isSame(addingReplicas, partition.addingReplicas) ? {} : { addingReplicas: [...addingReplicas] }),
  }
}

function recoveryChange(
  { leaderRecoveryState: before }: PartitionImage,
  isUnclean: boolean,
  wanted: number | undefined,
): Changes {
  if (wanted !== undefined && wanted !== before) return { leaderRecoveryState: wanted }
  return isUnclean && before !== RECOVERING ? { leaderRecoveryState: RECOVERING } : {}
}

function isSame<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index])
}
