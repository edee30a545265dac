import { EXPIRING_SECONDS } from '../specs/certificates.ts'
import { BY_CLUSTER, type ClusterName, ofNodes, ofOperator } from './selector.ts'

export type Severity = 'critical' | 'warning'

/** One alert, the same in all of its forms. Texts may refer to labels as Prometheus' templates do: `{{ $labels.topic }}`, `{{ $value }}`. */
export interface AlertRule {
  /** Also the name of its runbook. */
  readonly alert: string
  readonly severity: Severity
  /** How long it must hold, as Prometheus writes durations; null: spec.alerts.underReplicatedFor. */
  readonly for: string | null
  /** PromQL that has series while it holds. */
  readonly expr: (cluster: ClusterName) => string
  readonly summary: string
  readonly description: string
  /** The condition of a KafkaCluster that says the same, and the status that it has then: for what the operator tells an Alertmanager itself. */
  readonly condition?: { readonly type: string; readonly status: 'True' | 'False' | 'Unknown' }
}

/** Without spec.alerts.underReplicatedFor. */
export const UNDER_REPLICATED_FOR = '5m'

/** A broker that is restarted is back in less. */
const RESTART = '3m'

/** Whose consumers are so far behind, in seconds of their own pace, are said to fall behind. */
export const BEHIND_SECONDS = 300

/** What is free of a file system that is nearly full; and of one that may be said to fill, as a ratio. */
export const FULL_FREE = 0.1
export const FILLING_FREE = 0.4

const REPLICATION: readonly AlertRule[] = [
  {
    alert: 'KafkaUnderReplicatedPartitions',
    severity: 'warning',
    for: null,
    expr: (of) => `sum ${BY_CLUSTER} (${ofNodes(of, 'kafka_server_replicamanager_underreplicatedpartitions')}) > 0`,
    summary: 'Partitions lack replicas in sync',
    description: '{{ $value }} partitions of cluster {{ $labels.kafka_cluster }} have a replica that is not in sync.',
    condition: { type: 'PartitionsInSync', status: 'False' },
  },
  {
    alert: 'KafkaUnderMinIsr',
    severity: 'critical',
    for: '1m',
    expr: (of) => `sum ${BY_CLUSTER} (${ofNodes(of, 'kafka_server_replicamanager_underminisrpartitioncount')}) > 0`,
    summary: 'Partitions refuse writes: too few replicas in sync',
    description:
      '{{ $value }} partitions of cluster {{ $labels.kafka_cluster }} have fewer replicas in sync than min.insync.replicas: writes with acks=all fail.',
    condition: { type: 'PartitionsWritable', status: 'False' },
  },
  {
    alert: 'KafkaOfflinePartitions',
    severity: 'critical',
    for: '1m',
    expr: (of) => `max ${BY_CLUSTER} (${ofNodes(of, 'kafka_controller_kafkacontroller_offlinepartitionscount')}) > 0`,
    summary: 'Partitions have no leader',
    description:
      '{{ $value }} partitions of cluster {{ $labels.kafka_cluster }} have no leader: they can be neither written nor read.',
    condition: { type: 'PartitionsOnline', status: 'False' },
  },
  {
    alert: 'KafkaUncleanLeaderElection',
    severity: 'critical',
    for: '0s',
    expr: (of) => {
      const elections = ofNodes(of, 'kafka_controller_controllerstats_uncleanleaderelections_total[10m]')
      return `max ${BY_CLUSTER} (increase(${elections})) > 0`
    },
    summary: 'A replica that was out of sync has become a leader',
    description:
      'Cluster {{ $labels.kafka_cluster }} has elected a leader that was not in sync: acknowledged records are likely to be lost.',
  },
]

