import { ELIGIBLE_LEADER_REPLICAS_VERSION } from '../metadata/features.ts'
import { type MetadataImage, NO_LEADER, type PartitionImage, ResourceType, type TopicImage } from '../metadata/image.ts'
import { isActive } from './placement.ts'
import { partitionRecordVersion } from '../metadata/record-versions.ts'
import type { NewMetadataRecord } from './result.ts'

/** Of a leader that may lack records (KIP-704). */
const RECOVERING = 1

/** Where a partition is to get to. */
export interface Election {
  readonly isr: readonly number[]
  readonly leader: number
  readonly eligibleLeaderReplicas: readonly number[]
  readonly lastKnownElr: readonly number[]
  /** The leader was not in sync: records may be lost. */
  readonly isUnclean: boolean
}

/**
 * The changes for all partitions that `brokerId` leads or is in sync with, once it may not lead any more: it leaves the ISR, unless it is
 * the last there: the last ISR is kept, so that only its members can lead later.
 */
export function leaveBroker(image: MetadataImage, brokerId: number): NewMetadataRecord[] {
  const records: NewMetadataRecord[] = []
  const mayLead = (id: number) => id !== brokerId && isActive(image, id)
  for (const topic of image.topics.byId.values()) {
    for (const partition of topic.partitions) {
      if (!partition.isr.includes(brokerId) && partition.leader !== brokerId) continue
      push(records, image, topic, partition, elect(image, topic, withoutBroker(image, partition, brokerId), mayLead))
    }
  }
  return records
}

/** With KIP-966 the last member of the ISR becomes an eligible leader replica instead of staying there. */
function withoutBroker(image: MetadataImage, partition: PartitionImage, brokerId: number): PartitionImage {
  const isr = partition.isr.filter((id) => id !== brokerId)
  if (isr.length > 0) return { ...partition, isr }
  if (!isElrEnabled(image)) return partition
  const { leader, eligibleLeaderReplicas, lastKnownElr } = partition
  return {
    ...partition,
    isr,
    eligibleLeaderReplicas: [...eligibleLeaderReplicas.filter((id) => id !== brokerId), brokerId],
    lastKnownElr: leader === NO_LEADER ? lastKnownElr : [leader],
  }
}

/** The changes for partitions without a leader, once `brokerId` may lead. */
export function joinBroker(image: MetadataImage, brokerId: number): NewMetadataRecord[] {
  const records: NewMetadataRecord[] = []
  const mayLead = (id: number) => id === brokerId || isActive(image, id)
  for (const topic of image.topics.byId.values()) {
    for (const partition of topic.partitions) {
      if (partition.leader !== NO_LEADER || !partition.replicas.includes(brokerId)) continue
      push(records, image, topic, partition, elect(image, topic, partition, mayLead))
    }
  }
  return records
}

/** Whether `brokerId` leads any partition. */
export function leadsAny(image: MetadataImage, brokerId: number): boolean {
  for (const { partitions } of image.topics.byId.values()) {
    if (partitions.some(({ leader }) => leader === brokerId)) return true
  }
  return false
}

/** The leader stays if it may. Else the first replica in sync leads, then one that is eligible (KIP-966), then any where that is allowed. */
function elect(
  image: MetadataImage,
  topic: TopicImage,
  partition: PartitionImage,
  mayLead: (id: number) => boolean,
): Election {
  const { isr, leader, replicas, eligibleLeaderReplicas, lastKnownElr } = partition
  const found = { isr, eligibleLeaderReplicas, lastKnownElr, isUnclean: false }
  if (isr.includes(leader) && mayLead(leader)) return { ...found, leader }
  const inSync = replicas.find((id) => isr.includes(id) && mayLead(id))
  if (inSync !== undefined) return { ...found, leader: inSync, lastKnownElr: [] }
  const eligible = replicas.find((id) => eligibleLeaderReplicas.includes(id) && mayLead(id))
  if (eligible !== undefined) {
    const others = eligibleLeaderReplicas.filter((id) => id !== eligible)
    return { ...found, leader: eligible, isr: [eligible], eligibleLeaderReplicas: others, lastKnownElr: [] }
  }
  const unclean =
    lastKnownLeader(partition, mayLead) ?? (allowsUnclean(image, topic.name) ? replicas.find(mayLead) : undefined)
  if (unclean === undefined) return { ...found, leader: NO_LEADER }
  return { leader: unclean, isr: [unclean], eligibleLeaderReplicas: [], lastKnownElr: [], isUnclean: true }
}

/** The leader of last resort: where nobody is in sync or eligible, it has at least what it had itself. */
function lastKnownLeader(partition: PartitionImage, mayLead: (id: number) => boolean): number | undefined {
  const { isr, eligibleLeaderReplicas, lastKnownElr } = partition
  const [last] = lastKnownElr
  if (isr.length + eligibleLeaderReplicas.length > 0 || lastKnownElr.length !== 1 || last === undefined)
    return undefined
  return mayLead(last) ? last : undefined
}

export function isElrEnabled(image: MetadataImage): boolean {
  return (image.features.get(ELIGIBLE_LEADER_REPLICAS_VERSION) ?? 0) > 0
}

const UNCLEAN = 'unclean.leader.election.enable'

function allowsUnclean(image: MetadataImage, topic: string): boolean {
  const ofTopic = image.configsOf(ResourceType.TOPIC, topic).get(UNCLEAN)
  return (ofTopic ?? image.configsOf(ResourceType.BROKER, '').get(UNCLEAN)) === 'true'
}

function push(
  records: NewMetadataRecord[],
  image: MetadataImage,
  topic: TopicImage,
  partition: PartitionImage,
  election: Election,
): void {
  const record = partitionChange(image, topic.id, partition, election)
  if (record !== null) records.push(record)
}

/** The record that takes a partition to another leader or ISR; null where it has them. */
export function partitionChange(
  image: MetadataImage,
  topicId: string,
  partition: PartitionImage,
  { isr, leader, eligibleLeaderReplicas, lastKnownElr, isUnclean }: Election,
): NewMetadataRecord | null {
  const sameIsr = isSame(isr, partition.isr)
  const sameElr = isSame(eligibleLeaderReplicas, partition.eligibleLeaderReplicas)
  const sameLastKnown = isSame(lastKnownElr, partition.lastKnownElr)
  if (sameIsr && sameElr && sameLastKnown && leader === partition.leader) return null
  return {
    type: 'PartitionChangeRecord',
    version: partitionRecordVersion(image.metadataVersion),
    value: {
      partitionId: partition.index,
      topicId,
      ...(sameIsr ? {} : { isr: [...isr] }),
      ...(leader === partition.leader ? {} : { leader }),
      ...(sameElr ? {} : { eligibleLeaderReplicas: [...eligibleLeaderReplicas] }),
      ...(sameLastKnown ? {} : { lastKnownElr: [...lastKnownElr] }),
      ...(isUnclean ? { leaderRecoveryState: RECOVERING } : {}),
    },
  }
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, index) => id === b[index])
}
