/** Series as promtool's tests write them: `1+2x3` is 1 3 5 7, one value every 30 s. */
interface Input {
  readonly series: string
  readonly values: string
}

/** What makes an alert fire, and what is near to it and must not. */
export interface RuleCase {
  readonly alert: string
  readonly bad: readonly Input[]
  readonly good: readonly Input[]
  /** When the bad series are bad, in minutes; later than at once where a rule looks back. */
  readonly fromMinutes?: number
  /** Labels that the alert has besides its severity. */
  readonly labels: Readonly<Record<string, string>>
}

/** Values of a series: two hours, longer than any alert takes. */
const COUNT = 240
const CLUSTER = { namespace: 'ns', kafka_cluster: 'c' }
const POD = { ...CLUSTER, pod: 'c-brokers-0' }
const OPERATOR = { namespace: 'operators', resource_namespace: 'ns', kafka_cluster: 'c' }

function input(name: string, labels: Readonly<Record<string, string>>, value: number | string): Input {
  const matchers = Object.entries(labels).map(([label, text]) => `${label}="${text}"`)
  return {
    series: `${name}{${matchers.join(',')}}`,
    values: typeof value === 'number' ? `${value}x${COUNT}` : value,
  }
}

/** A gauge of one broker that is well at 0 and not at 1; another broker is well. */
function gauge(alert: string, name: string, labels: Readonly<Record<string, string>>): RuleCase {
  const other = { ...POD, pod: 'c-brokers-1' }
  return {
    alert,
    labels,
    bad: [input(name, POD, 1), input(name, other, 0)],
    good: [input(name, POD, 0), input(name, other, 0)],
  }
}

function condition(alert: string, type: string, status: string): RuleCase {
  const series = (value: number) => input('ottla_cluster_condition', { ...OPERATOR, type, status }, value)
  return { alert, labels: CLUSTER, bad: [series(1)], good: [series(0)] }
}

/** What a broker shows is good for so many days, counted from 1970 as these tests do; they begin there. */
function certificate(pod: string, days: number): Input {
  return input('ottla_listener_certificate_not_after_seconds', { ...POD, pod, listener: 'EXTERNAL' }, days * 86_400)
}

const controllers = (first: number, second: number): Input[] => [
  input('kafka_controller_kafkacontroller_activecontrollercount', { ...POD, pod: 'a' }, first),
  input('kafka_controller_kafkacontroller_activecontrollercount', { ...POD, pod: 'b' }, second),
]

const states = (third: string): Input[] => [
  input('kafka_server_raftmetrics_number_of_voters', { ...POD, pod: 'a' }, 3),
  ...['leader', 'follower', third].map((state, index) =>
    input('kafka_server_raftmetrics_current_state', { ...POD, pod: `c-${index}`, current_state: state }, 1),
  ),
]

const disk = (usable: number | string): Input[] => [
  input('ottla_log_directory_size_bytes', { ...POD, directory: '/data/0' }, 1000),
  input('ottla_log_directory_usable_bytes', { ...POD, directory: '/data/0' }, usable),
]

const GROUP = { ...POD, consumergroup: 'g', topic: 't' }
const group = (lag: number | string, offset: number | string): Input[] => [
  input('kafka_consumergroup_lag_sum', GROUP, lag),
  input('kafka_consumergroup_current_offset_sum', GROUP, offset),
]

