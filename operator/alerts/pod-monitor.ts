import type { KafkaCluster, Manifest, ResourceType } from '../api/resource.ts'
import { LABEL_CLUSTER, LABEL_POOL } from '../api/resource.ts'
import { ownedManifest, selectorOf } from '../specs/labels.ts'
import { CLUSTER_LABEL, POOL_LABEL } from './selector.ts'

export const POD_MONITOR: ResourceType = {
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'PodMonitor',
  plural: 'podmonitors',
}

/** A relabelling as the Prometheus Operator writes it; Prometheus itself writes `source_labels` and `target_label`. */
export interface Relabeling {
  readonly sourceLabels: readonly string[]
  readonly targetLabel: string
  readonly regex?: string
  readonly replacement?: string
}

/**
 * The labels that rules and dashboards go by; and the names under which the dashboards of other operators of Kafka know the same, so that
 * they work as they are.
 */
export const RELABELINGS: readonly Relabeling[] = [
  { sourceLabels: [podLabel(LABEL_CLUSTER)], targetLabel: CLUSTER_LABEL },
  { sourceLabels: [podLabel(LABEL_POOL)], targetLabel: POOL_LABEL },
  { sourceLabels: ['__meta_kubernetes_pod_name'], targetLabel: 'kubernetes_pod_name' },
  { sourceLabels: ['__meta_kubernetes_pod_node_name'], targetLabel: 'node_name' },
  { sourceLabels: [podLabel(LABEL_CLUSTER)], targetLabel: 'strimzi_io_cluster' },
  {
    sourceLabels: [podLabel(LABEL_CLUSTER)],
    regex: '(.+)',
    replacement: '${1}-kafka',
    targetLabel: 'strimzi_io_name',
  },
]

/** What makes a Prometheus of the Prometheus Operator scrape a cluster's nodes. */
export function podMonitor(cluster: KafkaCluster): Manifest {
  return {
    ...ownedManifest(cluster, POD_MONITOR, `${cluster.metadata.name}-kafka`),
    spec: {
      selector: { matchLabels: selectorOf(cluster) },
      podMetricsEndpoints: [{ port: 'metrics', path: '/metrics', relabelings: RELABELINGS }],
    },
  }
}

/** As Prometheus' Kubernetes discovery names the label of a pod. */
function podLabel(name: string): string {
  return `__meta_kubernetes_pod_label_${name.replaceAll(/[^a-zA-Z0-9]/g, '_')}`
}
