import type { Logger } from 'pino'
import type { Clock } from '../../broker/env/clock.ts'
import type { Health } from '../api/conditions.ts'
import { clusterKeyOf, KAFKA_CLUSTER, KAFKA_TOPIC, keyOf, splitKey, topicNameOf } from '../api/resource.ts'
import type { KafkaCluster, KafkaTopic, Key } from '../api/resource.ts'
import type { KubeApi } from '../kube/api.ts'
import type { EventRecorder } from '../kube/events.ts'
import { setFinalizer } from '../kube/finalizer.ts'
import { report } from '../kube/report.ts'
import type { Outcome } from '../runtime/controller.ts'
import { reasonOf, TopicRefusal } from './admin.ts'
import type { AdminOf, TopicState } from './admin.ts'
import { convergeTopic } from './converge.ts'
import { describeAction, otherClaims, winningClaim } from './plan.ts'
import type { Action } from './plan.ts'
import { topicStatus } from './status.ts'

/** Holds a KafkaTopic until its topic is deleted. */
export const FINALIZER = 'kafka.ottla.dev/topic'

export interface TopicReconcilerOptions {
  /** How often a topic is compared with its spec again, in ms: drift is reverted then. */
  readonly resyncMs: number
}

interface Deps {
  readonly api: KubeApi
  readonly events: EventRecorder
  readonly clock: Clock
  readonly logger: Logger
  readonly adminOf: AdminOf
  /** The KafkaTopics that claim the same topic, from the cache. */
  readonly claimsOf: (topic: KafkaTopic) => readonly KafkaTopic[]
  /** All KafkaTopics of the watched namespaces, from the API server. */
  readonly listTopics: () => Promise<readonly KafkaTopic[]>
  /** A KafkaCluster, from the cache. */
  readonly clusterOf: (key: Key) => KafkaCluster | undefined
}

const STALLED = 'stalled'
const PROGRESSING = 'progressing'

/** Brings one topic to its KafkaTopic's spec; see `planTopic` for what that is. */
export class TopicReconciler {
  readonly #options: TopicReconcilerOptions
  readonly #deps: Deps

  constructor(options: TopicReconcilerOptions, deps: Deps) {
    this.#options = options
    this.#deps = deps
  }

