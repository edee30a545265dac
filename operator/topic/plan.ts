import { configDiff, describeDiff } from '../api/config-diff.ts'
import type { ConfigDiff } from '../api/config-diff.ts'
import type { KafkaTopic } from '../api/resource.ts'
import { clusterKeyOf, keyOf, topicNameOf } from '../api/resource.ts'
import type { NewTopic, TopicState } from './admin.ts'

export type Action =
  | { readonly kind: 'create'; readonly topic: NewTopic }
  | { readonly kind: 'grow'; readonly partitions: number; readonly from: number }
  | ({ readonly kind: 'alterConfig' } & ConfigDiff)

/** What would bring a topic to its spec, or why nothing can. */
export type TopicPlan =
  | { readonly actions: readonly Action[]; readonly replicasChange: string | null }
  | { readonly refusal: string }

/**
 * What differs between a spec and the topic, and nothing else: an existing topic is adopted, drift reverted, a key that was taken out of the
 * spec goes back to its default. Pure.
 */
export function planTopic(spec: KafkaTopic['spec'], name: string, state: TopicState | null): TopicPlan {
  const wanted = new Map(Object.entries(spec.config).map(([key, value]) => [key, String(value)]))
  if (state === null) {
    const topic = { name, partitions: spec.partitions, replicas: spec.replicas ?? null, config: wanted }
    return { actions: [{ kind: 'create', topic }], replicasChange: null }
  }
  if (spec.partitions < state.partitions) {
    const why = `topic ${name} has ${state.partitions} partitions and Kafka cannot remove any`
    return { refusal: `${why}: set spec.partitions to ${state.partitions} or more` }
  }
  const actions: Action[] = []
  if (spec.partitions > state.partitions) {
    actions.push({ kind: 'grow', partitions: spec.partitions, from: state.partitions })
  }
  const diff = configDiff(wanted, state.config)
  if (describeDiff(diff) !== '') actions.push({ kind: 'alterConfig', ...diff })
  return { actions, replicasChange: replicasChange(spec, name, state) }
}

function replicasChange(spec: KafkaTopic['spec'], name: string, state: TopicState): string | null {
  if (spec.replicas === undefined || spec.replicas === state.replicas) return null
  const what = `topic ${name} has ${state.replicas} replicas, spec.replicas asks for ${spec.replicas}`
  return `${what}: the replication factor of an existing topic cannot be changed yet; set spec.replicas to ${state.replicas}`
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
