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
import { Availability } from '../kafka/availability.ts'
import type { KafkaState, Unreachable } from '../kafka/state.ts'
import { configMap } from '../specs/config-map.ts'
import { disruptionBudgets } from '../specs/disruption-budgets.ts'
import type { Evictable } from '../specs/disruption-budgets.ts'
import { statefulSetName } from '../specs/nodes.ts'
import type { Pool } from '../specs/nodes.ts'
import { quantityBytes } from '../specs/quantity.ts'
import { specProblem } from '../specs/spec-problem.ts'
import { bootstrapService, headlessService, serviceAccount } from '../specs/services.ts'
import { statefulSet } from '../specs/stateful-set.ts'
import { isClaimOf, volumeClaimTemplates } from '../specs/volumes.ts'
import type { StatefulSet } from './kubernetes.ts'
import type { Observed } from './observe.ts'
import { hasOutgrown } from './volume-claims.ts'
import { runnableVersion, versionProblem } from './version.ts'
import type { Images } from './version.ts'

/** A cluster id that is known, or why it cannot be told. `null`: this cluster never had one. */
export type Identity = { readonly clusterId: string | null } | { readonly conflict: string }

export interface Plan {
  /** The Kafka version that nodes are to run now, and its image. */
  readonly version: string
  readonly image: string
  /** StatefulSets that have to be made anew around their pods, before anything is applied. */
  readonly replaced: readonly StatefulSet[]
  /** Applied in this order. */
  readonly manifests: readonly { type: ResourceType; manifest: Manifest }[]
  /** Claims that ask for less than the spec. */
  readonly growClaims: readonly { name: string; size: string }[]
}

export interface PlanOptions {
  readonly images: Images
  readonly clusterId: string
  readonly kafka: KafkaState | Unreachable
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
export function obstacle(observed: Observed, identity: Identity, images: Images): Health | null {
  const problem = specProblem(observed.cluster)
  if (problem !== null) return stalled('InvalidSpec', problem)
  const version = versionProblem(observed.cluster, images)
  if (version !== null) return version
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
export function plan(observed: Observed, options: PlanOptions): Plan {
  const { cluster, statefulSets } = observed
  const pools = cluster.spec.pools
  const budgets = disruptionBudgets(cluster, evictable(options.kafka))
  const version = runnableVersion(cluster, options.kafka, options.images)
  const image = options.images[cluster.spec.distribution].get(version) ?? ''
  const helperImage = options.images.bundled.get(version) ?? image
  const replaced = pools.flatMap((pool) => {
    const set = statefulSets.get(statefulSetName(cluster, pool))
    const wanted = volumeClaimTemplates(cluster, pool, options.clusterId)
    return set !== undefined && hasOutgrown(set.spec.volumeClaimTemplates ?? wanted, wanted) ? [set] : []
  })
  return {
    version,
    image,
    replaced,
    manifests: [
      { type: SERVICE_ACCOUNT, manifest: serviceAccount(cluster) },
      { type: SERVICE, manifest: headlessService(cluster) },
      { type: SERVICE, manifest: bootstrapService(cluster) },
      ...budgets.map((manifest) => ({ type: POD_DISRUPTION_BUDGET, manifest })),
      ...pools.map((pool) => ({ type: CONFIG_MAP, manifest: configMap(cluster, pool) })),
      ...pools.map((pool) => {
        const set = statefulSets.get(statefulSetName(cluster, pool))
        const isKept = set !== undefined && !replaced.includes(set)
        const volumeClaims = isKept ? (set.spec.volumeClaimTemplates ?? null) : null
        const { clusterId } = options
        return {
          type: STATEFUL_SET,
          manifest: statefulSet(cluster, pool, { image, helperImage, clusterId, volumeClaims }),
        }
      }),
    ],
    growClaims: pools.flatMap((pool) => claimsToGrow(observed, pool)),
  }
}

/** A node drain must not take what a restart would not; where the brokers cannot be asked, one pod at a time. */
function evictable(kafka: KafkaState | Unreachable): Evictable {
  if ('error' in kafka) return { brokers: 1, controllers: 1 }
  const availability = new Availability(kafka)
  const controllers = availability.needsEveryController() ? 0 : 1
  const hasCombined = kafka.quorum.voters.some(({ id }) => kafka.brokers.has(id))
  const brokers = availability.needsEveryBroker() || (hasCombined && controllers === 0) ? 0 : 1
  return { brokers, controllers }
}

/** Claims bound to a pod of `pool` that are smaller than its storage; one that somebody has grown further is left alone. */
function claimsToGrow({ cluster, claims }: Observed, pool: Pool): { name: string; size: string }[] {
  return claims
    .filter(({ metadata, spec }) => {
      const asked = quantityBytes(spec?.resources?.requests?.storage ?? '')
      return (
        isClaimOf(metadata.name, cluster, pool) &&
        metadata.deletionTimestamp === undefined &&
        asked < quantityBytes(pool.storage.size)
      )
    })
    .map(({ metadata }) => ({ name: metadata.name, size: pool.storage.size }))
}
