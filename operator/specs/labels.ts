import {
  ANNOTATION_CLUSTER_ID,
  ANNOTATION_NODE_IDS,
  ANNOTATION_ROLES,
  KAFKA_CLUSTER,
  LABEL_BROKER,
  LABEL_CLUSTER,
  LABEL_MANAGED_BY,
  LABEL_POOL,
  MANAGED_BY,
} from '../api/resource.ts'
import type { KafkaCluster, Manifest, ObjectMeta, ResourceType } from '../api/resource.ts'
import { formatNodeIds, nodeIdsOf } from './node-ids.ts'
import { isBroker } from './nodes.ts'
import type { Pool } from './nodes.ts'

/** What selects every pod of a cluster. Immutable: StatefulSets and Services select by it. */
export function selectorOf(cluster: KafkaCluster, pool?: Pool): Record<string, string> {
  return { [LABEL_CLUSTER]: cluster.metadata.name, ...(pool === undefined ? {} : { [LABEL_POOL]: pool.name }) }
}

/** What selects the pods that clients may begin with. */
export function brokerSelectorOf(cluster: KafkaCluster): Record<string, string> {
  return { ...selectorOf(cluster), [LABEL_BROKER]: 'true' }
}

/** Kubernetes' recommended labels, and the selector. */
export function labelsOf(cluster: KafkaCluster, pool?: Pool): Record<string, string> {
  return {
    'app.kubernetes.io/name': 'kafka',
    'app.kubernetes.io/instance': cluster.metadata.name,
    [LABEL_MANAGED_BY]: MANAGED_BY,
    ...selectorOf(cluster, pool),
    ...(pool !== undefined && isBroker(pool) ? { [LABEL_BROKER]: 'true' } : {}),
  }
}

/** What a pool must not forget: it is on its StatefulSet and on its volumes, which outlive the KafkaCluster and its status. */
export function poolAnnotations(cluster: KafkaCluster, pool: Pool, clusterId: string): Record<string, string> {
  const ids = nodeIdsOf(cluster).get(pool.name)
  return {
    [ANNOTATION_CLUSTER_ID]: clusterId,
    [ANNOTATION_ROLES]: rolesOf(pool),
    ...(ids === undefined ? {} : { [ANNOTATION_NODE_IDS]: formatNodeIds(ids) }),
  }
}

/** As process.roles has them. */
export function rolesOf({ roles }: Pool): string {
  return [...roles].sort().join(',')
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
