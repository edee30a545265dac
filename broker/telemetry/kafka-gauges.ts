import type { Metrics } from './metrics.ts'
import type { Sample } from './registry.ts'

export interface PartitionSample {
  readonly topic: string
  readonly partition: number
  readonly replicas: number
  readonly isr: number
  /** The topic's min.insync.replicas. */
  readonly minIsr: number
}

export interface LogSample {
  readonly topic: string
  readonly partition: number
  readonly sizeInBytes: number
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly segments: number
}

export interface RaftSample {
  /** `leader`, `follower`, `candidate`, `prospective`, `voted`, `unattached`, `observer` or `resigned`. */
  readonly state: string
  /** -1 where unknown. */
  readonly leaderId: number
  readonly epoch: number
  readonly highWatermark: number
  readonly logEndOffset: number
  readonly voters: number
  /** As the leader knows them; 0 elsewhere. */
  readonly observers: number
}

/** Where a broker is in the metadata log. */
export interface AppliedMetadataSample {
  readonly offset: number
  readonly timestampMs: number
  /** How old that is, ms. */
  readonly lagMs: number
}

export interface LagSample {
  readonly group: string
  readonly topic: string
  readonly partition: number
  /** Records between the committed offset and the high watermark. */
  readonly lag: number
}

/** Where the values of a broker's gauges come from; each is called at a scrape. */
export interface BrokerGaugeSources {
  /** Partitions that this broker leads. */
  ledPartitions(): Iterable<PartitionSample>
  /** Replicas on this broker, led or followed. */
  partitionCount(): number
  offlineReplicaCount(): number
  producerIdCount(): number
  logs(): Iterable<LogSample>
  offlineLogDirectoryCount(): number
  appliedMetadata(): AppliedMetadataSample
  consumerLag(): Iterable<LagSample>
  /** Groups of each state. */
  groups(): Iterable<readonly [state: string, count: number]>
}

/** The same for what every node has. */
export interface NodeGaugeSources {
  raft(): RaftSample
  /** Connections of each listener. */
  connections(): Iterable<readonly [listener: string, count: number]>
  /** The part of the last second in which the event loop had nothing to do, 0 to 1. */
  idleRatio(): number
}

/** What kafka.controller's gauges tell of the cluster. */
export interface ClusterCounts {
  readonly activeBrokers: number
  readonly fencedBrokers: number
  readonly controlledShutdownBrokers: number
  readonly topics: number
  readonly partitions: number
  readonly offlinePartitions: number
  /** Partitions that another than the first replica leads, or none. */
  readonly preferredReplicaImbalance: number
}

export interface ControllerSample extends ClusterCounts {
  readonly isActive: boolean
  /** Where in the metadata log this node is; the timestamp in ms since the epoch, -1 before the first record. */
  readonly lastAppliedOffset: number
  readonly lastAppliedTimestampMs: number
  readonly uncleanElections: number
  readonly electionsFromElr: number
  /** 10 fenced, 20 in controlled shutdown, 30 active. */
  readonly registrationStates: readonly (readonly [brokerId: number, state: number])[]
  /** How long the active controller has not heard of a broker, ms; undefined for what it does not listen to. */
  readonly silentMs: readonly (readonly [brokerId: number, ms: number | undefined])[]
}

/** Registers the gauges that Kafka's dashboards and alerts ask brokers for. */
export function registerBrokerGauges(metrics: Metrics, sources: BrokerGaugeSources): void {
  registerReplicas(metrics, sources)
  registerLogs(metrics, sources)
  registerGroups(metrics, sources)
  registerAppliedMetadata(metrics, sources)
}

/** The same for what every node has. */
export function registerNodeGauges(metrics: Metrics, sources: NodeGaugeSources): void {
  registerRaft(metrics, sources)
  registerNetwork(metrics, sources)
}

