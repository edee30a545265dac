/** Which Kafka cluster the series of a query are of: its name and its namespace; null: of any. */
export type ClusterName = { readonly namespace: string; readonly name: string } | null

/**
 * Labels by which rules and dashboards know clusters. What scrapes brokers sets them from the pods' own labels (`RELABELINGS`); `namespace`
 * as every Prometheus on Kubernetes does.
 */
export const CLUSTER_LABEL = 'kafka_cluster'
export const POOL_LABEL = 'kafka_pool'
/** What the operator's own metrics call the namespace of a resource: `namespace` is the operator's there. */
export const RESOURCE_NAMESPACE_LABEL = 'resource_namespace'

/** By what is aggregated where a value is of a whole cluster. */
export const BY_CLUSTER = `by (namespace, ${CLUSTER_LABEL})`

/** The series of a cluster's nodes: `name{namespace="…",kafka_cluster="…",more}`. */
export function ofNodes(cluster: ClusterName, name: string, ...more: readonly string[]): string {
  return series(name, [...matchers(cluster, 'namespace'), ...more])
}

/** A series that the operator tells of a cluster, with the labels that a cluster's nodes have. */
export function ofOperator(cluster: ClusterName, name: string, ...more: readonly string[]): string {
  const own = series(name, [...matchers(cluster, RESOURCE_NAMESPACE_LABEL), ...more])
  const renamed = `label_replace(${own}, "namespace", "$1", "${RESOURCE_NAMESPACE_LABEL}", "(.*)")`
  return `max ${BY_CLUSTER} (${renamed})`
}

/** A name that ends in a range (`x[5m]`) takes the matchers before it. */
export function series(name: string, matching: readonly string[]): string {
  const [metric = '', ...range] = name.split(/(?=\[)/)
  return matching.length === 0 ? name : `${metric}{${matching.join(',')}}${range.join('')}`
}

function matchers(cluster: ClusterName, namespaceLabel: string): string[] {
  if (cluster === null) return []
  return [`${namespaceLabel}="${cluster.namespace}"`, `${CLUSTER_LABEL}="${cluster.name}"`]
}
