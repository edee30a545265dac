import { isPaused } from '../api/paused.ts'
import { clusterKeyOf, KAFKA_CLUSTER, keyOf, splitKey, topicNameOf } from '../api/resource.ts'
import type { KafkaCluster, KafkaTopic } from '../api/resource.ts'
import type { KubeApi } from '../kube/api.ts'
import type { TopicAdmin } from './admin.ts'
import { otherClaims } from './plan.ts'
import { isAllowed } from './rules.ts'

/** Holds a KafkaTopic until its topic is deleted. */
export const FINALIZER = 'kafka.ottla.dev/topic'

interface Deps {
  readonly api: KubeApi
  readonly adminOf: (cluster: KafkaCluster) => TopicAdmin
  /** The KafkaTopics that claim the same topic, at least as new as the deletion. */
  readonly rivalsOf: (topic: KafkaTopic) => Promise<readonly KafkaTopic[]>
}

/** What became of the topic of a deleted KafkaTopic, for an Event. */
export interface Farewell {
  readonly reason: 'TopicDeleted' | 'TopicRetained' | 'TopicHandedOver'
  readonly note: string
}

/** The cluster that a deleted KafkaTopic named, read live, since what follows cannot be undone; null where it is gone, or going. */
export async function clusterOfDeleted(api: KubeApi, topic: KafkaTopic): Promise<KafkaCluster | null> {
  const { namespace, name } = splitKey(clusterKeyOf(topic))
  const cluster = await api.get<KafkaCluster>(KAFKA_CLUSTER, namespace, name)
  return cluster?.metadata.deletionTimestamp === undefined ? cluster : null
}

/**
 * Deletes the topic of a deleted KafkaTopic if it is the very one that this resource has kept, nobody else claims it (a hand-over keeps the
 * data), and nothing protects it. Null where there was nothing to do. Rejects as TopicAdmin does.
 */
export async function deleteTopic(topic: KafkaTopic, cluster: KafkaCluster, deps: Deps): Promise<Farewell | null> {
  const name = topicNameOf(topic)
  const stays = (why: string): Farewell => ({ reason: 'TopicRetained', note: `topic ${name} stays: ${why}` })
  if (topic.spec.deletionPolicy === 'retain') return null
  if (isPaused(topic)) return stays('its KafkaTopic is paused')
  if (!isAllowed(topic, cluster)) return stays(`KafkaCluster ${keyOf(cluster)} takes no KafkaTopics of this namespace`)
  const heirs = (await deps.rivalsOf(topic)).filter((rival) => isAllowed(rival, cluster))
  const heir = otherClaims(topic, heirs)[0]
  if (heir !== undefined) {
    return { reason: 'TopicHandedOver', note: `topic ${name} stays: KafkaTopic ${keyOf(heir)} has it now` }
  }
  const admin = deps.adminOf(cluster)
  const state = await admin.describe(name)
  if (state === null) return null
  if (state.topicId !== topic.status?.topicId) return stays('it is not the one that this KafkaTopic has kept')
  if (cluster.spec.topics.deleteProtection && (await admin.hasRecords(name))) {
    return stays(`it has records, and KafkaCluster ${keyOf(cluster)} has spec.topics.deleteProtection`)
  }
  await admin.delete(state.topicId)
  return { reason: 'TopicDeleted', note: `deleted topic ${name}` }
}
