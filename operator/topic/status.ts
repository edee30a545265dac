import type { Health } from '../api/conditions.ts'
import { conditionsOf } from '../api/conditions.ts'
import type { KafkaTopicStatus } from '../api/kafkatopic.ts'
import type { KafkaTopic } from '../api/resource.ts'
import { topicNameOf } from '../api/resource.ts'
import type { TopicState } from './admin.ts'
import type { TopicPlan } from './plan.ts'

/** What has been seen of a topic. */
export interface Known {
  readonly state: TopicState | null
  readonly replicasChange: TopicPlan['replicasChange']
}

/** A topic's status: `health`, and what is known of the topic; without `state` that stays as it was. */
export function topicStatus(topic: KafkaTopic, health: Health, nowMs: number, known: Known | null): KafkaTopicStatus {
  const generation = topic.metadata.generation ?? 0
  const conditions = conditionsOf(health, generation, topic.status?.conditions, nowMs)
  const head = { observedGeneration: generation, conditions, topicName: topicNameOf(topic) }
  if (known === null) return { ...topic.status, ...head }
  const { state, replicasChange } = known
  return {
    ...head,
    ...(state === null ? {} : { topicId: state.topicId, partitions: state.partitions, replicas: state.replicas }),
    ...(replicasChange === null ? {} : { replicasChange }),
  }
}
