import { AdminClient } from '../broker/client/admin-client.ts'
import { updateFeature } from '../broker/client/admin-features.ts'
import { KafkaError } from '../broker/client/kafka-error.ts'
import type { Clock } from '../broker/env/clock.ts'
import type { Address, Network } from '../broker/env/network.ts'
import type { Random } from '../broker/env/random.ts'
import { keyOf, topicNameOf } from './api/resource.ts'
import type { KafkaCluster, KafkaTopic, Key } from './api/resource.ts'
import { bringClusterConfig } from './cluster/broker-config.ts'
import type { ConfigChange } from './cluster/broker-config.ts'
import type { Brokers, Configured } from './cluster/reconcile.ts'
import type { GroupState } from './kafka/group-state.ts'
import { Looker } from './kafka/looker.ts'
import { readGroups } from './kafka/read-groups.ts'
import { readSurvey } from './kafka/read-survey.ts'
import type { KafkaState, Unreachable } from './kafka/state.ts'
import type { Survey } from './kafka/survey.ts'
import { resetMinIsr } from './policy/min-isr.ts'
import type { ReassignmentAdmin } from './reassignment/admin.ts'
import { KafkaReassignmentAdmin } from './reassignment/kafka-admin.ts'
import type { ScalingAdmin } from './scaling/admin.ts'
import { KafkaScalingAdmin } from './scaling/kafka-admin.ts'
import { TopicRefusal } from './topic/admin.ts'
import type { TopicAdmin } from './topic/admin.ts'
import { convergeTopic } from './topic/converge.ts'
import { KafkaTopicAdmin } from './topic/kafka-admin.ts'
import { describeAction } from './topic/plan.ts'
import { limitsOf } from './topic/rules.ts'

export interface AdminsOptions {
  /** Where a cluster's brokers are reached first. */
  readonly bootstrapOf: (cluster: KafkaCluster) => Address
}

interface Deps {
  readonly network: Network
  readonly clock: Clock
  readonly random: Random
}

/** A worker must not wait for a cluster that is down for as long as Kafka's clients would. */
const TIMEOUTS = { requestTimeoutMs: 10_000, timeoutMs: 15_000 }

/** What there is to one cluster. */
interface Connected {
  readonly uid: string | undefined
  readonly client: AdminClient
  readonly looker: Looker
  readonly topics: KafkaTopicAdmin
}

/** One admin client a cluster, kept as long as the cluster is the same. */
export class Admins implements Brokers, AsyncDisposable {
  readonly #options: AdminsOptions
  readonly #deps: Deps
  readonly #clients = new Map<Key, Connected>()
  #isClosed = false

  constructor(options: AdminsOptions, deps: Deps) {
    this.#options = options
    this.#deps = deps
  }

  topicsOf(cluster: KafkaCluster): TopicAdmin {
    return this.#connectionOf(cluster).topics
  }

  scalingOf(cluster: KafkaCluster): ScalingAdmin {
    return new KafkaScalingAdmin(this.#clientOf(cluster))
  }

  reassignmentOf(cluster: KafkaCluster): ReassignmentAdmin {
    return new KafkaReassignmentAdmin(this.#clientOf(cluster))
  }

  /** The ids of the brokers that answer for `cluster`; none where nobody answers. */
  async brokersOf(cluster: KafkaCluster): Promise<number[]> {
    try {
      const { brokers } = await this.#clientOf(cluster).describeCluster()
      return brokers.map(({ id }) => id)
    } catch {
      return []
    }
  }

  /** How everything in `cluster` is. Never rejects. */
  async look(cluster: KafkaCluster): Promise<KafkaState | Unreachable> {
    try {
      return await this.#connectionOf(cluster).looker.look()
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) }
    }
  }

  /** Which partitions of `cluster` lack what, in a word that is another one when that has changed. Never rejects. */
  async shortage(cluster: KafkaCluster): Promise<string> {
    try {
      return await this.#connectionOf(cluster).looker.shortage()
    } catch {
      return 'unreachable'
    }
  }

  /** What each broker of `cluster` tells of itself, and its consumer groups; null where nobody answers. Never rejects. */
  async survey(cluster: KafkaCluster): Promise<Survey | null> {
    try {
      const { client, looker } = this.#connectionOf(cluster)
      return await readSurvey(client, () => looker.look())
    } catch {
      return null
    }
  }