  async reconcile(key: Key): Promise<Outcome> {
    const { namespace, name } = splitKey(key)
    const topic = await this.#deps.api.get<KafkaTopic>(KAFKA_TOPIC, namespace, name)
    if (topic === null) return {}
    if (topic.metadata.deletionTimestamp !== undefined) return this.#delete(topic)
    const winner = winningClaim(topic, this.#deps.claimsOf(topic))
    if (winner !== null) return this.#yieldTo(topic, winner)
    const cluster = this.#deps.clusterOf(clusterKeyOf(topic))
    const waiting = this.#waitingFor(topic, cluster)
    if (cluster === undefined || waiting !== null) return this.#wait(topic, waiting)
    const held = await setFinalizer(
      this.#deps.api,
      KAFKA_TOPIC,
      topic,
      FINALIZER,
      topic.spec.deletionPolicy === 'delete',
    )
    return this.#converge(held, cluster)
  }

  async #converge(topic: KafkaTopic, cluster: KafkaCluster): Promise<Outcome> {
    const admin = this.#deps.adminOf(cluster)
    try {
      const result = await convergeTopic(topic, admin, (action) => this.#announce(topic, action))
      const refusal = 'refusal' in result ? result.refusal : null
      const replicasChange = 'replicasChange' in result ? result.replicasChange : null
      await this.#report(topic, healthOf(topic, refusal, replicasChange), { state: result.state, replicasChange })
      return { requeueAfterMs: this.#options.resyncMs }
    } catch (error) {
      if (!(error instanceof TopicRefusal)) throw await this.#unreachable(topic, cluster, error)
      await this.#report(topic, {
        state: STALLED,
        reason: reasonOf(error.code),
        message: refusalMessage(cluster, error),
      })
      return { requeueAfterMs: this.#options.resyncMs }
    }
  }

  /** Two resources for one topic: the older one has it. */
  async #yieldTo(topic: KafkaTopic, winner: KafkaTopic): Promise<Outcome> {
    const message = `topic ${topicNameOf(topic)} belongs to the older KafkaTopic ${keyOf(winner)}; delete one of the two`
    await this.#report(topic, { state: STALLED, reason: 'TopicClaimed', message })
    // It owns nothing, so nothing has to be undone when it goes.
    await setFinalizer(this.#deps.api, KAFKA_TOPIC, topic, FINALIZER, false)
    return { requeueAfterMs: this.#options.resyncMs }
  }

  #waitingFor(topic: KafkaTopic, cluster: KafkaCluster | undefined): Health | null {
    if (cluster === undefined) {
      const message = `there is no KafkaCluster ${clusterKeyOf(topic)}`
      return { state: PROGRESSING, reason: 'ClusterNotFound', message }
    }
    const ready = cluster.status?.conditions?.find(({ type }) => type === 'Ready')
    if (ready?.status === 'True') return null
    const message = `KafkaCluster ${keyOf(cluster)} is not ready yet`
    return { state: PROGRESSING, reason: 'ClusterNotReady', message }
  }

  /** A change of the cluster brings the key back. A topic that was well stays so while its cluster restarts. */
  async #wait(topic: KafkaTopic, why: Health | null): Promise<Outcome> {
    const before = topic.status?.conditions?.find(({ type }) => type === 'Ready')
    const wasReady = before?.status === 'True' && before.observedGeneration === topic.metadata.generation
    if (why !== null && !(wasReady && why.reason === 'ClusterNotReady')) await this.#report(topic, why)
    return { requeueAfterMs: this.#options.resyncMs }
  }

  async #delete(topic: KafkaTopic): Promise<Outcome> {
    if (!(topic.metadata.finalizers ?? []).includes(FINALIZER)) return {}
    const { namespace, name } = splitKey(clusterKeyOf(topic))
    // Live, not from the cache: what follows cannot be undone.
    const cluster = await this.#deps.api.get<KafkaCluster>(KAFKA_CLUSTER, namespace, name)
    const isClusterGone = cluster === null || cluster.metadata.deletionTimestamp !== undefined
    if (!isClusterGone && topic.spec.deletionPolicy === 'delete') {
      try {
        await this.#deleteTopic(topic, cluster)
      } catch (error) {
        if (!(error instanceof TopicRefusal)) throw await this.#unreachable(topic, cluster, error)
        const advice = 'set spec.deletionPolicy to retain to let go of it'
        const message = `${refusalMessage(cluster, error)}; ${advice}`
        await this.#report(topic, { state: STALLED, reason: reasonOf(error.code), message })
        return { requeueAfterMs: this.#options.resyncMs }
      }
    }
    await setFinalizer(this.#deps.api, KAFKA_TOPIC, topic, FINALIZER, false)
    return {}
  }

  /** Deletes the topic if it is the very one that this resource has kept, and nobody else claims it: a hand-over keeps the data. */
  async #deleteTopic(topic: KafkaTopic, cluster: KafkaCluster): Promise<void> {
    const name = topicNameOf(topic)
    const heir = otherClaims(topic, await this.#deps.listTopics())[0]
    if (heir !== undefined) {
      await this.#note(topic, 'TopicHandedOver', `topic ${name} stays: KafkaTopic ${keyOf(heir)} has it now`)
      return
    }
    const admin = this.#deps.adminOf(cluster)
    const state = await admin.describe(name)
    if (state === null) return
    if (state.topicId !== topic.status?.topicId) {
      await this.#note(topic, 'TopicRetained', `topic ${name} stays: it is not the one that this KafkaTopic has kept`)
      return
    }
    await admin.delete(name)
    await this.#note(topic, 'TopicDeleted', `deleted topic ${name}`)
  }

  async #announce(topic: KafkaTopic, action: Action): Promise<void> {
    const { reason, note } = describeAction(topicNameOf(topic), action)
    await this.#note(topic, reason, note)
  }

  async #note(topic: KafkaTopic, reason: string, note: string): Promise<void> {
    this.#deps.logger.info({ kind: topic.kind, key: keyOf(topic), reason }, note)
    await this.#deps.events.record(topic, { type: 'Normal', reason, action: 'Reconcile', note })
  }

  /** Says in status that the cluster does not answer; returns the error for the queue, which tries again with backoff. */
  async #unreachable(topic: KafkaTopic, cluster: KafkaCluster, error: unknown): Promise<unknown> {
    const cause = error instanceof Error ? error.message : String(error)
    const message = `KafkaCluster ${keyOf(cluster)} does not answer: ${cause}`
    await this.#report(topic, { state: 'unknown', reason: 'ClusterUnreachable', message })
    return error
  }

  #report(
    topic: KafkaTopic,
    health: Health,
    known: { state: TopicState | null; replicasChange: string | null } | null = null,
  ): Promise<void> {
    const status = topicStatus(topic, health, this.#deps.clock.wallMs(), known)
    return report(KAFKA_TOPIC, topic, status, health, this.#deps)
  }
}

function healthOf(topic: KafkaTopic, refusal: string | null, replicasChange: string | null): Health {
  if (refusal !== null) return { state: STALLED, reason: 'PartitionsCannotShrink', message: refusal }
  if (replicasChange !== null) return { state: STALLED, reason: 'ReplicasChangeUnsupported', message: replicasChange }
  return { state: 'ready', reason: 'Ready', message: `topic ${topicNameOf(topic)} is as its spec says` }
}

function refusalMessage(cluster: KafkaCluster, { code, message }: TopicRefusal): string {
  return `KafkaCluster ${keyOf(cluster)} refuses: ${message} (${code})`
}
