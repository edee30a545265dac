import type { MetadataDelta } from '../metadata/delta.ts'
import { type MetadataImage, NO_LEADER, type PartitionImage } from '../metadata/image.ts'
import type { ClusterCounts } from '../telemetry/kafka-gauges.ts'

export function clusterCounts({ brokers, topics }: MetadataImage): ClusterCounts {
  const all = [...brokers.values()]
  const fencedBrokers = all.filter(({ isFenced }) => isFenced).length
  let partitions = 0
  let offlinePartitions = 0
  let preferredReplicaImbalance = 0
  for (const topic of topics.byId.values()) {
    partitions += topic.partitions.length
    for (const { leader, replicas } of topic.partitions) {
      if (leader === NO_LEADER) offlinePartitions++
      if (leader !== replicas[0]) preferredReplicaImbalance++
    }
  }
  return {
    activeBrokers: all.length - fencedBrokers,
    fencedBrokers,
    controlledShutdownBrokers: all.filter(({ isInControlledShutdown }) => isInControlledShutdown).length,
    topics: topics.byId.size,
    partitions,
    offlinePartitions,
    preferredReplicaImbalance,
  }
}

/** BrokerRegistrationState of KIP-1131. */
const FENCED = 10
const CONTROLLED_SHUTDOWN = 20
const ACTIVE = 30

/** Each broker's id and state. */
export function registrationStates({ brokers }: MetadataImage): (readonly [brokerId: number, state: number])[] {
  return [...brokers.values()].map(({ id, isFenced, isInControlledShutdown }) => {
    if (isFenced) return [id, FENCED]
    return [id, isInControlledShutdown ? CONTROLLED_SHUTDOWN : ACTIVE]
  })
}

/** Elections of leaders that were not in sync. Every controller counts them, active or not; a publisher of the loader. */
export class ElectionCounts {
  #unclean = 0
  #fromElr = 0

  /** UncleanLeaderElectionsPerSec. */
  get unclean(): number {
    return this.#unclean
  }

  /** ElectionFromEligibleLeaderReplicasPerSec (KIP-966). */
  get fromElr(): number {
    return this.#fromElr
  }

  apply(delta: MetadataDelta, image: MetadataImage): void {
    for (const { topicId, partitions } of delta.topics.changed()) {
      for (const index of partitions) {
        const before = delta.image.partition(topicId, index)
        const after = image.partition(topicId, index)
        if (before !== undefined && after !== undefined) this.#count(before, after)
      }
    }
  }

  #count(before: PartitionImage, { leader, leaderEpoch }: PartitionImage): void {
    if (leader === NO_LEADER || leaderEpoch === before.leaderEpoch || before.isr.includes(leader)) return
    if (before.eligibleLeaderReplicas.includes(leader)) this.#fromElr++
    else if (!before.addingReplicas.includes(leader)) this.#unclean++
  }
}
