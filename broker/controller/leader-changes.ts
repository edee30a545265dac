import { type MetadataImage, NO_LEADER } from '../metadata/image.ts'
import { allowsUnclean, type Cluster, isActive, partitionsWhere, type TopicPartition } from './cluster.ts'
import { changePartition, type PartitionChange, type PartitionTarget } from './partition-change.ts'

/** The changes for all partitions that `brokerId` is in sync with, once it may not lead any more. */
export function leaveBroker(cluster: Cluster, brokerId: number): PartitionChange[] {
  return withoutBroker(
    cluster,
    brokerId,
    partitionsWhere(cluster.image, ({ isr }) => isr.includes(brokerId)),
  )
}

/** Takes `brokerId` out of the ISR of these partitions, and from their lead. */
export function withoutBroker(
  cluster: Cluster,
  brokerId: number,
  partitions: Iterable<TopicPartition>,
): PartitionChange[] {
  const mayLead = (id: number) => id !== brokerId && isActive(cluster.image, id)
  return updates(cluster, partitions, ({ partition: { isr } }) => ({
    isr: isr.filter((id) => id !== brokerId),
    mayLead,
  }))
}

/** KIP-966: a broker that was not shut down in order may have lost what it acknowledged. It is not even eligible then. */
export function loseBroker(cluster: Cluster, brokerId: number): PartitionChange[] {
  const partitions = partitionsWhere(
    cluster.image,
    ({ isr, eligibleLeaderReplicas }) => isr.includes(brokerId) || eligibleLeaderReplicas.includes(brokerId),
  )
  const mayLead = (id: number) => id !== brokerId && isActive(cluster.image, id)
  return updates(cluster, partitions, ({ partition: { isr } }) => ({
    isr: isr.filter((id) => id !== brokerId),
    mayHaveLost: brokerId,
    mayLead,
  }))
}

/** The changes for partitions without a leader, once `brokerId` may lead. */
export function joinBroker(cluster: Cluster, brokerId: number): PartitionChange[] {
  const mayLead = (id: number) => id === brokerId || isActive(cluster.image, id)
  return updates(
    cluster,
    partitionsWhere(cluster.image, ({ leader }) => leader === NO_LEADER),
    () => ({ mayLead }),
  )
}

/** Whether `brokerId` leads any partition. */
export function leadsAny(image: MetadataImage, brokerId: number): boolean {
  return partitionsWhere(image, ({ leader }) => leader === brokerId).next().done !== true
}

function updates(
  cluster: Cluster,
  partitions: Iterable<TopicPartition>,
  targetOf: (of: TopicPartition) => PartitionTarget,
): PartitionChange[] {
  const records: PartitionChange[] = []
  for (const of of partitions) {
    const election = allowsUnclean(cluster, of.topic.name) ? 'unclean' : 'clean'
    const record = changePartition(cluster, of, { ...targetOf(of), election })
    if (record !== null) records.push(record)
  }
  return records
}
