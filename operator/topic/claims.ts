import { clusterKeyOf, keyOf, topicNameOf } from '../api/resource.ts'
import type { KafkaTopic, Key } from '../api/resource.ts'

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
    return before === undefined || revisionOf(before) !== revisionOf(topic)
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
}

/** Status and finalizers are not part of it. */
function revisionOf({ metadata }: KafkaTopic): string {
  return [metadata.uid, metadata.generation, metadata.deletionTimestamp].join(' ')
}

function claimOf(topic: KafkaTopic): string {
  return `${clusterKeyOf(topic)}/${topicNameOf(topic)}`
}