export const RULE_CASES: readonly RuleCase[] = [
  gauge('KafkaUnderReplicatedPartitions', 'kafka_server_replicamanager_underreplicatedpartitions', CLUSTER),
  gauge('KafkaUnderMinIsr', 'kafka_server_replicamanager_underminisrpartitioncount', CLUSTER),
  gauge('KafkaOfflinePartitions', 'kafka_controller_kafkacontroller_offlinepartitionscount', CLUSTER),
  {
    alert: 'KafkaUncleanLeaderElection',
    labels: CLUSTER,
    fromMinutes: 10,
    bad: [input('kafka_controller_controllerstats_uncleanleaderelections_total', POD, `0x18 1x${COUNT}`)],
    good: [input('kafka_controller_controllerstats_uncleanleaderelections_total', POD, 1)],
  },
  gauge('KafkaBrokerDown', 'kafka_controller_kafkacontroller_fencedbrokercount', CLUSTER),
  { alert: 'KafkaControllerDown', labels: CLUSTER, bad: states('candidate'), good: states('follower') },
  { alert: 'KafkaNoActiveController', labels: CLUSTER, bad: controllers(0, 0), good: controllers(0, 1) },
  { alert: 'KafkaTwoActiveControllers', labels: CLUSTER, bad: controllers(1, 1), good: controllers(1, 0) },
  {
    alert: 'KafkaNodeNotScraped',
    labels: { ...POD, job: 'kafka' },
    bad: [input('up', { ...POD, job: 'kafka' }, 0)],
    good: [input('up', { ...POD, job: 'kafka' }, 1), input('up', { job: 'another' }, 0)],
  },
  gauge('KafkaOfflineLogDirectory', 'kafka_log_logmanager_offlinelogdirectorycount', POD),
  { alert: 'KafkaDiskFull', labels: { ...POD, directory: '/data/0' }, bad: disk(99), good: disk(101) },
  {
    alert: 'KafkaDiskFilling',
    labels: { ...POD, directory: '/data/0' },
    fromMinutes: 60,
    // Some 20 an hour: 399 are gone in less than a day. The good one is as full, and does not fill.
    bad: disk(`399-0.17x${COUNT}`),
    good: disk(399),
  },
  {
    alert: 'KafkaCertificateExpiring',
    labels: { ...CLUSTER, listener: 'EXTERNAL' },
    bad: [certificate('c-brokers-0', 6), certificate('c-brokers-1', 90)],
    good: [certificate('c-brokers-0', 8), certificate('c-brokers-1', 90)],
  },
  {
    alert: 'KafkaConsumerLagGrowing',
    labels: { ...CLUSTER, consumergroup: 'g', topic: 't' },
    fromMinutes: 5,
    // It commits one record a second, and one more a second comes; the good one is far behind, and catches up.
    bad: group(`400+30x${COUNT}`, `0+30x${COUNT}`),
    good: group(`90000-30x${COUNT}`, `0+30x${COUNT}`),
  },
  condition('KafkaRolloutBlocked', 'RolloutUnblocked', 'False'),
  condition('KafkaDurabilityNotMet', 'DurabilityMet', 'False'),
  condition('KafkaRestartUnsafe', 'RestartSafe', 'False'),
  condition('KafkaClusterStalled', 'Stalled', 'True'),
  condition('KafkaClusterUnreachable', 'Ready', 'Unknown'),
  {
    alert: 'KafkaMetricsMissing',
    labels: CLUSTER,
    bad: [input('ottla_cluster_nodes_ready', { ...OPERATOR, distribution: 'bundled' }, 3)],
    good: [input('ottla_cluster_nodes_ready', OPERATOR, 3), input('kafka_server_raftmetrics_current_epoch', POD, 1)],
  },
  {
    alert: 'OttlaOperatorDown',
    labels: {},
    bad: [input('leader_election_master_status', { pod: 'o' }, 0)],
    good: [input('leader_election_master_status', { pod: 'o' }, 1)],
  },
  {
    alert: 'OttlaReconcileErrors',
    labels: { controller: 'KafkaTopic' },
    fromMinutes: 1,
    bad: [input('controller_runtime_reconcile_total', { controller: 'KafkaTopic', result: 'error' }, `0+30x${COUNT}`)],
    good: [
      input('controller_runtime_reconcile_total', { controller: 'KafkaTopic', result: 'success' }, `0+30x${COUNT}`),
    ],
  },
]
