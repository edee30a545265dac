import type { KafkaCluster } from '../api/resource.ts'

/** Replicas as they are to be, the preferred leader first; null: what is under way is cancelled. */
export interface Target {
  readonly topic: string
  readonly partition: number
  readonly replicas: readonly number[] | null
}

/** Takes back what is under way of `partitions`. */
export function cancelling(partitions: readonly Pick<Target, 'topic' | 'partition'>[]): Target[] {
  return partitions.map(({ topic, partition }) => ({ topic, partition, replicas: null }))
}

/** What one broker has on its disks. */
export interface BrokerDisks {
  /** What they can still take, less a reserve; null where the broker does not tell. */
  readonly roomBytes: number | null
  /** By `replicaKey`. */
  readonly replicas: ReadonlyMap<string, number>
}

/** What reassignments ask of a cluster. Everything rejects with KafkaError. */
export interface ReassignmentAdmin {
  /** By broker id; one that does not answer is left out. */
  disks(brokerIds: readonly number[]): Promise<ReadonlyMap<number, BrokerDisks>>
  /** Resolves with why some were refused, in words. */
  reassign(targets: readonly Target[]): Promise<readonly string[]>
  /** Of all partitions: the controller knows which have another leader, brokers hear of the end of a reassignment later. */
  electPreferred(): Promise<void>
  /** Bytes a second that every broker may spend on the topics that are throttled; null: there is no limit. */
  limit(): Promise<number | null>
  setLimit(bytesPerSecond: number | null): Promise<void>
  /** Topics to which the limit applies. */
  throttledTopics(): Promise<readonly string[]>
  setThrottled(topics: readonly string[], isThrottled: boolean): Promise<void>
}

export type ReassignmentAdminOf = (cluster: KafkaCluster) => ReassignmentAdmin

export function replicaKey(topic: string, partition: number): string {
  return `${topic}/${partition}`
}
