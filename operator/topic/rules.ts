import { conditionOf } from '../api/conditions.ts'
import type { Health } from '../api/conditions.ts'
import { ANNOTATION_PAUSED } from '../api/paused.ts'
import { keyOf, topicNameOf } from '../api/resource.ts'
import type { KafkaCluster, KafkaTopic } from '../api/resource.ts'
import { durabilityOf } from '../specs/broker-config.ts'
import { brokerCount, isBroker } from '../specs/nodes.ts'
import { reasonOf } from './admin.ts'
import type { TopicRefusal } from './admin.ts'
import { describeAction } from './plan.ts'
import type { TopicLimits, TopicPlan } from './plan.ts'

/** Whether `cluster` takes KafkaTopics of the namespace of `topic`: those of its own always. */
export function isAllowed({ metadata }: KafkaTopic, cluster: KafkaCluster): boolean {
  const { namespaces } = cluster.spec.topics
  const own = metadata.namespace ?? ''
  return own === cluster.metadata.namespace || namespaces.includes('*') || namespaces.includes(own)
}

/** Whether there is any point in asking: once the cluster has been up, one broker is enough. */
export function isServing(cluster: KafkaCluster): boolean {
  if (conditionOf(cluster, 'Ready')?.status === 'True') return true
  const { spec, status } = cluster
  const brokers = new Set(spec.pools.filter(isBroker).map(({ name }) => name))
  return status?.version !== undefined && (status.pools ?? []).some((pool) => brokers.has(pool.name) && pool.ready > 0)
}

export function limitsOf(cluster: KafkaCluster): TopicLimits {
  const isEnforced = cluster.spec.durability.policy === 'enforce'
  return { floor: isEnforced ? durabilityOf(cluster) : null, brokers: brokerCount(cluster) }
}

/** What of `cluster` KafkaTopics go by: they are looked at again when it changes. */
export function topicsGoBy(cluster: KafkaCluster): string {
  const { uid, deletionTimestamp } = cluster.metadata
  return JSON.stringify([uid, deletionTimestamp, isServing(cluster), cluster.spec.topics, limitsOf(cluster)])
}

/**
 * What a topic that is not well may be waiting for: brokers that come back or are added, or a cluster that is ready. Seldom the same for long
 * while a cluster starts, so that topics that are well do not go by it.
 */
export function strengthOf(cluster: KafkaCluster): string {
  const { spec, status } = cluster
  const ready = conditionOf(cluster, 'Ready')?.status
  const brokers = new Set(spec.pools.filter(isBroker).map(({ name }) => name))
  return JSON.stringify([ready, (status?.pools ?? []).map((pool) => (brokers.has(pool.name) ? pool.ready : 0))])
}

export function isTopicReady(topic: KafkaTopic): boolean {
  return conditionOf(topic, 'Ready')?.status === 'True'
}

export function notAllowed(topic: KafkaTopic, cluster: KafkaCluster): Health {
  const namespace = topic.metadata.namespace ?? ''
  const message = `KafkaCluster ${keyOf(cluster)} takes no KafkaTopics of namespace ${namespace}: add it to spec.topics.namespaces there`
  return { state: 'stalled', reason: 'NamespaceNotAllowed', message }
}

/** How a topic is once `plan` has been carried out. */
export function healthOf(topic: KafkaTopic, plan: Omit<TopicPlan, 'actions'> | { readonly refusal: string }): Health {
  if ('refusal' in plan) return { state: 'stalled', reason: 'PartitionsCannotShrink', message: plan.refusal }
  const { replicasChange, raised } = plan
  if (replicasChange !== null) {
    const { state, message } = replicasChange
    if (state === 'Refused') return { state: 'stalled', reason: 'NotEnoughBrokers', message }
    return { state: 'progressing', reason: 'ReplicasChanging', message }
  }
  const message = `topic ${topicNameOf(topic)} is as its spec says`
  if (raised === null) return { state: 'ready', reason: 'Ready', message }
  return {
    state: 'ready',
    reason: 'DurabilityEnforced',
    message: `${message}, but for what spec.durability of its KafkaCluster enforces: ${raised}`,
  }
}

/** How a topic is that may not be changed. */
export function pausedHealth(
  topic: KafkaTopic,
  isThere: boolean,
  plan: TopicPlan | { readonly refusal: string },
): Health {
  const name = topicNameOf(topic)
  if (!isThere) {
    const message = `there is no topic ${name}, and none is made while the annotation ${ANNOTATION_PAUSED} is set`
    return { state: 'stalled', reason: 'Paused', message }
  }
  const differences =
    'refusal' in plan
      ? [plan.refusal]
      : [...plan.actions.map((action) => describeAction(name, action).note), plan.replicasChange?.message ?? '']
  const words = differences.filter((difference) => difference !== '').join('; ')
  const message = words === '' ? `topic ${name} is as its spec says` : `not done: ${words}`
  return { state: 'ready', reason: 'Paused', message: `paused by the annotation ${ANNOTATION_PAUSED}; ${message}` }
}

export function refused(cluster: KafkaCluster, { code, message }: TopicRefusal, advice = ''): Health {
  const words = `KafkaCluster ${keyOf(cluster)} refuses: ${message} (${code})`
  return { state: 'stalled', reason: reasonOf(code), message: advice === '' ? words : `${words}; ${advice}` }
}

export function unreachable(cluster: KafkaCluster, error: unknown): Health {
  const cause = error instanceof Error ? error.message : String(error)
  const message = `KafkaCluster ${keyOf(cluster)} does not answer: ${cause}`
  return { state: 'unknown', reason: 'ClusterUnreachable', message }
}
