import type { ConsumerOffsets } from './consumer-offsets.ts'
import type { Controller } from './controller/controller.ts'
import { clusterCounts, type ElectionCounts, registrationStates } from './controller/controller-metrics.ts'
import type { Clock } from './env/clock.ts'
import type { GroupCoordinator } from './coordinator/group/group-coordinator.ts'
import type { MetadataImage } from './metadata/image.ts'
import type { Node } from './node.ts'
import type { FetchSessions } from './replication/fetch-session.ts'
import type { ReplicaManager } from './replication/replica-manager.ts'
import type { ListenerCertificates } from './listener-certificates.ts'
import type { Listeners } from './listeners.ts'
import type { LogManager } from './storage/log-manager.ts'
import type { BrokerGaugeSources, ControllerSample, NodeGaugeSources } from './telemetry/kafka-gauges.ts'
import type { PartitionSample } from './telemetry/partition-gauges.ts'

export interface BrokerGaugeParts {
  readonly replicas: ReplicaManager
  readonly logs: LogManager
  readonly groups: GroupCoordinator
  readonly consumerOffsets: ConsumerOffsets
  readonly fetchSessions: FetchSessions
  readonly nodeId: number
  /** Kafka's number of what this broker is doing. */
  readonly brokerState: () => number
  readonly image: () => MetadataImage
  readonly clock: Clock
}

/** Kafka's own gauges of a broker, read off its parts at each scrape. */
export function brokerGauges(parts: BrokerGaugeParts): BrokerGaugeSources {
  const { replicas, logs, groups, consumerOffsets, fetchSessions, image, clock, nodeId, brokerState } = parts
  return {
    ledPartitions: () => ledPartitions(replicas, image()),
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
    logDirectoryStates: () => logs.directories(),
    brokerState,
    appliedMetadata: () => {
      const { offset, timestampMs } = image().provenance
      return { offset, timestampMs, lagMs: Math.max(0, clock.wallMs() - timestampMs) }
    },
    logDirectories: () =>
      logs.directories().flatMap(({ path, online }) => (online ? [{ path, ...logs.space(path) }] : [])),
    fetchSessions: () => fetchSessions,
    self: () => ({ id: nodeId, address: addressOf(image(), nodeId) }),
    groupOffsets: () => consumerOffsets.offsets(),
    groupOffsetCount: () => groups.counts().offsets,
    groupMembers: function* () {
      for (const { groupId, members } of groups.groups()) yield [groupId, members.size] as const
    },
    groups: () => Object.entries(groups.counts().groups),
  }
}

export interface NodeGaugeParts {
  readonly node: Node
  readonly listeners: Listeners
  readonly certificates: ListenerCertificates
  readonly idleRatio: () => number
  readonly diskBytes: NodeGaugeSources['diskBytes']
}

/** The same for what every node has. */
export function nodeGauges({ node, listeners, certificates, idleRatio, diskBytes }: NodeGaugeParts): NodeGaugeSources {
  const { raft } = node
  return {
    raft: () => {
      const { leaderId, epoch, voters, observers } = raft.quorumInfo()
      return {
        state: raft.role,
        leaderId,
        votedId: raft.votedId,
        epoch,
        highWatermark: raft.highWatermark,
        logEndOffset: raft.nextOffset,
        voters: voters.length,
        observers: observers.length,
        ...raft.rates,
      }
    },
    raftTraffic: () => node.raftTraffic,
    connections: () => listeners.connections(),
    certificates: () => certificates.expirations(),
    idleRatio,
    diskBytes,
  }
}

/** Of the first of a broker's listeners; empty before it is registered. */
function addressOf(image: MetadataImage, nodeId: number): string {
  const [endpoint] = image.brokers.get(nodeId)?.endpoints ?? []
  return endpoint === undefined ? '' : `${endpoint.host}:${endpoint.port}`
}

function* ledPartitions(replicas: ReplicaManager, image: MetadataImage): Generator<PartitionSample> {
  for (const partition of replicas.partitions()) {
    if (!partition.isLeader) continue
    const { log, state, rules } = partition
    yield {
      topic: log.topic,
      partition: log.partition,
      leader: state.leader,
      isPreferred: state.replicas[0] === state.leader,
      topicPartitions: image.topic(log.topic)?.partitions.length ?? 0,
      highWatermark: log.highWatermark,
      logStartOffset: log.logStartOffset,
      // As Kafka counts: those that a reassignment is only adding are not missing.
      replicas: state.replicas.length - (state.addingReplicas?.length ?? 0),
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
  nowMs: number,
): Omit<ControllerSample, 'newActiveControllers'> {
  return {
    ...clusterCounts(image),
    isActive: controller.isActive,
    lastAppliedOffset: image.provenance.offset,
    lastAppliedTimestampMs: image.provenance.timestampMs,
    lastAppliedLagMs: controller.isActive ? 0 : Math.max(0, nowMs - image.provenance.timestampMs),
    uncleanElections: elections.unclean,
    electionsFromElr: elections.fromElr,
    registrationStates: registrationStates(image),
    silentMs: [...image.brokers.keys()].map((id) => [id, controller.silentMs(id)] as const),
  }
}
