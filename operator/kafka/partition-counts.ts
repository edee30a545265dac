import type { PartitionState } from './state.ts'

export interface PartitionCounts {
  readonly total: number
  /** Fewer in sync than there are replicas. */
  readonly underReplicated: number
  readonly underMinIsr: number
  /** Without a leader. */
  readonly offline: number
}

/** How partitions are: of a cluster in status.partitions, of a topic on the console. */
export function partitionCounts(partitions: readonly PartitionState[]): PartitionCounts {
  return {
    total: partitions.length,
    underReplicated: partitions.filter(isUnderReplicated).length,
    underMinIsr: partitions.filter(isUnderMinIsr).length,
    offline: partitions.filter(({ leader }) => leader === null).length,
  }
}

/** Replicas that are only being added do not count: a reassignment is no reason for an alarm. */
export function isUnderReplicated({ replicas, adding, isr }: PartitionState): boolean {
  return isr.length < replicas.length - adding.length
}

/** min.insync.replicas above the replication factor asks for no more than all replicas. */
export function isUnderMinIsr({ replicas, minIsr, isr }: PartitionState): boolean {
  return isr.length < Math.min(minIsr, replicas.length)
}