const NODES: readonly AlertRule[] = [
  {
    alert: 'KafkaBrokerDown',
    severity: 'warning',
    for: RESTART,
    expr: (of) => `max ${BY_CLUSTER} (${ofNodes(of, 'kafka_controller_kafkacontroller_fencedbrokercount')}) > 0`,
    summary: 'A broker is down',
    description:
      '{{ $value }} brokers of cluster {{ $labels.kafka_cluster }} are registered, and do not take part in it.',
    condition: { type: 'BrokersAvailable', status: 'False' },
  },
  {
    alert: 'KafkaControllerDown',
    severity: 'warning',
    for: RESTART,
    expr: (of) => {
      const voters = `max ${BY_CLUSTER} (${ofNodes(of, 'kafka_server_raftmetrics_number_of_voters')})`
      const states = ofNodes(of, 'kafka_server_raftmetrics_current_state', 'current_state=~"leader|follower"')
      return `${voters} - count ${BY_CLUSTER} (${states}) > 0`
    },
    summary: 'A controller is down',
    description:
      '{{ $value }} voters of the metadata quorum of cluster {{ $labels.kafka_cluster }} do not take part in it: it survives fewer failures, or none.',
    condition: { type: 'ControllersAvailable', status: 'False' },
  },
  {
    alert: 'KafkaNoActiveController',
    severity: 'critical',
    for: '1m',
    expr: (of) => `sum ${BY_CLUSTER} (${ofNodes(of, 'kafka_controller_kafkacontroller_activecontrollercount')}) < 1`,
    summary: 'There is no active controller',
    description: 'Nobody leads the metadata quorum of cluster {{ $labels.kafka_cluster }}: nothing in it can change.',
    condition: { type: 'QuorumLed', status: 'False' },
  },
  {
    alert: 'KafkaTwoActiveControllers',
    severity: 'critical',
    for: RESTART,
    expr: (of) => `sum ${BY_CLUSTER} (${ofNodes(of, 'kafka_controller_kafkacontroller_activecontrollercount')}) > 1`,
    summary: 'There is more than one active controller',
    description: '{{ $value }} nodes of cluster {{ $labels.kafka_cluster }} say that they are the active controller.',
    condition: { type: 'OneActiveController', status: 'False' },
  },
  {
    alert: 'KafkaNodeNotScraped',
    severity: 'warning',
    for: '5m',
    expr: (of) => `${ofNodes(of, 'up', ...(of === null ? ['kafka_cluster!=""'] : []))} == 0`,
    summary: 'A node of Kafka gives no metrics',
    description: '{{ $labels.pod }} of cluster {{ $labels.kafka_cluster }} does not answer Prometheus: it may be down.',
  },
]

const DISKS: readonly AlertRule[] = [
  {
    alert: 'KafkaOfflineLogDirectory',
    severity: 'critical',
    for: '1m',
    expr: (of) => `${ofNodes(of, 'kafka_log_logmanager_offlinelogdirectorycount')} > 0`,
    summary: 'A log directory has failed',
    description:
      '{{ $value }} log directories of {{ $labels.pod }} of cluster {{ $labels.kafka_cluster }} have failed: their replicas are offline.',
    condition: { type: 'LogDirsOnline', status: 'False' },
  },
  {
    alert: 'KafkaDiskFull',
    severity: 'critical',
    for: '5m',
    expr: (of) => `${freeRatio(of)} < ${FULL_FREE}`,
    summary: 'A log directory is nearly full',
    description:
      '{{ $value | humanizePercentage }} of {{ $labels.directory }} of {{ $labels.pod }} in cluster {{ $labels.kafka_cluster }} are free.',
    condition: { type: 'DisksHaveRoom', status: 'False' },
  },
  {
    alert: 'KafkaDiskFilling',
    severity: 'warning',
    for: '30m',
    expr: (of) => {
      const inADay = `predict_linear(${ofNodes(of, 'ottla_log_directory_usable_bytes[6h]')}, 86400)`
      // A few minutes say nothing of a day.
      const anHourAgo = `${ofNodes(of, 'ottla_log_directory_usable_bytes')} offset 1h`
      return `${freeRatio(of)} < ${FILLING_FREE} and ${inADay} < 0 and ${anHourAgo}`
    },
    summary: 'A log directory will be full within a day',
    description:
      '{{ $labels.directory }} of {{ $labels.pod }} in cluster {{ $labels.kafka_cluster }} has {{ $value | humanizePercentage }} free, and fills in less than a day at its pace of the last hours.',
    condition: { type: 'DisksNotFilling', status: 'False' },
  },
]

const CERTIFICATES: readonly AlertRule[] = [
  {
    alert: 'KafkaCertificateExpiring',
    severity: 'warning',
    for: '15m',
    expr: (of) => {
      const notAfter = ofNodes(of, 'ottla_listener_certificate_not_after_seconds')
      return `min by (namespace, kafka_cluster, listener) (${notAfter}) - time() < ${EXPIRING_SECONDS}`
    },
    summary: 'The certificate of a listener expires within a week',
    description:
      'The certificate that brokers of cluster {{ $labels.kafka_cluster }} show on listener {{ $labels.listener }} expires in {{ $value | humanizeDuration }}: clients refuse it from then on.',
    condition: { type: 'CertificatesValid', status: 'False' },
  },
]

const CONSUMERS: readonly AlertRule[] = [
  {
    alert: 'KafkaConsumerLagGrowing',
    severity: 'warning',
    for: '10m',
    expr: (of) => {
      const by = `by (namespace, kafka_cluster, consumergroup, topic)`
      const lag = `max ${by} (${ofNodes(of, 'kafka_consumergroup_lag_sum')})`
      const consumed = `max ${by} (${ofNodes(of, 'kafka_consumergroup_current_offset_sum')})`
      const pace = `clamp_min(deriv((${consumed})[10m:30s]), 0)`
      return `${lag} > ${BEHIND_SECONDS} * ${pace} and deriv((${lag})[10m:30s]) > 0`
    },
    summary: 'A consumer group falls behind',
    description:
      'Group {{ $labels.consumergroup }} is {{ $value }} records behind on topic {{ $labels.topic }} of cluster {{ $labels.kafka_cluster }}: more than it consumes in five minutes, and ever more.',
    condition: { type: 'ConsumersKeepUp', status: 'False' },
  },
]

