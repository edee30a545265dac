import { ANNOTATION_NODE_IDS, ANNOTATION_ROLES, LABEL_POOL } from '../api/resource.ts'
import type { KafkaCluster, Resource } from '../api/resource.ts'
import { parseNodeIds } from '../specs/node-ids.ts'
import { rolesOf } from '../specs/labels.ts'
import type { Observed } from './observe.ts'

/**
 * The cluster with the node ids of its pools in status.pools: where the status does not know them (the KafkaCluster was made again), as its
 * StatefulSets and volumes have them written down. `written` in order of trust.
 */
export function withNodeIds(cluster: KafkaCluster, written: readonly Resource[]): KafkaCluster {
  const known = cluster.status?.pools ?? []
  const found = cluster.spec.pools
    .filter(({ name }) => !known.some((pool) => pool.name === name))
    .flatMap(({ name }) => {
      const ids = annotated(written, name, ANNOTATION_NODE_IDS)
        .map(parseNodeIds)
        .find((parsed) => parsed !== null)
      if (ids === undefined || ids === null) return []
      const nodeIds = Array.from({ length: ids.count }, (_, index) => ids.first + index)
      return [{ name, replicas: ids.count, ready: 0, nodeIds }]
    })
  if (found.length === 0) return cluster
  return { ...cluster, status: { ...cluster.status, pools: [...known, ...found] } }
}

/** What is asked of a pool that has been made already and cannot be done yet, in words; null where it is as it was. */
export function poolChange({ cluster, statefulSets, claims }: Observed): string | null {
  const written = [...statefulSets.values(), ...claims]
  for (const pool of cluster.spec.pools) {
    const before = cluster.status?.pools?.find(({ name }) => name === pool.name)?.nodeIds.length ?? pool.replicas
    if (before !== pool.replicas) {
      return `pool ${pool.name} has ${before} nodes, spec.pools[].replicas asks for ${pool.replicas}: the number of nodes cannot be changed yet; set it to ${before}`
    }
    const [roles = rolesOf(pool)] = annotated(written, pool.name, ANNOTATION_ROLES)
    if (roles !== rolesOf(pool)) {
      return `pool ${pool.name} has the roles ${roles}, spec.pools[].roles asks for ${rolesOf(pool)}: roles cannot be changed yet; set them to [${roles}]`
    }
  }
  return null
}

function annotated(written: readonly Resource[], pool: string, annotation: string): string[] {
  return written
    .filter(({ metadata }) => metadata.labels?.[LABEL_POOL] === pool)
    .flatMap(({ metadata }) => metadata.annotations?.[annotation] ?? [])
}