  /** The consumer groups of `cluster`; none where they cannot be told. Never rejects. */
  async groups(cluster: KafkaCluster, kafka: KafkaState): Promise<GroupState[]> {
    try {
      return await readGroups(this.#clientOf(cluster), kafka)
    } catch {
      return []
    }
  }

  /** Sets cluster-wide dynamic configs, once the changes have been told; those that somebody else has set go back to their defaults. Never rejects. */
  async configure(
    cluster: KafkaCluster,
    wanted: ReadonlyMap<string, string>,
    told: string | null,
  ): Promise<ConfigChange | { error: string }> {
    try {
      return await bringClusterConfig(this.#clientOf(cluster), wanted, told)
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) }
    }
  }

  /** Finalizes a level of metadata.version; lowers it only where no metadata is lost by that. Never rejects. */
  async setMetadataVersion(cluster: KafkaCluster, level: number, isLower: boolean): Promise<Configured> {
    try {
      const how = isLower ? 'safe-downgrade' : 'upgrade'
      await updateFeature(this.#clientOf(cluster), 'metadata.version', level, how)
      return { changes: `metadata.version ${level}` }
    } catch (error) {
      return failure(error)
    }
  }

  /** Takes min.insync.replicas off those of `topics` that have it set for themselves; resolves with these. Rejects with KafkaError. */
  resetMinIsr(cluster: KafkaCluster, topics: readonly string[]): Promise<string[]> {
    return resetMinIsr(this.#clientOf(cluster), topics)
  }

  /** Brings a topic to its spec once; returns what was done. Rejects where it cannot be brought there. */
  async converge(cluster: KafkaCluster, topic: KafkaTopic): Promise<string[]> {
    const done: string[] = []
    const result = await convergeTopic(topic, limitsOf(cluster), this.topicsOf(cluster), async (action) => {
      done.push(describeAction(topicNameOf(topic), action).note)
    })
    const problem = 'refusal' in result ? result.refusal : (result.replicasChange?.message ?? null)
    if (problem !== null) throw new TopicRefusal('INVALID_REQUEST', problem)
    return done
  }

  /** Closes what there is to a cluster. */
  forget(key: Key): void {
    const known = this.#clients.get(key)
    this.#clients.delete(key)
    void known?.client[Symbol.asyncDispose]()
  }

  /** Breaks off what is under way, of every cluster, for good: whoever asks for more is refused. */
  close(): void {
    this.#isClosed = true
    for (const key of this.#clients.keys()) this.forget(key)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    const clients = [...this.#clients.values()]
    this.#clients.clear()
    await Promise.all(clients.map(({ client }) => client[Symbol.asyncDispose]()))
  }

  #clientOf(cluster: KafkaCluster): AdminClient {
    return this.#connectionOf(cluster).client
  }

  /** Throws KafkaError once all of it is closed. */
  #connectionOf(cluster: KafkaCluster): Connected {
    if (this.#isClosed) throw new KafkaError('NETWORK_EXCEPTION', 'the operator has stopped', { isRetriable: false })
    const key = keyOf(cluster)
    const known = this.#clients.get(key)
    if (known?.uid === cluster.metadata.uid && known !== undefined) return known
    this.forget(key)
    const client = new AdminClient(
      { bootstrap: [this.#options.bootstrapOf(cluster)], clientId: 'ottla-operator', ...TIMEOUTS },
      this.#deps,
    )
    const looker = new Looker({ timeoutMs: TIMEOUTS.timeoutMs }, { client, clock: this.#deps.clock })
    const made = { uid: cluster.metadata.uid, client, looker, topics: new KafkaTopicAdmin(client) }
    this.#clients.set(key, made)
    return made
  }
}

/** What the operator of many clusters asks of them. */
export type ClusterAdmins = Pick<
  Admins,
  | 'setMetadataVersion'
  | 'look'
  | 'shortage'
  | 'survey'
  | 'configure'
  | 'resetMinIsr'
  | 'topicsOf'
  | 'forget'
  | 'close'
  | 'scalingOf'
  | 'reassignmentOf'
>

function failure(error: unknown): { refusal: string } | { error: string } {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof KafkaError && !error.isRetriable) return { refusal: `${message} (${error.code})` }
  return { error: message }
}
