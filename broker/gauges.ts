import type { Controller } from './controller/controller.ts'
import { clusterCounts, type ElectionCounts, registrationStates } from './controller/controller-metrics.ts'
import type { Clock } from './env/clock.ts'
import type { GroupCoordinator } from './coordinator/group/group-coordinator.ts'
import type { MetadataImage } from './metadata/image.ts'
import type { ReplicaManager } from './replication/replica-manager.ts'
import type { RaftNode } from './raft/raft-node.ts'
import type { Listeners } from './listeners.ts'
import type { LogManager } from './storage/log-manager.ts'
import type {
  BrokerGaugeSources,
  ControllerSample,
  LagSample,
  NodeGaugeSources,
  PartitionSample,
} from './telemetry/kafka-gauges.ts'

export interface BrokerGaugeParts {
  readonly replicas: ReplicaManager
  readonly logs: LogManager
  readonly groups: GroupCoordinator
  readonly image: () => MetadataImage
  readonly clock: Clock
}

/** Kafka's own gauges of a broker, read off its parts at each scrape. */
export function brokerGauges({ replicas, logs, groups, image, clock }: BrokerGaugeParts): BrokerGaugeSources {
  return {
    ledPartitions: () => ledPartitions(replicas),
    partitionCount: () => [...replicas.partitions()].length,
    offlineReplicaCount: () => [...replicas.partitions()].filter(({ isOffline }) => isOffline).length,
    producerIdCount: () => logs.logs().reduce((count, log) => count + log.producers.size, 0),
    logs: () =>
      logs.logs().map((log) => ({
        topic: log.topic,
        partition: log.partition,
        sizeInBytes: log.sizeInBytes(),
        logStartOffset: log.logStartOffset,
        logEndOffset: log.logEndOffset,
        segments: log.segmentCount,
      })),
    offlineLogDirectoryCount: () => logs.directories().filter(({ online }) => !online).length,
    appliedMetadata: () => {
      const { offset, timestampMs } = image().provenance
      return { offset, timestampMs, lagMs: Math.max(0, clock.wallMs() - timestampMs) }
    },
    consumerLag: () => consumerLag(groups, replicas),
    groups: () => Object.entries(groups.counts().groups),
  }
}

export interface NodeGaugeParts {
  readonly raft: RaftNode
  readonly listeners: Listeners
  readonly idleRatio: () => number
}

/** The same for what every node has. */
export function nodeGauges({ raft, listeners, idleRatio }: NodeGaugeParts): NodeGaugeSources {
  return {
    raft: () => {
      const { leaderId, epoch, voters, observers } = raft.quorumInfo()
      return {
        state: raft.role,
        leaderId,
        epoch,
        highWatermark: raft.highWatermark,
        logEndOffset: raft.nextOffset,
        voters: voters.length,
        observers: observers.length,
      }
    },
    connections: () => listeners.connections(),
    idleRatio,
  }
}

function* ledPartitions(replicas: ReplicaManager): Generator<PartitionSample> {
  for (const partition of replicas.partitions()) {
    if (!partition.isLeader) continue
    const { log, state, rules } = partition
    yield {
      topic: log.topic,
      partition: log.partition,
      replicas: state.replicas.length,
      isr: state.isr.length,
      minIsr: rules.minInSyncReplicas,
    }
  }
}

/** The same for a controller, active or not. */
export function controllerSample(
  controller: Controller,
  image: MetadataImage,
  elections: ElectionCounts,
): ControllerSample {
  return {
    ...clusterCounts(image),
    isActive: controller.isActive,
    lastAppliedOffset: image.provenance.offset,
    lastAppliedTimestampMs: image.provenance.timestampMs,
    uncleanElections: elections.unclean,
    electionsFromElr: elections.fromElr,
    registrationStates: registrationStates(image),
    silentMs: [...image.brokers.keys()].map((id) => [id, controller.silentMs(id)] as const),
  }
}

/** Where the partition is led from here: its leader knows the end of its log. */
function* consumerLag(groups: GroupCoordinator, replicas: ReplicaManager): Generator<LagSample> {
  for (const { groupId, topic, partition, offset } of groups.committedOffsets()) {
    const led = replicas.get(topic, partition)
    if (led?.isLeader === true)
      yield { group: groupId, topic, partition, lag: Math.max(0, led.log.highWatermark - offset) }
  }
}
