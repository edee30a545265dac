import { PERSISTENT_VOLUME_CLAIM } from '../api/resource.ts'
import type { KafkaCluster, Manifest } from '../api/resource.ts'
import { labelsOf, poolAnnotations } from './labels.ts'
import { type Pool, statefulSetName } from './nodes.ts'

/** Where the volumes are mounted, `data-0` first. */
export const DATA_ROOT = '/var/lib/ottla'

/** The pod that a volume claim is of, by the name that its StatefulSet gave it; undefined where it is none of ours. */
export function podOfClaim(claim: string): string | undefined {
  return /^data-\d+-(.+)$/.exec(claim)?.[1]
}

/** Whether a volume claim of this name is of a pod of `pool`. */
export function isClaimOf(claim: string, cluster: KafkaCluster, pool: Pool): boolean {
  return new RegExp(`^${statefulSetName(cluster, pool)}-\\d+$`).test(podOfClaim(claim) ?? '')
}

/**
 * The volume claims of a pool's pods. They outlive the cluster, and carry its id: a KafkaCluster made again under the same name finds its
 * data and goes on with it. Without an owner: nothing deletes a volume implicitly.
 */
export function volumeClaimTemplates(cluster: KafkaCluster, pool: Pool, clusterId: string): Manifest[] {
  return Array.from({ length: pool.storage.volumes }, (_, volume) => ({
    apiVersion: PERSISTENT_VOLUME_CLAIM.apiVersion,
    kind: PERSISTENT_VOLUME_CLAIM.kind,
    metadata: {
      name: `data-${volume}`,
      labels: labelsOf(cluster, pool),
      annotations: poolAnnotations(cluster, pool, clusterId),
    },
    spec: {
      accessModes: ['ReadWriteOnce'],
      volumeMode: 'Filesystem',
      ...(pool.storage.class === undefined ? {} : { storageClassName: pool.storage.class }),
      resources: { requests: { storage: pool.storage.size } },
    },
  }))
}
