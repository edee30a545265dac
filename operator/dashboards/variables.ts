import type { Variable } from './spec.ts'

/** The chosen cluster's series. */
export const OF_CLUSTER = 'namespace=~"$namespace",kafka_cluster=~"$kafka_cluster"'
/** Those of the chosen nodes. */
export const OF_PODS = `${OF_CLUSTER},pod=~"$pod"`

const EVERY_NODE = 'kafka_server_raftmetrics_current_epoch'

const NAMESPACE: Variable = { name: 'namespace', label: 'Namespace', series: EVERY_NODE, of: 'namespace' }

const CLUSTER: Variable = {
  name: 'kafka_cluster',
  label: 'Cluster',
  series: `${EVERY_NODE}{namespace=~"$namespace"}`,
  of: 'kafka_cluster',
}

export const CLUSTER_VARIABLES: readonly Variable[] = [NAMESPACE, CLUSTER]

export const POD: Variable = {
  name: 'pod',
  label: 'Node',
  series: `${EVERY_NODE}{${OF_CLUSTER}}`,
  of: 'pod',
  isMulti: true,
}

export const TOPIC: Variable = {
  name: 'topic',
  label: 'Topic',
  series: `kafka_topic_partitions{${OF_CLUSTER}}`,
  of: 'topic',
  isMulti: true,
}

export const GROUP: Variable = {
  name: 'consumergroup',
  label: 'Group',
  series: `kafka_consumergroup_members{${OF_CLUSTER}}`,
  of: 'consumergroup',
  isMulti: true,
}
