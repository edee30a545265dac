import { type MetadataImage, NO_LEADER, type PartitionImage, ResourceType, type TopicImage } from '../metadata/image.ts'
import { isActive } from './placement.ts'
import { partitionRecordVersion } from '../metadata/record-versions.ts'
import type { NewMetadataRecord } from './result.ts'

interface Election {
  readonly isr: readonly number[]
  readonly leader: number
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
      const isr = partition.isr.filter((id) => id !== brokerId)
      push(
        records,
        image,
        topic,
        partition,
        elect(image, topic, partition, isr.length > 0 ? isr : partition.isr, mayLead),
      )
    }
  }
  return records
}

/** The changes for partitions without a leader, once `brokerId` may lead. */
export function joinBroker(image: MetadataImage, brokerId: number): NewMetadataRecord[] {
  const records: NewMetadataRecord[] = []
  const mayLead = (id: number) => id === brokerId || isActive(image, id)
  for (const topic of image.topics.byId.values()) {
    for (const partition of topic.partitions) {
      if (partition.leader !== NO_LEADER || !partition.replicas.includes(brokerId)) continue
      push(records, image, topic, partition, elect(image, topic, partition, partition.isr, mayLead))
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

function elect(
  image: MetadataImage,
  topic: TopicImage,
  partition: PartitionImage,
  isr: readonly number[],
  mayLead: (id: number) => boolean,
): Election {
  if (isr.includes(partition.leader) && mayLead(partition.leader)) {
    return { isr, leader: partition.leader, isUnclean: false }
  }
  const inSync = partition.replicas.find((id) => isr.includes(id) && mayLead(id))
  if (inSync !== undefined) return { isr, leader: inSync, isUnclean: false }
  const unclean = allowsUnclean(image, topic.name) ? partition.replicas.find(mayLead) : undefined
  if (unclean === undefined) return { isr, leader: NO_LEADER, isUnclean: false }
  return { isr: [unclean], leader: unclean, isUnclean: true }
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
  { isr, leader, isUnclean }: Election,
): NewMetadataRecord | null {
  const sameIsr = isr.length === partition.isr.length && isr.every((id, index) => id === partition.isr[index])
  if (sameIsr && leader === partition.leader) return null
  return {
    type: 'PartitionChangeRecord',
    version: partitionRecordVersion(image.metadataVersion),
    value: {
      partitionId: partition.index,
      topicId,
      ...(sameIsr ? {} : { isr: [...isr] }),
      ...(leader === partition.leader ? {} : { leader }),
      ...(isUnclean ? { leaderRecoveryState: 1 } : {}),
    },
  }
}
