import { ANNOTATION_POOL, ANNOTATION_QUORUM } from '../api/resource.ts'
import type { KafkaCluster, Resource } from '../api/resource.ts'
import { poolAnnotations } from './labels.ts'
import type { Pool } from './nodes.ts'

/** The quorum has had a leader: nobody begins it again. */
const FORMED = 'formed'

/**
 * What a pool's StatefulSet must not forget. The spec is there for as long as the pool is emptied after it has been taken out of the
 * KafkaCluster; that the quorum has been formed, for a KafkaCluster that is made again.
 */
export function poolMemory(cluster: KafkaCluster, pool: Pool, clusterId: string): Record<string, string> {
  return {
    ...poolAnnotations(cluster, pool, clusterId),
    [ANNOTATION_POOL]: JSON.stringify(pool),
    ...(isQuorumFormed(cluster) ? { [ANNOTATION_QUORUM]: FORMED } : {}),
  }
}

/** The spec of the pool that `object` was last made for; null where it does not tell. */
export function rememberedPool({ metadata }: Resource): Pool | null {
  const text = metadata.annotations?.[ANNOTATION_POOL]
  if (text === undefined) return null
  try {
    return JSON.parse(text) as Pool
  } catch {
    return null
  }
}

export function remembersQuorum({ metadata }: Resource): boolean {
  return metadata.annotations?.[ANNOTATION_QUORUM] === FORMED
}

/** Whether the quorum has ever had a leader. From then on no controller may be formatted as one that begins it (KIP-853). */
export function isQuorumFormed({ status }: KafkaCluster): boolean {
  return status?.quorum !== undefined
}
