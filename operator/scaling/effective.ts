import { ANNOTATION_DRAIN } from '../api/resource.ts'
import type { KafkaCluster } from '../api/resource.ts'
import type { PersistentVolumeClaim } from '../cluster/kubernetes.ts'
import type { Observed } from '../cluster/observe.ts'
import type { KafkaState, Unreachable } from '../kafka/state.ts'
import { nodeIdsOf, POOL_IDS } from '../specs/node-ids.ts'
import { isController, statefulSetName } from '../specs/nodes.ts'
import type { Pool } from '../specs/nodes.ts'
import { isQuorumFormed, rememberedPool } from '../specs/pool-memory.ts'
import { isClaimOf } from '../specs/volumes.ts'

/** The word on a node's volume that lets the node go. */
export const DRAINED = 'drained'

/**
 * `cluster` with the pools that are to run now: nodes that are asked for, and those that were and are not empty yet. Growth takes place at
 * once, a node goes when it is marked as drained (see DrainStep), and nothing goes while the brokers cannot be asked. Until the quorum has had
 * a leader its controllers stay those that it was begun with: others would begin another one. But for pools that never had
 * a volume: nobody has begun anything there, and others may take their place. Pure.
 */
export function effectiveCluster(
  cluster: KafkaCluster,
  observed: Observed,
  kafka: KafkaState | Unreachable,
): KafkaCluster {
  const known = 'error' in kafka ? null : kafka
  const status = { ...cluster.status, ...quorumStatus(known) }
  const formed = { ...cluster, status }
  const asked = cluster.spec.pools
  const removed = removedPools(cluster, observed)
  const withAll = { ...formed, spec: { ...cluster.spec, pools: [...asked, ...removed] } }
  const contents = known === null ? null : contentsOf(known)
  const firsts = nodeIdsOf(withAll)
  const isFormed = isQuorumFormed(formed)
  const unused = new Set(
    isFormed ? [] : removed.filter((pool) => isController(pool) && isUnused(cluster, pool, observed)),
  )
  const beginners = withAll.spec.pools.filter((pool) => isController(pool) && !unused.has(pool))
  const isBegun = beginners.some((pool) => announced(cluster, pool) > 0)
  const pools = withAll.spec.pools.flatMap((pool) => {
    if (unused.has(pool)) return []
    const nodes = new PoolNodes(withAll, pool, firsts.get(pool.name)?.first ?? 0, observed, contents)
    const isBeginning = isController(pool) && !isFormed && isBegun
    const replicas = nodes.kept(isBeginning ? announced(cluster, pool) : removed.includes(pool) ? 0 : pool.replicas)
    return replicas === 0 ? [] : [{ ...pool, replicas, roles: nodes.roles() }]
  })
  return { ...formed, spec: { ...cluster.spec, pools } }
}

/** StatefulSets of pools that are not in `effective` any more, and were once: there is nothing in them, and they may go. */
export function emptyPools(effective: KafkaCluster, observed: Observed): string[] {
  return removedPools(effective, observed).map((pool) => statefulSetName(effective, pool))
}

function quorumStatus(kafka: KafkaState | null): Pick<NonNullable<KafkaCluster['status']>, 'quorum'> {
  if (kafka === null || kafka.quorum.leaderId < 0) return {}
  const { leaderId, voters } = kafka.quorum
  return { quorum: { leader: leaderId, voters: voters.map(({ id }) => id).sort((a, b) => a - b) } }
}

/** Pools that have a StatefulSet and are not asked for. */
function removedPools(cluster: KafkaCluster, { statefulSets }: Observed): Pool[] {
  return [...statefulSets.values()].flatMap((set) => {
    const pool = rememberedPool(set)
    if (pool === null || cluster.spec.pools.some(({ name }) => name === pool.name)) return []
    // Named as this cluster's pool is: not one that somebody has only given the label to.
    return set.metadata.name === statefulSetName(cluster, pool) ? [pool] : []
  })
}

/** How many nodes a pool had when they were written down, before anything was made of them. */
function announced(cluster: KafkaCluster, pool: Pool): number {
  return cluster.status?.pools?.find(({ name }) => name === pool.name)?.nodeIds.length ?? 0
}

/** Whether no pod of it can have run: none of its volumes is there yet. */
function isUnused(cluster: KafkaCluster, pool: Pool, { claims }: Observed): boolean {
  const ofPool = claims.filter(({ metadata }) => isClaimOf(metadata.name, cluster, pool))
  return ofPool.every(({ status }) => status?.phase === 'Pending')
}

