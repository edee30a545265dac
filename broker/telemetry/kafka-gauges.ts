import { type GroupGaugeSources, registerGroupGauges } from './group-gauges.ts'
import type { Metrics } from './metrics.ts'
import { type PartitionSample, registerPartitionGauges } from './partition-gauges.ts'
import { type RaftGaugeSources, registerRaftGauges } from './raft-gauges.ts'
import type { Sample } from './registry.ts'

export interface LogSample {
  readonly topic: string
  readonly partition: number
  readonly sizeInBytes: number
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly segments: number
}

/** Where a broker is in the metadata log. */
export interface AppliedMetadataSample {
  readonly offset: number
  readonly timestampMs: number
  /** How old that is, ms. */
  readonly lagMs: number
}

/** Where the values of a broker's gauges come from; each is called at a scrape. */
export interface LogDirectorySample {
  readonly path: string
  /** Of its file system. */
  readonly totalBytes: number
  readonly usableBytes: number
}

export interface LogDirectoryState {
  readonly path: string
  readonly online: boolean
  readonly isCordoned: boolean
}

export interface BrokerGaugeSources extends GroupGaugeSources {
  /** Partitions that this broker leads. */
  ledPartitions(): Iterable<PartitionSample>
  /** Replicas on this broker, led or followed. */
  partitionCount(): number
  offlineReplicaCount(): number
  producerIdCount(): number
  logs(): Iterable<LogSample>
  logDirectoryStates(): Iterable<LogDirectoryState>
  /** Kafka's BrokerState: 1 starting, 2 recovering, 3 running, 6 waits to be let go, 7 shutting down. */
  brokerState(): number
  appliedMetadata(): AppliedMetadataSample
  /** Those that have not failed. */
  logDirectories(): Iterable<LogDirectorySample>
  /** Where this broker can be reached. */
  self(): { readonly id: number; readonly address: string }
  fetchSessions(): FetchSessionSample
}

/** Incremental fetch sessions (KIP-227), of followers and consumers. */
export interface FetchSessionSample {
  readonly size: number
  /** Of all of them. */
  readonly partitionCount: number
  /** Sessions that made room for others, since the start. */
  readonly evictions: number
}

export interface ConnectionSample {
  readonly listener: string
  readonly open: number
  /** Since the start, with those that are open. */
  readonly created: number
}

/** The same for what every node has. */
export interface NodeGaugeSources extends RaftGaugeSources {
  /** Of each listener. */
  connections(): Iterable<ConnectionSample>
  /** When the certificate of each listener with TLS expires, ms since the epoch. */
  certificates(): Iterable<readonly [listener: string, notAfterMs: number]>
  /** The part of the last seconds in which the event loop had nothing to do, 0 to 1; the same for all who ask in one scrape. */
  idleRatio(): number
  /** Bytes that the process has read from and written to devices; undefined where the system does not tell. */
  diskBytes(): { readonly read: number; readonly written: number } | undefined
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
  /** How old that is, ms; 0 on the active controller. */
  readonly lastAppliedLagMs: number
  /** How often this node has seen a controller become the active one. */
  readonly newActiveControllers: number
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
  registerGroupGauges(metrics, sources)
  registerAppliedMetadata(metrics, sources)
  registerFetchSessions(metrics, sources)
}

/** The same for what every node has. */
export function registerNodeGauges(metrics: Metrics, sources: NodeGaugeSources): void {
  registerRaftGauges(metrics, sources)
  registerNetwork(metrics, sources)
  registerDisk(metrics, sources)
}

