import type { Logger } from 'pino'
import type { Clock } from '../../broker/env/clock.ts'
import { conditionOf } from '../api/conditions.ts'
import { isPaused } from '../api/paused.ts'
import type { Health } from '../api/conditions.ts'
import { clusterKeyOf, KAFKA_TOPIC, keyOf, topicNameOf } from '../api/resource.ts'
import type { KafkaCluster, KafkaTopic, Key } from '../api/resource.ts'
import type { KubeApi } from '../kube/api.ts'
import type { EventRecorder } from '../kube/events.ts'
import { setFinalizer } from '../kube/finalizer.ts'
import { report } from '../kube/report.ts'
import type { Outcome } from '../runtime/controller.ts'
import { TopicRefusal } from './admin.ts'
import type { AdminOf } from './admin.ts'
import { convergeTopic } from './converge.ts'
import { clusterOfDeleted, deleteTopic, FINALIZER } from './deletion.ts'
import { describeAction, planTopic, winningClaim } from './plan.ts'
import type { Action } from './plan.ts'
import { healthOf, isAllowed, isServing, limitsOf, notAllowed, pausedHealth, refused, unreachable } from './rules.ts'
import { topicStatus } from './status.ts'
import type { Known } from './status.ts'

export interface TopicReconcilerOptions {
  /** How often a topic is compared with its spec again, in ms: drift is reverted then. */
  readonly resyncMs: number
  /** How often one is that changes by somebody else's doing. */
  readonly recheckMs: number
}

interface Deps {
  readonly api: KubeApi
  readonly events: EventRecorder
  readonly clock: Clock
  readonly logger: Logger
  readonly adminOf: AdminOf
  /** A KafkaTopic, from the cache. */
  readonly topicOf: (key: Key) => KafkaTopic | undefined
  /** The KafkaTopics that claim the same topic, from the cache. */
  readonly claimsOf: (topic: KafkaTopic) => readonly KafkaTopic[]
  /** The same, at least as new as the deletion of `topic`. */
  readonly rivalsOf: (topic: KafkaTopic) => Promise<readonly KafkaTopic[]>
  /** A KafkaCluster, from the cache. */
  readonly clusterOf: (key: Key) => KafkaCluster | undefined
}

/** That ten thousand topics are well is no news for people: it is in their status. */
const NO_EVENTS = { record: () => Promise.resolve() }

/** Brings one topic to its KafkaTopic's spec; see `planTopic` for what that is. */
export class TopicReconciler {
  readonly #options: TopicReconcilerOptions
  readonly #deps: Deps

  constructor(options: TopicReconcilerOptions, deps: Deps) {
    this.#options = options
    this.#deps = deps
  }

  async reconcile(key: Key): Promise<Outcome> {
    const topic = this.#deps.topicOf(key)
    if (topic === undefined) return {}
    if (topic.metadata.deletionTimestamp !== undefined) return this.#delete(topic)
    const cluster = this.#deps.clusterOf(clusterKeyOf(topic))
    if (cluster === undefined)
      return this.#wait(topic, 'ClusterNotFound', `there is no KafkaCluster ${clusterKeyOf(topic)}`)
    if (!isAllowed(topic, cluster)) return this.#letGo(topic, notAllowed(topic, cluster))
    const claims = this.#deps.claimsOf(topic).filter((claim) => isAllowed(claim, cluster))
    const winner = winningClaim(topic, claims)
    if (winner !== null) return this.#letGo(topic, claimed(topic, winner))
    if (!isServing(cluster))
      return this.#wait(topic, 'ClusterNotReady', `KafkaCluster ${keyOf(cluster)} is not ready yet`)
    try {
      return isPaused(topic) ? await this.#observe(topic, cluster) : await this.#converge(topic, cluster)
    } catch (error) {
      if (!(error instanceof TopicRefusal)) throw await this.#unreachable(topic, cluster, error)
      // The controller has made it, and the broker that was asked has not heard of it yet.
      if (error.code === 'TOPIC_ALREADY_EXISTS') return { requeueAfterMs: SOON_MS }
      await this.#report(topic, refused(cluster, error))
      return this.#later()
    }
  }

