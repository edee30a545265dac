import type { MetadataImage } from '../metadata/image.ts'
import type { PartitionLog } from '../storage/log.ts'

/**
 * Whether the log is none that broker `nodeId` is to have: its partition is gone, or of another topic now, or has its replicas elsewhere, as
 * after a reassignment while this broker was down (KIP-866). One that does not know its topic's id goes by the name.
 */
export function isStray(
  { topic, partition, topicId }: Pick<PartitionLog, 'topic' | 'partition' | 'topicId'>,
  image: MetadataImage,
  nodeId: number,
): boolean {
  const known = image.topic(topic)
  if (known === undefined || (topicId !== null && topicId !== known.id)) return true
  return known.partitions[partition]?.replicas.includes(nodeId) !== true
}
