import { isPaused } from '../api/paused.ts'
import { clusterKeyOf, keyOf, topicNameOf } from '../api/resource.ts'
import type { KafkaCluster, KafkaTopic, Key } from '../api/resource.ts'
import { FINALIZER } from './deletion.ts'
import { replicasOf, winningClaim } from './plan.ts'
import { isAllowed, limitsOf } from './rules.ts'

/** Which KafkaTopics there are, by the topic that they claim and by cluster. */
export class TopicClaims {
  readonly #byTopic = new Map<string, Map<Key, KafkaTopic>>()
  readonly #byCluster = new Map<Key, Set<Key>>()

  /** False where nothing has changed but what the operator itself writes. */
  put(topic: KafkaTopic): boolean {
    const before = this.#byTopic.get(claimOf(topic))?.get(keyOf(topic))
    const claims = this.#byTopic.get(claimOf(topic)) ?? new Map<Key, KafkaTopic>()
    this.#byTopic.set(claimOf(topic), claims.set(keyOf(topic), topic))
    const ofCluster = this.#byCluster.get(clusterKeyOf(topic)) ?? new Set<Key>()
    this.#byCluster.set(clusterKeyOf(topic), ofCluster.add(keyOf(topic)))
    return before === undefined || revisionOf(before) !== revisionOf(topic) || isLetGo(before, topic)
  }

  remove(topic: KafkaTopic): void {
    const claims = this.#byTopic.get(claimOf(topic))
    claims?.delete(keyOf(topic))
    if (claims?.size === 0) this.#byTopic.delete(claimOf(topic))
    const ofCluster = this.#byCluster.get(clusterKeyOf(topic))
    ofCluster?.delete(keyOf(topic))
    if (ofCluster?.size === 0) this.#byCluster.delete(clusterKeyOf(topic))
  }

  /** Every KafkaTopic that claims the topic of `topic`, itself included. */
  of(topic: KafkaTopic): KafkaTopic[] {
    return [...(this.#byTopic.get(claimOf(topic))?.values() ?? [])]
  }

  ofCluster(key: Key): Key[] {
    return [...(this.#byCluster.get(key) ?? [])]
  }

  /** The replication factors that KafkaTopics ask for and `cluster` lets them have, by topic. */
  replicationFactors(cluster: KafkaCluster): Map<string, number> {
    const limits = limitsOf(cluster)
    const factors = new Map<string, number>()
    const prefix = `${keyOf(cluster)}/`
    for (const [claim, claims] of this.#byTopic) {
      if (!claim.startsWith(prefix)) continue
      const allowed = [...claims.values()].filter((topic) => isAllowed(topic, cluster))
      for (const topic of allowed) {
        const isTheirs = winningClaim(topic, allowed) === null && topic.metadata.deletionTimestamp === undefined
        const wanted = replicasOf(topic.spec, limits)
        if (isTheirs && !isPaused(topic) && wanted !== null) factors.set(topicNameOf(topic), wanted)
      }
    }
    return factors
  }
}

/** Whether our finalizer, which the topic may be in need of, is not there any more. That it comes is our own doing, and those of others are theirs. */
function isLetGo(before: KafkaTopic, after: KafkaTopic): boolean {
  return isHeld(before) && !isHeld(after)
}

function isHeld({ metadata }: KafkaTopic): boolean {
  return (metadata.finalizers ?? []).includes(FINALIZER)
}

/** Status and finalizers are not part of it. */
function revisionOf(topic: KafkaTopic): string {
  const { uid, generation, deletionTimestamp } = topic.metadata
  return [uid, generation, deletionTimestamp, isPaused(topic)].join(' ')
}

function claimOf(topic: KafkaTopic): string {
  return `${clusterKeyOf(topic)}/${topicNameOf(topic)}`
}
