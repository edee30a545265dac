import type { KafkaClusterStatus } from '../api/kafkacluster.ts'
import type { KafkaCluster } from '../api/resource.ts'
import { nodesOf } from './nodes.ts'

export type PoolStatus = NonNullable<KafkaClusterStatus['pools']>[number]

/** What status.pools says where the pods `ready` are; node ids are kept there, also of pools of which only volumes are left. */
export function poolStatuses(cluster: KafkaCluster, ready: readonly string[]): PoolStatus[] {
  const others = (cluster.status?.pools ?? []).filter(
    ({ name }) => !cluster.spec.pools.some((pool) => pool.name === name),
  )
  const running = cluster.spec.pools.map((pool) => {
    const nodes = nodesOf(cluster).filter((node) => node.pool.name === pool.name)
    return {
      name: pool.name,
      replicas: pool.replicas,
      ready: nodes.filter(({ podName }) => ready.includes(podName)).length,
      nodeIds: nodes.map(({ nodeId }) => nodeId),
    }
  })
  return [...running, ...others.map((pool) => ({ ...pool, replicas: 0, ready: 0 }))]
}