  async #converge(read: KafkaTopic, cluster: KafkaCluster): Promise<Outcome> {
    const isHeld = read.spec.deletionPolicy === 'delete'
    const topic = await setFinalizer(this.#deps.api, KAFKA_TOPIC, read, FINALIZER, isHeld)
    const admin = this.#deps.adminOf(cluster)
    const result = await convergeTopic(topic, limitsOf(cluster), admin, (action) => this.#announce(topic, action))
    const health = healthOf(topic, result)
    const replicasChange = 'refusal' in result ? null : result.replicasChange
    await this.#report(topic, health, { state: result.state, replicasChange })
    return health.state === 'progressing' ? { requeueAfterMs: this.#options.recheckMs } : this.#later()
  }

  /** Looks, and changes nothing. Nothing has to be undone when the resource goes. */
  async #observe(topic: KafkaTopic, cluster: KafkaCluster): Promise<Outcome> {
    const name = topicNameOf(topic)
    const state = await this.#deps.adminOf(cluster).describe(name)
    const plan = planTopic(topic.spec, name, state, limitsOf(cluster))
    return this.#letGo(topic, pausedHealth(topic, state !== null, plan), { state, replicasChange: null })
  }

  /** It owns no topic, so nothing holds it. */
  async #letGo(topic: KafkaTopic, health: Health, known: Known | null = null): Promise<Outcome> {
    const free = await setFinalizer(this.#deps.api, KAFKA_TOPIC, topic, FINALIZER, false)
    await this.#report(free, health, known)
    return this.#later()
  }

  /** A change of the cluster brings the key back. A topic that was well stays so while its cluster restarts. */
  async #wait(topic: KafkaTopic, reason: string, message: string): Promise<Outcome> {
    if (!(wasReady(topic) && reason === 'ClusterNotReady')) {
      await this.#report(topic, { state: 'progressing', reason, message })
    }
    return this.#later()
  }

  async #delete(topic: KafkaTopic): Promise<Outcome> {
    if (!(topic.metadata.finalizers ?? []).includes(FINALIZER)) return {}
    const cluster = await clusterOfDeleted(this.#deps.api, topic)
    if (cluster !== null) {
      try {
        const farewell = await deleteTopic(topic, cluster, this.#deps)
        if (farewell !== null) await this.#note(topic, farewell.reason, farewell.note)
      } catch (error) {
        if (!(error instanceof TopicRefusal)) throw await this.#unreachable(topic, cluster, error)
        await this.#report(topic, refused(cluster, error, LET_GO))
        return this.#later()
      }
    }
    await setFinalizer(this.#deps.api, KAFKA_TOPIC, topic, FINALIZER, false)
    return {}
  }

  /** All topics come back at the same time: their questions to a cluster are then a few requests. */
  #later(): Outcome {
    const { resyncMs } = this.#options
    return { requeueAfterMs: resyncMs - (Math.floor(this.#deps.clock.monotonicMs()) % resyncMs) }
  }

  async #announce(topic: KafkaTopic, action: Action): Promise<void> {
    const { reason, note } = describeAction(topicNameOf(topic), action)
    await this.#note(topic, reason, note)
  }

  async #note(topic: KafkaTopic, reason: string, note: string): Promise<void> {
    this.#deps.logger.info({ kind: topic.kind, key: keyOf(topic), reason }, note)
    await this.#deps.events.record(topic, { type: 'Normal', reason, action: 'Reconcile', note })
  }

  /**
   * Says in status that the cluster does not answer, unless the topic was well, which is the cluster's to say then; returns the error for the
   * queue, which tries again with backoff.
   */
  async #unreachable(topic: KafkaTopic, cluster: KafkaCluster, error: unknown): Promise<unknown> {
    const isGoing = topic.metadata.deletionTimestamp !== undefined
    const health = unreachable(cluster, error)
    if (isGoing) await this.#report(topic, { ...health, message: `${health.message}; ${LET_GO}` })
    else if (!wasReady(topic)) await this.#report(topic, health)
    return error
  }

  #report(topic: KafkaTopic, health: Health, known: Known | null = null): Promise<void> {
    const status = topicStatus(topic, health, this.#deps.clock.wallMs(), known)
    const events = health.state === 'ready' ? NO_EVENTS : this.#deps.events
    return report(KAFKA_TOPIC, topic, status, health, { ...this.#deps, events })
  }
}

const SOON_MS = 500
const LET_GO = 'set spec.deletionPolicy to retain to let go of it'

/** Two resources for one topic: the older one has it. */
function claimed(topic: KafkaTopic, winner: KafkaTopic): Health {
  const message = `topic ${topicNameOf(topic)} belongs to the older KafkaTopic ${keyOf(winner)}; delete one of the two`
  return { state: 'stalled', reason: 'TopicClaimed', message }
}

/** With its spec as it is. */
function wasReady(topic: KafkaTopic): boolean {
  const before = conditionOf(topic, 'Ready')
  return before?.status === 'True' && before.observedGeneration === topic.metadata.generation
}
