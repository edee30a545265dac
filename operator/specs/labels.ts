import { KAFKA_CLUSTER, LABEL_CLUSTER, LABEL_MANAGED_BY, LABEL_POOL, MANAGED_BY } from '../api/resource.ts'
import type { KafkaCluster, Manifest, ObjectMeta, ResourceType } from '../api/resource.ts'
import type { Pool } from './nodes.ts'

/** What selects every pod of a cluster. Immutable: StatefulSets and Services select by it. */
export function selectorOf(cluster: KafkaCluster, pool?: Pool): Record<string, string> {
  return { [LABEL_CLUSTER]: cluster.metadata.name, ...(pool === undefined ? {} : { [LABEL_POOL]: pool.name }) }
}

/** Kubernetes' recommended labels, and the selector. */
export function labelsOf(cluster: KafkaCluster, pool?: Pool): Record<string, string> {
  return {
    'app.kubernetes.io/name': 'kafka',
    'app.kubernetes.io/instance': cluster.metadata.name,
    [LABEL_MANAGED_BY]: MANAGED_BY,
    ...selectorOf(cluster, pool),
  }
}

/** The head of an object that belongs to `cluster` and goes with it. */
export function ownedManifest(
  cluster: KafkaCluster,
  type: ResourceType,
  name: string,
  options: { pool?: Pool } = {},
): Manifest {
  const metadata: ObjectMeta = {
    name,
    namespace: cluster.metadata.namespace ?? '',
    labels: labelsOf(cluster, options.pool),
    ownerReferences: [
      {
        apiVersion: KAFKA_CLUSTER.apiVersion,
        kind: KAFKA_CLUSTER.kind,
        name: cluster.metadata.name,
        uid: cluster.metadata.uid ?? '',
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  }
  return { apiVersion: type.apiVersion, kind: type.kind, metadata }
}
