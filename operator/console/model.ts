import { conditionOf } from '../api/conditions.ts'
import { clusterKeyOf, keyOf, topicNameOf } from '../api/resource.ts'
import type { KafkaCluster, KafkaTopic, Key } from '../api/resource.ts'
import type { GroupState } from '../kafka/group-state.ts'
import { partitionCounts } from '../kafka/partition-counts.ts'
import type { PartitionCounts } from '../kafka/partition-counts.ts'
import type { KafkaState, PartitionState, Unreachable } from '../kafka/state.ts'

/** One line of the list of clusters. */
export interface ClusterSummary {
  readonly key: Key
  readonly namespace: string
  readonly name: string
  readonly ready: 'True' | 'False' | 'Unknown'
  readonly reason: string
  readonly message: string
  readonly version: string
  readonly nodes: { readonly ready: number; readonly wanted: number }
}

/** Everything about one cluster but its partitions. */
export interface ClusterDetail extends ClusterSummary {
  readonly clusterId: string
  readonly listeners: readonly { readonly name: string; readonly bootstrapServers: string }[]
  readonly conditions: readonly ConditionRow[]
  readonly pools: readonly PoolRow[]
  /** What is to be restarted and why, and what stands against it; null: nothing. */
  readonly rollout: Rollout | null
  /** How far partitions have been moved, by what is counted; null: none are. */
  readonly reassignment: Readonly<Record<string, unknown>> | null
  /** Why the rest is not known; null where it is. */
  readonly error: string | null
  readonly partitions: PartitionCounts
  readonly brokers: readonly BrokerRow[]
  readonly controllers: readonly ControllerRow[]
  readonly topics: readonly TopicRow[]
  readonly groups: readonly GroupRow[]
}

export interface Rollout {
  readonly state: string
  readonly plan: readonly { readonly pod: string; readonly how: string; readonly reasons: readonly string[] }[]
  readonly blockedBy: readonly Readonly<Record<string, unknown>>[]
}

export interface ConditionRow {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
  /** RFC 3339. */
  readonly since: string
}

export interface PoolRow {
  readonly name: string
  readonly roles: readonly string[]
  readonly ready: number
  readonly wanted: number
  readonly nodeIds: readonly number[]
}

export interface BrokerRow {
  readonly id: number
  readonly rack: string | null
  readonly leaders: number
  readonly replicas: number
  /** Replicas that are not in sync. */
  readonly behind: number
}

export interface ControllerRow {
  readonly id: number
  readonly role: 'leader' | 'voter' | 'observer'
  readonly logEndOffset: number
  readonly lagMs: number | null
}

export interface TopicRow extends PartitionCounts {
  readonly name: string
  readonly replicas: number
  readonly minIsr: number
  /** `namespace/name` of the KafkaTopic that it has; null: none. */
  readonly resource: Key | null
}

export interface GroupRow {
  readonly groupId: string
  readonly state: string
  readonly members: number | null
  readonly lag: number
  readonly topics: readonly { readonly topic: string; readonly partitions: number; readonly lag: number }[]
}

export type PartitionRow = PartitionState

export function summaryOf(cluster: KafkaCluster): ClusterSummary {
  const ready = conditionOf(cluster, 'Ready')
  return {
    key: keyOf(cluster),
    namespace: cluster.metadata.namespace ?? '',
    name: cluster.metadata.name,
    ready: ready?.status ?? 'Unknown',
    reason: ready?.reason ?? 'Pending',
    message: ready?.message ?? 'Waiting for the operator',
    version: cluster.status?.version ?? cluster.spec.version,
    nodes: {
      ready: cluster.status?.readyNodes ?? 0,
      wanted: cluster.spec.pools.reduce((sum, { replicas }) => sum + replicas, 0),
    },
  }
}

