import { topicKey } from '../../broker/config/topic-config.ts'
import { configDiff, describeDiff } from '../api/config-diff.ts'
import type { ConfigDiff } from '../api/config-diff.ts'
import type { KafkaTopic } from '../api/resource.ts'
import { clusterKeyOf, keyOf, topicNameOf } from '../api/resource.ts'
import type { NewTopic, TopicState } from './admin.ts'

export type Action =
  | { readonly kind: 'create'; readonly topic: NewTopic }
  | { readonly kind: 'grow'; readonly partitions: number; readonly from: number }
  | ({ readonly kind: 'alterConfig' } & ConfigDiff)

/** What the cluster holds every topic to. */
export interface TopicLimits {
  /** spec.durability of the KafkaCluster where its policy is enforce: no topic has less. */
  readonly floor: { readonly replicationFactor: number; readonly minInSyncReplicas: number } | null
  /** No topic can have more replicas. */
  readonly brokers: number
}

export interface TopicPlan {
  readonly actions: readonly Action[]
  /** A replication factor that differs from the one that is asked for; who changes it is the cluster. */
  readonly replicasChange: { readonly state: 'Pending' | 'Refused'; readonly message: string } | null
  /** What of the spec is below what the cluster enforces, in words. */
  readonly raised: string | null
}

const MIN_ISR = 'min.insync.replicas'
/** Set while replicas are moved, by whoever moves them. */
export const PASSING: ReadonlySet<string> = new Set([
  'leader.replication.throttled.replicas',
  'follower.replication.throttled.replicas',
])

/**
 * What differs between a spec and the topic, and nothing else: an existing topic is adopted, drift reverted, a key that was taken out of the
 * spec goes back to its default. What the cluster enforces wins over the spec. Or why nothing can bring the topic to its spec. Pure.
 */
export function planTopic(
  spec: KafkaTopic['spec'],
  name: string,
  state: TopicState | null,
  limits: TopicLimits,
): TopicPlan | { readonly refusal: string } {
  const { config, replicas, raised } = withFloor(spec, limits)
  if (state === null) {
    const topic = { name, partitions: spec.partitions, replicas, config }
    return { actions: [{ kind: 'create', topic }], replicasChange: null, raised }
  }
  if (spec.partitions < state.partitions) {
    const why = `topic ${name} has ${state.partitions} partitions and Kafka cannot remove any`
    return { refusal: `${why}: set spec.partitions to ${state.partitions} or more` }
  }
  const actions: Action[] = []
  if (spec.partitions > state.partitions) {
    actions.push({ kind: 'grow', partitions: spec.partitions, from: state.partitions })
  }
  const current = [...state.config].filter(([key]) => !PASSING.has(key) || config.has(key))
  const diff = configDiff(config, new Map(current), topicKey)
  if (describeDiff(diff) !== '') actions.push({ kind: 'alterConfig', ...diff })
  return { actions, replicasChange: replicasChange(name, replicas, state, limits), raised }
}

/** spec.replicas as it is in force; null: the cluster's default. */
export function replicasOf(spec: KafkaTopic['spec'], { floor }: TopicLimits): number | null {
  return spec.replicas === undefined ? null : Math.max(spec.replicas, floor?.replicationFactor ?? 1)
}

/** A min.insync.replicas below the floor is left out: the cluster's default is the floor. */
function withFloor(
  spec: KafkaTopic['spec'],
  limits: TopicLimits,
): { config: Map<string, string>; replicas: number | null; raised: string | null } {
  const config = new Map(Object.entries(spec.config).map(([key, value]) => [key, String(value)]))
  const replicas = replicasOf(spec, limits)
  const { floor } = limits
  if (floor === null) return { config, replicas, raised: null }
  const minIsr = config.get(MIN_ISR)
  const isLow = minIsr !== undefined && Number(minIsr) < floor.minInSyncReplicas
  if (isLow) config.delete(MIN_ISR)
  const raised = [
    ...(isLow ? [`spec.config.${MIN_ISR} ${minIsr} is raised to ${floor.minInSyncReplicas}`] : []),
    ...(replicas === (spec.replicas ?? null) ? [] : [`spec.replicas ${spec.replicas} is raised to ${replicas}`]),
  ]
  return { config, replicas, raised: raised.length === 0 ? null : raised.join(', ') }
}

function replicasChange(
  name: string,
  wanted: number | null,
  state: TopicState,
  { brokers }: TopicLimits,
): TopicPlan['replicasChange'] {
  if (wanted === null || wanted === state.replicas) return null
  const what = `topic ${name} has ${state.replicas} replicas, ${wanted} are asked for`
  if (wanted <= brokers)
    return { state: 'Pending', message: `${what}: the cluster moves them, see its status.reassignment` }
  return {
    state: 'Refused',
    message: `${what}, and there are ${brokers} brokers: set spec.replicas to ${brokers} or less`,
  }
}

/** What an action does, for Events and logs. */
export function describeAction(name: string, action: Action): { reason: string; note: string } {
  if (action.kind === 'create') {
    return { reason: 'TopicCreated', note: `created topic ${name} with ${action.topic.partitions} partitions` }
  }
  if (action.kind === 'grow') {
    return { reason: 'PartitionsAdded', note: `topic ${name}: ${action.from} -> ${action.partitions} partitions` }
  }
  return { reason: 'ConfigChanged', note: `topic ${name}: ${describeDiff(action)}` }
}

/** The resources other than `topic`, not being deleted, that claim the same topic of the same cluster; the oldest first. */
export function otherClaims(topic: KafkaTopic, all: readonly KafkaTopic[]): KafkaTopic[] {
  return all
    .filter((other) => other.metadata.uid !== topic.metadata.uid)
    .filter((other) => other.metadata.deletionTimestamp === undefined)
    .filter((other) => clusterKeyOf(other) === clusterKeyOf(topic) && topicNameOf(other) === topicNameOf(topic))
    .sort(byAge)
}

/** The claim that wins over `topic`: an older one. Null where `topic` itself is the oldest. */
export function winningClaim(topic: KafkaTopic, all: readonly KafkaTopic[]): KafkaTopic | null {
  const oldest = otherClaims(topic, all)[0]
  return oldest !== undefined && byAge(oldest, topic) < 0 ? oldest : null
}

/** Creation times are whole seconds; namespace and name decide between equals, so that everybody agrees. */
function byAge(a: KafkaTopic, b: KafkaTopic): number {
  const age = compare(a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '')
  return age === 0 ? compare(keyOf(a), keyOf(b)) : age
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
