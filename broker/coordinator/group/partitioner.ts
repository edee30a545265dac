const INT32_MIN = -0x8000_0000

/**
 * The partition of `__consumer_offsets` that keeps a group: Java's `String.hashCode` (over UTF-16 units, in 32 bits) without its
 * sign, modulo the number of partitions. It must not change: the offsets that were committed are there.
 */
export function partitionForGroup(groupId: string, partitionCount: number): number {
  let hash = 0
  for (let i = 0; i < groupId.length; i++) hash = (Math.imul(hash, 31) + groupId.charCodeAt(i)) | 0
  return hash === INT32_MIN ? 0 : Math.abs(hash) % partitionCount
}