/** What is to be seen of one cluster. `topics` may have those of others too. */
export function detailOf(
  cluster: KafkaCluster,
  kafka: KafkaState | Unreachable,
  groups: readonly GroupState[],
  topics: readonly KafkaTopic[],
): ClusterDetail {
  const { status } = cluster
  const known = 'error' in kafka ? null : kafka
  return {
    ...summaryOf(cluster),
    clusterId: status?.clusterId ?? '',
    listeners: status?.listeners ?? [],
    conditions: (status?.conditions ?? []).map(({ type, status: is, reason, message, lastTransitionTime }) => ({
      type,
      status: is,
      reason,
      message,
      since: lastTransitionTime,
    })),
    pools: poolRows(cluster),
    rollout: rolloutOf(status),
    reassignment: status?.reassignment ?? null,
    error: 'error' in kafka ? kafka.error : null,
    partitions: partitionCounts(known?.partitions ?? []),
    brokers: known === null ? [] : brokerRows(known),
    controllers: known === null ? [] : controllerRows(known),
    topics: known === null ? [] : topicRows(known, resourcesOf(cluster, topics)),
    groups: groups.map(groupRow),
  }
}

/** The partitions of one topic, in order. */
export function partitionsOf(kafka: KafkaState | Unreachable, topic: string): PartitionRow[] {
  if ('error' in kafka) return []
  return kafka.partitions.filter((partition) => partition.topic === topic).sort((a, b) => a.partition - b.partition)
}

function poolRows({ spec, status }: KafkaCluster): PoolRow[] {
  return spec.pools.map(({ name, roles, replicas }) => {
    const pool = status?.pools?.find((candidate) => candidate.name === name)
    return { name, roles, ready: pool?.ready ?? 0, wanted: replicas, nodeIds: pool?.nodeIds ?? [] }
  })
}

function brokerRows({ brokers, partitions }: KafkaState): BrokerRow[] {
  const ids = new Set([...brokers.keys(), ...partitions.flatMap(({ replicas }) => replicas)])
  const rows = new Map([...ids].map((id) => [id, { leaders: 0, replicas: 0, behind: 0 }]))
  for (const { leader, replicas, isr } of partitions) {
    for (const id of replicas) {
      const row = rows.get(id)
      if (row === undefined) continue
      row.replicas += 1
      if (id === leader) row.leaders += 1
      if (!isr.includes(id)) row.behind += 1
    }
  }
  return [...rows].map(([id, row]) => ({ id, rack: brokers.get(id)?.rack ?? null, ...row })).sort((a, b) => a.id - b.id)
}

function controllerRows({ quorum }: KafkaState): ControllerRow[] {
  const voters = quorum.voters.map(({ id, logEndOffset, lagMs }): ControllerRow => {
    return { id, role: id === quorum.leaderId ? 'leader' : 'voter', logEndOffset, lagMs }
  })
  return voters.sort((a, b) => a.id - b.id)
}

function resourcesOf(cluster: KafkaCluster, topics: readonly KafkaTopic[]): Map<string, Key> {
  const own = topics.filter((topic) => clusterKeyOf(topic) === keyOf(cluster))
  return new Map(own.map((topic) => [topicNameOf(topic), keyOf(topic)]))
}

/** Those in trouble first, then by name. */
function topicRows({ partitions }: KafkaState, resources: ReadonlyMap<string, Key>): TopicRow[] {
  const rows = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, some]): TopicRow => {
    const least = Math.min(...some.map(({ replicas, adding }) => replicas.length - adding.length))
    return {
      name,
      ...partitionCounts(some),
      replicas: least,
      minIsr: some[0]?.minIsr ?? 1,
      resource: resources.get(name) ?? null,
    }
  })
  return rows.sort((a, b) => trouble(b) - trouble(a) || (a.name < b.name ? -1 : 1))
}

function trouble({ offline, underMinIsr, underReplicated }: PartitionCounts): number {
  if (offline > 0) return 3
  if (underMinIsr > 0) return 2
  return underReplicated > 0 ? 1 : 0
}

/** Without what they have committed, which is news all the time. */
function groupRow({ groupId, state, members, topics: read }: GroupState): GroupRow {
  const topics = read.map(({ topic, partitions, lag }) => ({ topic, partitions, lag }))
  return { groupId, state, members, topics, lag: topics.reduce((sum, { lag }) => sum + lag, 0) }
}

/** The status leaves out what is empty. */
function rolloutOf(status: KafkaCluster['status']): Rollout | null {
  const rollout = status?.rollout
  return rollout === undefined ? null : { plan: [], blockedBy: [], ...rollout }
}
