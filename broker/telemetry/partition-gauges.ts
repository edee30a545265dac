import type { Metrics } from './metrics.ts'
import type { Sample } from './registry.ts'

/** A partition that this broker leads. */
export interface PartitionSample {
  readonly topic: string
  readonly partition: number
  readonly leader: number
  readonly replicas: number
  readonly isr: number
  /** The topic's min.insync.replicas. */
  readonly minIsr: number
  /** The first of its replicas leads it. */
  readonly isPreferred: boolean
  /** Of all partitions of the topic. */
  readonly topicPartitions: number
  /** The offset that the next consumed record will have. */
  readonly highWatermark: number
  readonly logStartOffset: number
}

type Read = (partition: PartitionSample) => number

/** Partitions, each told by its leader alone, so that sums over all brokers are right: under Kafka's names and under kafka_exporter's. */
export function registerPartitionGauges(metrics: Metrics, led: () => Iterable<PartitionSample>): void {
  const gauge = (name: string, help: string, read: Read) => {
    metrics.registerGauge(name, help, () => samples(led(), read))
  }
  registerCounts(metrics, led)
  gauge('kafka_cluster_partition_underminisr', '1 where a led partition is under its min ISR', flag(isUnderMin))
  gauge('kafka_cluster_partition_atminisr', '1 where a led partition is just at its min ISR', flag(isAtMin))
  gauge('kafka_cluster_partition_underreplicated', '1 where a replica is out of sync', flag(isUnderReplicated))
  gauge('kafka_cluster_partition_replicascount', 'Replicas of a led partition', ({ replicas }) => replicas)
  gauge('kafka_cluster_partition_insyncreplicascount', 'Replicas in sync of a led partition', ({ isr }) => isr)
  registerTopics(metrics, led)
}

/** As kafka_exporter tells them. */
function registerTopics(metrics: Metrics, led: () => Iterable<PartitionSample>): void {
  const gauge = (name: string, help: string, read: Read) => {
    metrics.registerGauge(`kafka_topic_partition_${name}`, help, () => samples(led(), read))
  }
  gauge('leader', 'The broker that leads a partition', ({ leader }) => leader)
  gauge('current_offset', 'Up to where a partition can be consumed', ({ highWatermark }) => highWatermark)
  gauge('oldest_offset', 'The first offset of a partition', ({ logStartOffset }) => logStartOffset)
  gauge('replicas', 'Replicas of a partition', ({ replicas }) => replicas)
  gauge('in_sync_replica', 'Replicas in sync of a partition', ({ isr }) => isr)
  gauge(
    'leader_is_preferred',
    '1 where the first replica leads',
    flag(({ isPreferred }) => isPreferred),
  )
  gauge('under_replicated_partition', '1 where a replica is out of sync', flag(isUnderReplicated))
  metrics.registerGauge('kafka_topic_partitions', 'Partitions of a topic, told by the leader of its first', () =>
    [...led()].flatMap(({ topic, partition, topicPartitions }) =>
      partition === 0 ? [{ value: topicPartitions, labels: { topic } }] : [],
    ),
  )
}

function registerCounts(metrics: Metrics, led: () => Iterable<PartitionSample>): void {
  const count = (name: string, help: string, holds: (partition: PartitionSample) => boolean) => {
    metrics.registerGauge(`kafka_server_replicamanager_${name}`, help, () => {
      let found = 0
      for (const partition of led()) if (holds(partition)) found++
      return found
    })
  }
  count('leadercount', 'Partitions that this broker leads', () => true)
  count('underreplicatedpartitions', 'Led partitions with a replica out of sync', isUnderReplicated)
  count('underminisrpartitioncount', 'Led partitions with fewer replicas in sync than min.insync.replicas', isUnderMin)
  count('atminisrpartitioncount', 'Led partitions with just min.insync.replicas in sync', isAtMin)
}

function isUnderReplicated({ isr, replicas }: PartitionSample): boolean {
  return isr < replicas
}

/** min.insync.replicas above the replication factor asks for no more than all replicas. */
function isUnderMin({ isr, minIsr, replicas }: PartitionSample): boolean {
  return isr < Math.min(minIsr, replicas)
}

function isAtMin({ isr, minIsr, replicas }: PartitionSample): boolean {
  return isr === Math.min(minIsr, replicas)
}

function flag(holds: (partition: PartitionSample) => boolean): Read {
  return (partition) => Number(holds(partition))
}

function* samples(partitions: Iterable<PartitionSample>, read: Read): Generator<Sample> {
  for (const partition of partitions) {
    yield { value: read(partition), labels: { topic: partition.topic, partition: partition.partition } }
  }
}