function registerReplicas(metrics: Metrics, sources: BrokerGaugeSources): void {
  const count = (holds: (partition: PartitionSample) => boolean) => () => {
    let found = 0
    for (const partition of sources.ledPartitions()) if (holds(partition)) found++
    return found
  }
  const gauge = (name: string, help: string, collect: () => number) => {
    metrics.registerGauge(`kafka_server_replicamanager_${name}`, help, collect)
  }
  gauge('partitioncount', 'Replicas on this broker', () => sources.partitionCount())
  gauge(
    'leadercount',
    'Partitions that this broker leads',
    count(() => true),
  )
  gauge('underreplicatedpartitions', 'Led partitions with a replica out of sync', count(isUnderReplicated))
  gauge(
    'underminisrpartitioncount',
    'Led partitions with fewer replicas in sync than min.insync.replicas',
    count(isUnderMin),
  )
  gauge('atminisrpartitioncount', 'Led partitions with just min.insync.replicas in sync', count(isAtMin))
  gauge('offlinereplicacount', 'Replicas on a failed log directory', () => sources.offlineReplicaCount())
  gauge('produceridcount', 'Producers whose sequence numbers are kept', () => sources.producerIdCount())
  const byPartition = (name: string, help: string, read: (partition: PartitionSample) => number) => {
    metrics.registerGauge(`kafka_cluster_partition_${name}`, help, () =>
      partitionSamples(sources.ledPartitions(), read),
    )
  }
  byPartition('underminisr', '1 where a led partition is under its min ISR', (partition) =>
    Number(isUnderMin(partition)),
  )
  byPartition('atminisr', '1 where a led partition is just at its min ISR', (partition) => Number(isAtMin(partition)))
  byPartition('underreplicated', '1 where a replica is out of sync', (partition) =>
    Number(isUnderReplicated(partition)),
  )
  byPartition('replicascount', 'Replicas of a led partition', ({ replicas }) => replicas)
  byPartition('insyncreplicascount', 'Replicas in sync of a led partition', ({ isr }) => isr)
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

function* partitionSamples<T extends { readonly topic: string; readonly partition: number }>(
  items: Iterable<T>,
  read: (item: T) => number,
): Generator<Sample> {
  for (const item of items) yield { value: read(item), labels: { topic: item.topic, partition: item.partition } }
}

/** The same for a controller, active or not. */
export function registerControllerGauges(metrics: Metrics, sample: () => ControllerSample): void {
  const gauge = (name: string, help: string, read: (controller: ControllerSample) => number) => {
    metrics.registerGauge(`kafka_controller_kafkacontroller_${name}`, help, () => read(sample()))
  }
  gauge('activecontrollercount', '1 where this node is the active controller', ({ isActive }) => Number(isActive))
  gauge('activebrokercount', 'Brokers that are not fenced', ({ activeBrokers }) => activeBrokers)
  gauge('fencedbrokercount', 'Fenced brokers', ({ fencedBrokers }) => fencedBrokers)
  gauge('globaltopiccount', 'Topics', ({ topics }) => topics)
  gauge('globalpartitioncount', 'Partitions', ({ partitions }) => partitions)
  gauge('offlinepartitionscount', 'Partitions without a leader', ({ offlinePartitions }) => offlinePartitions)
  gauge('controlledshutdownbrokercount', 'Brokers that shut down', (controller) => controller.controlledShutdownBrokers)
  gauge(
    'preferredreplicaimbalancecount',
    'Partitions that their first replica does not lead',
    ({ preferredReplicaImbalance }) => preferredReplicaImbalance,
  )
  gauge('lastappliedrecordoffset', 'End of the metadata here', ({ lastAppliedOffset }) => lastAppliedOffset)
  gauge('lastappliedrecordtimestamp', 'When that was written, ms', (controller) => controller.lastAppliedTimestampMs)
  metrics.registerGauge(
    'kafka_controller_kafkacontroller_brokerregistrationstate',
    'State of a registered broker: 10 fenced, 20 in controlled shutdown, 30 active',
    () => sample().registrationStates.map(([broker, value]) => ({ value, labels: { broker } })),
  )
  metrics.registerGauge(
    'kafka_controller_kafkacontroller_timesincelastheartbeatreceivedms',
    'How long the active controller has not heard of a broker, ms',
    () => sample().silentMs.flatMap(([broker, value]) => (value === undefined ? [] : [{ value, labels: { broker } }])),
  )
  const counter = (name: string, help: string, read: (controller: ControllerSample) => number) => {
    metrics.registerCounter(`kafka_controller_controllerstats_${name}_total`, help, () => read(sample()))
  }
  counter(
    'uncleanleaderelections',
    'Leaders elected from out of sync replicas',
    (controller) => controller.uncleanElections,
  )
  counter(
    'electionfromeligibleleaderreplicas',
    'Leaders elected from eligible replicas that were not in sync',
    ({ electionsFromElr }) => electionsFromElr,
  )
}

function registerLogs(metrics: Metrics, sources: BrokerGaugeSources): void {
  const byLog = (name: string, help: string, read: (log: LogSample) => number) => {
    metrics.registerGauge(`kafka_log_log_${name}`, help, () => partitionSamples(sources.logs(), read))
  }
  byLog('size', 'Bytes of a log', ({ sizeInBytes }) => sizeInBytes)
  byLog('numlogsegments', 'Segments of a log', ({ segments }) => segments)
  byLog('logstartoffset', 'First offset of a log', ({ logStartOffset }) => logStartOffset)
  byLog('logendoffset', 'Next offset of a log', ({ logEndOffset }) => logEndOffset)
  metrics.registerGauge('kafka_log_logmanager_offlinelogdirectorycount', 'Log directories that failed', () =>
    sources.offlineLogDirectoryCount(),
  )
}

function registerAppliedMetadata(metrics: Metrics, sources: BrokerGaugeSources): void {
  const gauge = (name: string, help: string, read: (applied: AppliedMetadataSample) => number) => {
    const fullName = `kafka_server_brokermetadatametrics_last_applied_record_${name}`
    metrics.registerGauge(fullName, help, () => read(sources.appliedMetadata()))
  }
  gauge('offset', 'The metadata that this broker acts on ends here', ({ offset }) => offset)
  gauge('timestamp', 'When that was written, ms', ({ timestampMs }) => timestampMs)
  gauge('lag_ms', 'How long ago that was', ({ lagMs }) => lagMs)
}

/** The numbers that Kafka's dashboards map `current-state` to are names there: the state is the label, the value 1. */
function registerRaft(metrics: Metrics, sources: NodeGaugeSources): void {
  const gauge = (name: string, help: string, read: (raft: RaftSample) => number) => {
    metrics.registerGauge(`kafka_server_raftmetrics_${name}`, help, () => read(sources.raft()))
  }
  metrics.registerGauge('kafka_server_raftmetrics_current_state', 'State of this node in the metadata quorum', () => [
    { value: 1, labels: { state: sources.raft().state } },
  ])
  gauge('current_leader', 'Id of the quorum leader, -1 where unknown', ({ leaderId }) => leaderId)
  gauge('current_epoch', 'Epoch of the metadata quorum', ({ epoch }) => epoch)
  gauge('high_watermark', 'Committed end of the metadata log', ({ highWatermark }) => highWatermark)
  gauge('log_end_offset', 'End of the metadata log', ({ logEndOffset }) => logEndOffset)
  gauge('number_of_voters', 'Voters of the metadata quorum', ({ voters }) => voters)
  gauge('number_of_observers', 'Observers of the metadata quorum, told by its leader', ({ observers }) => observers)
}

function registerNetwork(metrics: Metrics, sources: NodeGaugeSources): void {
  const connections = 'kafka_server_socket_server_metrics_connection_count'
  metrics.registerGauge(connections, 'Open connections, by listener', () =>
    [...sources.connections()].map(([listener, value]) => ({ value, labels: { listener } })),
  )
  // One event loop does the work of Kafka's network and request handler threads.
  const idle: readonly [string, string][] = [
    ['kafka_network_socketserver_networkprocessoravgidle_percent', 'Idle part of the network work, 0 to 1'],
    ['kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent', 'Idle part of request handling, 0 to 1'],
  ]
  for (const [name, help] of idle) metrics.registerGauge(name, help, () => sources.idleRatio())
}

function registerGroups(metrics: Metrics, sources: BrokerGaugeSources): void {
  metrics.registerGauge('kafka_consumergroup_lag', 'Records that a group has not yet committed', () =>
    [...sources.consumerLag()].map(({ group, topic, partition, lag }) => ({
      value: lag,
      labels: { consumergroup: group, topic, partition },
    })),
  )
  metrics.registerGauge('kafka_coordinator_group_groupmetadatamanager_numgroups', 'Groups on this broker', () => {
    let total = 0
    for (const [, count] of sources.groups()) total += count
    return total
  })
  for (const state of ['PreparingRebalance', 'CompletingRebalance', 'Stable', 'Dead', 'Empty']) {
    const name = `kafka_coordinator_group_groupmetadatamanager_numgroups${state.toLowerCase()}`
    metrics.registerGauge(name, `Groups in state ${state}`, () => new Map(sources.groups()).get(state) ?? 0)
  }
}