/** What the operator says of its clusters. */
const CLUSTERS: readonly AlertRule[] = [
  {
    alert: 'KafkaRolloutBlocked',
    severity: 'warning',
    for: '15m',
    expr: (of) => `${ofOperator(of, 'ottla_cluster_condition', 'type="RolloutUnblocked"', 'status="False"')} > 0`,
    summary: 'A rolling restart cannot go on',
    description:
      'No pod of cluster {{ $labels.kafka_cluster }} may be restarted without a partition going below its min ISR; status.rollout.blockedBy of the KafkaCluster names the partitions.',
    condition: { type: 'RolloutUnblocked', status: 'False' },
  },
  {
    alert: 'KafkaDurabilityNotMet',
    severity: 'warning',
    for: '15m',
    expr: (of) => `${ofOperator(of, 'ottla_cluster_condition', 'type="DurabilityMet"', 'status="False"')} > 0`,
    summary: 'Topics are less durable than the cluster promises',
    description:
      'Topics of cluster {{ $labels.kafka_cluster }} have fewer replicas, or a lower min.insync.replicas, than spec.durability promises; the condition DurabilityMet of the KafkaCluster names them.',
    condition: { type: 'DurabilityMet', status: 'False' },
  },
  {
    alert: 'KafkaRestartUnsafe',
    severity: 'warning',
    for: '15m',
    expr: (of) => `${ofOperator(of, 'ottla_cluster_condition', 'type="RestartSafe"', 'status="False"')} > 0`,
    summary: 'Topics cannot survive the restart of a broker',
    description:
      'Topics of cluster {{ $labels.kafka_cluster }} have as many min.insync.replicas as replicas: writes with acks=all fail while any of their brokers restarts; the condition RestartSafe of the KafkaCluster names them.',
    condition: { type: 'RestartSafe', status: 'False' },
  },
  {
    alert: 'KafkaClusterStalled',
    severity: 'warning',
    for: '5m',
    expr: (of) => `${ofOperator(of, 'ottla_cluster_condition', 'type="Stalled"', 'status="True"')} > 0`,
    summary: 'A KafkaCluster is not what was asked for, and will not be by itself',
    description:
      'The operator cannot go on with KafkaCluster {{ $labels.kafka_cluster }}; its condition Stalled says why, and what to do.',
    condition: { type: 'Stalled', status: 'True' },
  },
  {
    alert: 'KafkaClusterUnreachable',
    severity: 'critical',
    for: '5m',
    expr: (of) => `${ofOperator(of, 'ottla_cluster_condition', 'type="Ready"', 'status="Unknown"')} > 0`,
    summary: 'The brokers of a cluster do not answer',
    description:
      'The brokers of cluster {{ $labels.kafka_cluster }} do not answer the operator: it cannot look after them, and clients may see the same.',
    condition: { type: 'Ready', status: 'Unknown' },
  },
  {
    alert: 'KafkaMetricsMissing',
    severity: 'warning',
    for: '10m',
    expr: (of) => {
      const running = `${ofOperator(of, 'ottla_cluster_nodes_ready', 'distribution="bundled"')} > 0`
      const scraped = `max ${BY_CLUSTER} (${ofNodes(of, 'kafka_server_raftmetrics_current_epoch')})`
      return `${running} unless on (namespace, kafka_cluster) ${scraped}`
    },
    summary: 'Prometheus has no metrics of a cluster',
    description:
      'Cluster {{ $labels.kafka_cluster }} runs, and Prometheus does not have its metrics under these labels: the other alerts cannot fire.',
  },
]

/** Of each cluster. */
export const CLUSTER_RULES: readonly AlertRule[] = [
  ...REPLICATION,
  ...NODES,
  ...DISKS,
  ...CERTIFICATES,
  ...CONSUMERS,
  ...CLUSTERS,
]

/** Of the operator itself. */
export const OPERATOR_RULES: readonly AlertRule[] = [
  {
    alert: 'OttlaOperatorDown',
    severity: 'warning',
    for: '5m',
    expr: () => 'absent(max(leader_election_master_status) == 1)',
    summary: 'The operator does not work',
    description: 'No operator leads: clusters and topics are not looked after. Kafka itself goes on.',
  },
  {
    alert: 'OttlaReconcileErrors',
    severity: 'warning',
    for: '15m',
    expr: () => 'sum by (controller) (rate(controller_runtime_reconcile_total{result="error"}[5m])) > 0.1',
    summary: 'The operator fails again and again',
    description: 'The operator fails at {{ $labels.controller }} resources; its log says why.',
  },
]

function freeRatio(of: ClusterName): string {
  return `${ofNodes(of, 'ottla_log_directory_usable_bytes')} / ${ofNodes(of, 'ottla_log_directory_size_bytes')}`
}