function registerReplicas(metrics: Metrics, sources: BrokerGaugeSources): void {
  registerPartitionGauges(metrics, () => sources.ledPartitions())
  const gauge = (name: string, help: string, collect: () => number) => {
    metrics.registerGauge(`kafka_server_replicamanager_${name}`, help, collect)
  }
  gauge('partitioncount', 'Replicas on this broker', () => sources.partitionCount())
  gauge('offlinereplicacount', 'Replicas on a failed log directory', () => sources.offlineReplicaCount())
  gauge('produceridcount', 'Producers whose sequence numbers are kept', () => sources.producerIdCount())
  metrics.registerGauge(
    'kafka_server_kafkaserver_brokerstate',
    'What this broker is doing: 1 starting, 2 recovering, 3 running, 6 waiting to be let go, 7 shutting down',
    () => sources.brokerState(),
  )
  metrics.registerGauge('kafka_broker_info', 'This broker', () => [{ value: 1, labels: { ...sources.self() } }])
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
  // Nothing is applied here that is not committed.
  gauge('lastcommittedrecordoffset', 'Committed end of the metadata here', ({ lastAppliedOffset }) => lastAppliedOffset)
  gauge('lastappliedrecordlagms', 'How long ago that was written, ms', ({ lastAppliedLagMs }) => lastAppliedLagMs)
  gauge(
    'newactivecontrollerscount',
    'Elections of an active controller seen',
    (controller) => controller.newActiveControllers,
  )
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
    metrics.registerGauge(`kafka_log_log_${name}`, help, () => logSamples(sources.logs(), read))
  }
  byLog('size', 'Bytes of a log', ({ sizeInBytes }) => sizeInBytes)
  byLog('numlogsegments', 'Segments of a log', ({ segments }) => segments)
  byLog('logstartoffset', 'First offset of a log', ({ logStartOffset }) => logStartOffset)
  byLog('logendoffset', 'Next offset of a log', ({ logEndOffset }) => logEndOffset)
  const byState = (state: string, are: string, is: (directory: LogDirectoryState) => boolean) => {
    metrics.registerGauge(
      `kafka_log_logmanager_${state}logdirectorycount`,
      `Log directories that ${are}`,
      () => [...sources.logDirectoryStates()].filter(is).length,
    )
    metrics.registerGauge(`kafka_log_logmanager_logdirectory${state}`, `1 for log directories that ${are}`, () =>
      [...sources.logDirectoryStates()].map((directory) => ({
        value: Number(is(directory)),
        labels: { logDirectory: directory.path },
      })),
    )
  }
  byState('cordoned', 'take no new replicas', ({ isCordoned }) => isCordoned)
  byState('offline', 'failed', ({ online }) => !online)
  const byDirectory = (name: string, help: string, read: (directory: LogDirectorySample) => number) => {
    metrics.registerGauge(`ottla_log_directory_${name}`, help, () =>
      [...sources.logDirectories()].map((directory) => ({
        value: read(directory),
        labels: { directory: directory.path },
      })),
    )
  }
  byDirectory('size_bytes', 'Size of the file system of a log directory', ({ totalBytes }) => totalBytes)
  byDirectory('usable_bytes', 'What is free of it', ({ usableBytes }) => usableBytes)
}

function* logSamples(logs: Iterable<LogSample>, read: (log: LogSample) => number): Generator<Sample> {
  for (const log of logs) yield { value: read(log), labels: { topic: log.topic, partition: log.partition } }
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

function registerFetchSessions(metrics: Metrics, sources: BrokerGaugeSources): void {
  const prefix = 'kafka_server_fetchsessioncache'
  metrics.registerGauge(
    `${prefix}_numincrementalfetchsessions`,
    'Clients whose fetches go on from one to the next',
    () => sources.fetchSessions().size,
  )
  metrics.registerGauge(
    `${prefix}_numincrementalfetchpartitionscached`,
    'Partitions that they fetch',
    () => sources.fetchSessions().partitionCount,
  )
  metrics.registerCounter(
    `${prefix}_incrementalfetchsessionevictions_total`,
    'Those that made room for others',
    () => sources.fetchSessions().evictions,
  )
}

function registerDisk(metrics: Metrics, sources: NodeGaugeSources): void {
  const gauge = (name: string, help: string, key: 'read' | 'written') => {
    metrics.registerGauge(`kafka_server_kafkaserver_linux_disk_${name}_bytes`, help, () => {
      const bytes = sources.diskBytes()
      return bytes === undefined ? [] : [{ value: bytes[key] }]
    })
  }
  gauge('read', 'Bytes that this process has read from devices', 'read')
  gauge('write', 'Bytes that this process has written to devices', 'written')
}

function registerNetwork(metrics: Metrics, sources: NodeGaugeSources): void {
  const connections = 'kafka_server_socket_server_metrics_connection'
  const byListener = (read: (connections: ConnectionSample) => number) => () =>
    [...sources.connections()].map((sample) => ({ value: read(sample), labels: { listener: sample.listener } }))
  metrics.registerGauge(
    `${connections}_count`,
    'Open connections, by listener',
    byListener(({ open }) => open),
  )
  metrics.registerCounter(
    `${connections}_creation_total`,
    'Connections that clients made, by listener',
    byListener(({ created }) => created),
  )
  metrics.registerCounter(
    `${connections}_close_total`,
    'Connections that were closed, by listener',
    byListener(({ created, open }) => created - open),
  )
  metrics.registerGauge(
    'ottla_listener_certificate_not_after_seconds',
    'When the certificate of a listener expires, seconds since the epoch',
    () => [...sources.certificates()].map(([listener, ms]) => ({ value: ms / 1000, labels: { listener } })),
  )
  // One event loop does the work of Kafka's network and request handler threads.
  const idle: readonly [string, string][] = [
    ['kafka_network_socketserver_networkprocessoravgidle_percent', 'Idle part of the network work, 0 to 1'],
    ['kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent', 'Idle part of request handling, 0 to 1'],
  ]
  for (const [name, help] of idle) metrics.registerGauge(name, help, () => sources.idleRatio())
}