/** What Kafka has on which node, by id. */
interface Contents {
  readonly brokers: ReadonlySet<number>
  readonly voters: ReadonlySet<number>
}

function contentsOf({ partitions, quorum }: KafkaState): Contents {
  return {
    brokers: new Set(partitions.flatMap(({ replicas, adding, removing }) => [...replicas, ...adding, ...removing])),
    voters: new Set(quorum.voters.map(({ id }) => id)),
  }
}

/** One pool's nodes, by ordinal. */
class PoolNodes {
  readonly #pool: Pool
  readonly #first: number
  /** By ordinal: what is written on its first volume. */
  readonly #marks: ReadonlyMap<number, string | undefined>
  /** How many its StatefulSet has; null: there is none. */
  readonly #existing: number | null
  readonly #before: Pool | null
  readonly #contents: Contents | null

  constructor(cluster: KafkaCluster, pool: Pool, first: number, observed: Observed, contents: Contents | null) {
    const set = observed.statefulSets.get(statefulSetName(cluster, pool))
    this.#pool = pool
    this.#first = first
    this.#marks = marksOf(statefulSetName(cluster, pool), observed.claims)
    this.#existing = set === undefined ? null : (set.spec.replicas ?? 1)
    this.#before = set === undefined ? null : rememberedPool(set)
    this.#contents = contents
  }

  /** How many nodes are to run where `asked` are asked for: pods go from the last on. */
  kept(asked: number): number {
    const ordinals = new Set([
      ...Array.from({ length: this.#existing ?? 0 }, (_, ordinal) => ordinal),
      ...this.#marks.keys(),
      ...this.#inKafka(),
    ])
    return Math.max(asked, ...[...ordinals].filter((ordinal) => this.#stays(ordinal)).map((ordinal) => ordinal + 1))
  }

  /** Those that are asked for, and those that cannot be given up yet. */
  roles(): Pool['roles'] {
    const before = this.#before?.roles ?? []
    const holds = (ids: ReadonlySet<number> | undefined): boolean =>
      ids === undefined || [...ids].some((id) => this.#isOf(id))
    const kept = before.filter((role) => holds(role === 'broker' ? this.#contents?.brokers : this.#contents?.voters))
    const all = [...new Set([...this.#pool.roles, ...kept])]
    return all.length === this.#pool.roles.length ? this.#pool.roles : all
  }

  #stays(ordinal: number): boolean {
    if (this.#inKafka().has(ordinal)) return true
    const mark = this.#marks.get(ordinal)
    // Without a StatefulSet, volumes tell which nodes there were: a KafkaCluster that is made again.
    if (this.#existing === null) return this.#marks.has(ordinal) && mark !== DRAINED
    if (ordinal >= this.#existing) return false
    return this.#contents === null || (this.#marks.has(ordinal) && mark !== DRAINED)
  }

  #inKafka(): ReadonlySet<number> {
    const ids = [...(this.#contents?.brokers ?? []), ...(this.#contents?.voters ?? [])]
    const ordinals = ids.filter((id) => this.#isOf(id)).map((id) => id - this.#first)
    // Only of nodes that there were: somebody else's broker may have any id.
    return new Set(ordinals.filter((ordinal) => ordinal < (this.#existing ?? 0) || this.#marks.has(ordinal)))
  }

  #isOf(id: number): boolean {
    return id >= this.#first && id < this.#first + POOL_IDS
  }
}

/** What is written on the first volume of each pod of a StatefulSet, by ordinal. */
function marksOf(set: string, claims: readonly PersistentVolumeClaim[]): Map<number, string | undefined> {
  return new Map(
    claims.flatMap(({ metadata }) => {
      const ordinal = firstClaimOrdinal(set, metadata.name)
      return ordinal === null ? [] : [[ordinal, metadata.annotations?.[ANNOTATION_DRAIN]] as const]
    }),
  )
}

function firstClaimOrdinal(set: string, claim: string): number | null {
  const prefix = `data-0-${set}-`
  const ordinal = claim.startsWith(prefix) ? claim.slice(prefix.length) : ''
  return /^\d+$/.test(ordinal) ? Number(ordinal) : null
}

/** The claim that a node's mark is on. */
export function markedClaim(podName: string): string {
  return `data-0-${podName}`
}
