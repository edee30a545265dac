import type { KafkaCluster } from '../api/resource.ts'
import { nodeIdsOf } from './node-ids.ts'

export type Pool = KafkaCluster['spec']['pools'][number]

/** Ports that the operator keeps for itself; admission refuses them in spec.listeners. */
export const CONTROLLER_PORT = 9090
export const INTERNAL_PORT = 9091
export const METRICS_PORT = 9404

/** The listeners that the operator adds to those of the spec. Lower case, as in spec.listeners. */
export const CONTROLLER_LISTENER = 'controller'
export const INTERNAL_LISTENER = 'internal'

/** One node of a cluster. */
export interface Node {
  readonly pool: Pool
  readonly ordinal: number
  /** Kafka's node.id. */
  readonly nodeId: number
  readonly podName: string
}

export function statefulSetName(cluster: KafkaCluster, pool: Pool): string {
  return `${cluster.metadata.name}-${pool.name}`
}

export function serviceAccountName(cluster: KafkaCluster): string {
  return `${cluster.metadata.name}-kafka`
}

export function headlessServiceName(cluster: KafkaCluster): string {
  return `${cluster.metadata.name}-nodes`
}

export function bootstrapServiceName(cluster: KafkaCluster): string {
  return `${cluster.metadata.name}-bootstrap`
}

/** The key of a pod's server.properties in its pool's ConfigMap. */
export function propertiesKey(podName: string): string {
  return `${podName}.properties`
}

/** DNS name of a node's pod, resolvable inside of the Kubernetes cluster. */
export function nodeHost(cluster: KafkaCluster, node: Node): string {
  return `${node.podName}.${headlessServiceName(cluster)}.${cluster.metadata.namespace ?? ''}.svc`
}

/** `host:port` where clients inside of Kubernetes begin. */
export function bootstrapServers(cluster: KafkaCluster, port: number): string {
  return `${bootstrapServiceName(cluster)}.${cluster.metadata.namespace ?? ''}.svc:${port}`
}

/** Every node of the cluster, pool by pool. */
export function nodesOf(cluster: KafkaCluster): Node[] {
  const ids = nodeIdsOf(cluster)
  return cluster.spec.pools.flatMap((pool) =>
    Array.from({ length: pool.replicas }, (_, ordinal) => ({
      pool,
      ordinal,
      nodeId: (ids.get(pool.name)?.first ?? 0) + ordinal,
      podName: `${statefulSetName(cluster, pool)}-${ordinal}`,
    })),
  )
}

export function isBroker(pool: Pool): boolean {
  return pool.roles.includes('broker')
}

export function isController(pool: Pool): boolean {
  return pool.roles.includes('controller')
}

/** The brokers of a cluster that are not among `nodeIds`. */
export function brokersMissing(cluster: KafkaCluster, nodeIds: readonly number[]): Node[] {
  return nodesOf(cluster).filter(({ pool, nodeId }) => isBroker(pool) && !nodeIds.includes(nodeId))
}

/** Asked of each of ten thousand topics: cheaper than `nodesOf`. */
export function brokerCount({ spec }: KafkaCluster): number {
  return spec.pools.reduce((sum, pool) => sum + (isBroker(pool) ? pool.replicas : 0), 0)
}
