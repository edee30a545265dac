import { ANNOTATION_NODE_IDS, LABEL_POOL } from '../api/resource.ts'
import type { KafkaCluster, Resource } from '../api/resource.ts'
import { parseNodeIds } from '../specs/node-ids.ts'
import { rememberedPool, remembersQuorum } from '../specs/pool-memory.ts'

/**
 * The cluster with the node ids of all pools that it has had in status.pools: where the status does not know them (the KafkaCluster was made
 * again, the pool is gone), as its StatefulSets and volumes have them written down. Ids of volumes belong to nobody else. `written` in order
 * of trust. Likewise whether its quorum has ever been formed.
 */
export function remembered(cluster: KafkaCluster, written: readonly Resource[]): KafkaCluster {
  const labels = written.flatMap(({ metadata }) => metadata.labels?.[LABEL_POOL] ?? [])
  const names = [...new Set([...cluster.spec.pools.map(({ name }) => name), ...labels])]
  const known = (cluster.status?.pools ?? []).filter(({ name }) => names.includes(name))
  const found = names
    .filter((name) => !known.some((pool) => pool.name === name))
    .flatMap((name) => {
      const ids = annotated(written, name, ANNOTATION_NODE_IDS)
        .map(parseNodeIds)
        .find((parsed) => parsed !== null)
      if (ids === undefined || ids === null) return []
      const nodeIds = Array.from({ length: ids.count }, (_, index) => ids.first + index)
      return [{ name, replicas: ids.count, ready: 0, nodeIds }]
    })
  const quorum = written.some(remembersQuorum) ? { quorum: { voters: [] } } : {}
  const pools = [...known, ...found]
  return { ...cluster, status: { ...quorum, ...cluster.status, ...(pools.length === 0 ? {} : { pools }) } }
}

/** The cluster with the pools that its StatefulSets were last made for: those that run, whatever its spec says now. */
export function withRunningPools(cluster: KafkaCluster, statefulSets: Iterable<Resource>): KafkaCluster {
  const pools = [...statefulSets].flatMap((set) => rememberedPool(set) ?? [])
  return { ...cluster, spec: { ...cluster.spec, pools } }
}

function annotated(written: readonly Resource[], pool: string, annotation: string): string[] {
  return written
    .filter(({ metadata }) => metadata.labels?.[LABEL_POOL] === pool)
    .flatMap(({ metadata }) => metadata.annotations?.[annotation] ?? [])
}
