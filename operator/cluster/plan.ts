import type { Health } from '../api/conditions.ts'
import {
  ANNOTATION_CLUSTER_ID,
  CONFIG_MAP,
  POD_DISRUPTION_BUDGET,
  SERVICE,
  SERVICE_ACCOUNT,
  STATEFUL_SET,
} from '../api/resource.ts'
import type { Manifest, ResourceType } from '../api/resource.ts'
import { configMap } from '../specs/config-map.ts'
import { statefulSetName } from '../specs/nodes.ts'
import type { Pool } from '../specs/nodes.ts'
import { specProblem } from '../specs/spec-problem.ts'
import { bootstrapService, headlessService, podDisruptionBudget, serviceAccount } from '../specs/services.ts'
import { statefulSet } from '../specs/stateful-set.ts'
import type { StatefulSet } from './kubernetes.ts'
import type { Observed } from './observe.ts'
import { quantityBytes } from './quantity.ts'
import { poolChange } from './pools.ts'

/** A cluster id that is known, or why it cannot be told. `null`: this cluster never had one. */
export type Identity = { readonly clusterId: string | null } | { readonly conflict: string }

export interface Plan {
  /** Applied in this order. */
  readonly manifests: readonly { type: ResourceType; manifest: Manifest }[]
  /** Claims that ask for less than the spec. */
  readonly growClaims: readonly { name: string; size: string }[]
}

/**
 * The cluster's id, from wherever it is written down: status, StatefulSets, volumes. The volumes outlive the KafkaCluster, so one that is
 * made again goes on with its data.
 */
export function identityOf({ cluster, statefulSets, claims }: Observed): Identity {
  const written = [...statefulSets.values(), ...claims].flatMap(({ kind, metadata }) => {
    const id = metadata.annotations?.[ANNOTATION_CLUSTER_ID]
    return id === undefined ? [] : [{ id, where: `${kind} ${metadata.name}` }]
  })
  const status = cluster.status?.clusterId
  const all = status === undefined ? written : [{ id: status, where: 'status.clusterId' }, ...written]
  const first = all[0]
  const other = all.find(({ id }) => id !== first?.id)
  if (first === undefined) return { clusterId: null }
  if (other === undefined) return { clusterId: first.id }
  return { conflict: `${first.where} has cluster id ${first.id}, ${other.where} has ${other.id}` }
}

/** Why nothing may be done about this cluster, or null. */
export function obstacle(observed: Observed, identity: Identity): Health | null {
  const problem = specProblem(observed.cluster)
  if (problem !== null) return stalled('InvalidSpec', problem)
  const change = poolChange(observed)
  if (change !== null) return stalled('PoolChangeUnsupported', change)
  if (observed.foreign.length > 0) {
    const names = observed.foreign.join(', ')
    return stalled(
      'NameConflict',
      `${names}: there already, and not of this KafkaCluster; rename the cluster or remove them`,
    )
  }
  if (observed.leftover.length > 0) {
    const message = `${observed.leftover.join(', ')} of a former cluster of this name is still being removed`
    return { state: 'progressing', reason: 'Cleanup', message }
  }
  if ('conflict' in identity) {
    return stalled(
      'ClusterIdConflict',
      `${identity.conflict}: the volumes of two clusters are mixed; nothing is changed`,
    )
  }
  return null
}

function stalled(reason: string, message: string): Health {
  return { state: 'stalled', reason, message }
}

/** What has to be there. Pure; the same for the same observation. */
export function plan(observed: Observed, options: { image: string; clusterId: string }): Plan {
  const { cluster, statefulSets } = observed
  const pools = cluster.spec.pools
  return {
    manifests: [
      { type: SERVICE_ACCOUNT, manifest: serviceAccount(cluster) },
      { type: SERVICE, manifest: headlessService(cluster) },
      { type: SERVICE, manifest: bootstrapService(cluster) },
      { type: POD_DISRUPTION_BUDGET, manifest: podDisruptionBudget(cluster) },
      ...pools.map((pool) => ({ type: CONFIG_MAP, manifest: configMap(cluster, pool) })),
      ...pools.map((pool) => {
        const volumeClaims = statefulSets.get(statefulSetName(cluster, pool))?.spec.volumeClaimTemplates ?? null
        return { type: STATEFUL_SET, manifest: statefulSet(cluster, pool, { ...options, volumeClaims }) }
      }),
    ],
    growClaims: pools.flatMap((pool) => claimsToGrow(observed, pool)),
  }
}

/** Claims bound to a pod of `pool` that are smaller than its storage; one that somebody has grown further is left alone. */
function claimsToGrow({ cluster, claims }: Observed, pool: Pool): { name: string; size: string }[] {
  const ofPool = new RegExp(`^data-\\d+-${statefulSetName(cluster, pool)}-\\d+$`)
  return claims
    .filter(({ metadata, spec }) => {
      const asked = quantityBytes(spec?.resources?.requests?.storage ?? '')
      return (
        ofPool.test(metadata.name) &&
        metadata.deletionTimestamp === undefined &&
        asked < quantityBytes(pool.storage.size)
      )
    })
    .map(({ metadata }) => ({ name: metadata.name, size: pool.storage.size }))
}

/** Whether every pod is of the newest revision. */
export function isRolledOut({ metadata, spec, status }: StatefulSet): boolean {
  return (
    (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0) &&
    (status?.updatedReplicas ?? 0) >= (spec.replicas ?? 1)
  )
}
