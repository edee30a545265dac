import type { Logger } from 'pino'
import type { Clock } from '../../broker/env/clock.ts'
import type { Random } from '../../broker/env/random.ts'
import type { Health } from '../api/conditions.ts'
import type { KafkaClusterStatus } from '../api/kafkacluster.ts'
import { KAFKA_CLUSTER, LABEL_CLUSTER, PERSISTENT_VOLUME_CLAIM, POD, splitKey, STATEFUL_SET } from '../api/resource.ts'
import type { KafkaCluster, Key, ResourceType } from '../api/resource.ts'
import { isRefusal } from '../kube/api.ts'
import type { KubeApi } from '../kube/api.ts'
import type { EventRecorder } from '../kube/events.ts'
import { report } from '../kube/report.ts'
import type { Outcome } from '../runtime/controller.ts'
import { dynamicConfig } from '../specs/config-map.ts'
import { poolStatuses } from '../specs/pool-status.ts'
import { newClusterId } from '../specs/cluster-id.ts'
import { isPodReady } from './kubernetes.ts'
import type { Pod, StatefulSet } from './kubernetes.ts'
import { observe } from './observe.ts'
import { identityOf, obstacle, plan } from './plan.ts'
import type { Plan } from './plan.ts'
import { healthOf, statusFor, statusOf } from './status.ts'
import type { Answer, Applied } from './status.ts'

export interface ClusterReconcilerOptions {
  /** Image of the brokers. */
  readonly image: string
  /** How often a cluster that is well is looked at again, in ms: drift is repaired then at the latest. */
  readonly resyncMs: number
  /** How soon one that is not is. Most changes come by a watch; whether brokers answer has to be asked. */
  readonly recheckMs: number
}

/** What is asked of a cluster's brokers. Neither rejects. */
export interface Brokers {
  /** Who they are. */
  ask(cluster: KafkaCluster): Promise<Answer>
  /** Makes `wanted` the configuration that they all have while they run. */
  configure(cluster: KafkaCluster, wanted: ReadonlyMap<string, string>): Promise<Configured>
}

/** `changes`: what was changed, in words, empty where nothing was. A `refusal` is final, an `error` may pass. */
export type Configured = { readonly changes: string } | { readonly refusal: string } | { readonly error: string }

interface Deps {
  readonly api: KubeApi
  readonly events: EventRecorder
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly brokers: Brokers
}

/**
 * observe -> plan -> apply -> status. What the cluster owns goes with it by garbage collection; its volumes stay. Safe to stop between any
 * two calls: the next run observes what is there and goes on.
 */
export class ClusterReconciler {
  readonly #options: ClusterReconcilerOptions
  readonly #deps: Deps

  constructor(options: ClusterReconcilerOptions, deps: Deps) {
    this.#options = options
    this.#deps = deps
  }

  async reconcile(key: Key): Promise<Outcome> {
    const { namespace, name } = splitKey(key)
    const read = await this.#deps.api.get<KafkaCluster>(KAFKA_CLUSTER, namespace, name)
    if (read === null || read.metadata.deletionTimestamp !== undefined) return {}
    const observed = await observe(this.#deps.api, read)
    const { cluster } = observed
    const identity = identityOf(observed)
    const blocked = obstacle(observed, identity)
    if (blocked !== null) return this.#stop(cluster, blocked)
    const clusterId = ('clusterId' in identity ? identity.clusterId : null) ?? newClusterId(this.#deps.random)
    // Written down before anything is made of it: a crash here must not lead to other ids.
    if (cluster.status?.clusterId === undefined) cluster.status = await this.#announce(cluster, clusterId)
    const wanted = plan(observed, { image: this.#options.image, clusterId })
    const refusal = (await this.#apply(wanted)) ?? (await this.#growClaims(cluster, wanted))
    return this.#finish(cluster, clusterId, refusal)
  }

  async #stop(cluster: KafkaCluster, health: Health): Promise<Outcome> {
    await this.#report(cluster, statusFor(cluster, health, this.#deps.clock.wallMs()), health)
    return { requeueAfterMs: health.state === 'stalled' ? this.#options.resyncMs : this.#options.recheckMs }
  }

  async #announce(cluster: KafkaCluster, clusterId: string): Promise<KafkaClusterStatus> {
    const health: Health = { state: 'progressing', reason: 'Creating', message: `creating cluster ${clusterId}` }
    const status = {
      ...statusFor(cluster, health, this.#deps.clock.wallMs()),
      clusterId,
      pools: poolStatuses(cluster, []),
    }
    await this.#report(cluster, status, health)
    return status
  }

  /** Returns what the API server has refused, in its words; what was applied before stays, and the rest is tried all the same. */
  async #apply({ manifests }: Plan): Promise<Health | null> {
    let refusal: Health | null = null
    for (const { type, manifest } of manifests) {
      try {
        await this.#deps.api.apply(type, manifest)
      } catch (error) {
        if (!isRefusal(error)) throw error
        const message = `Kubernetes refuses ${type.kind} ${manifest.metadata.name}: ${error.message}`
        refusal ??= { state: 'stalled', reason: 'RefusedByKubernetes', message }
      }
    }
    return refusal
  }

  async #growClaims(cluster: KafkaCluster, { growClaims }: Plan): Promise<Health | null> {
    const { api, events } = this.#deps
    const namespace = cluster.metadata.namespace ?? ''
    for (const { name, size } of growClaims) {
      const spec = { resources: { requests: { storage: size } } }
      try {
        await api.patch(PERSISTENT_VOLUME_CLAIM, namespace, name, { spec })
      } catch (error) {
        if (!isRefusal(error)) throw error
        const message = `volume claim ${name} cannot grow to ${size}: ${error.message}`
        return { state: 'stalled', reason: 'VolumeCannotGrow', message }
      }
      const note = `volume claim ${name} grows to ${size}`
      await events.record(cluster, { type: 'Normal', reason: 'VolumeGrowing', action: 'GrowVolume', note })
    }
    return null
  }

  async #finish(cluster: KafkaCluster, clusterId: string, refusal: Health | null): Promise<Outcome> {
    const [statefulSets, pods] = await Promise.all([
      this.#owned<StatefulSet>(STATEFUL_SET, cluster),
      this.#owned<Pod>(POD, cluster),
    ])
    const wanted = cluster.spec.pools.reduce((sum, { replicas }) => sum + replicas, 0)
    const isEveryPodReady = pods.length >= wanted && pods.every(isPodReady)
    const answer = isEveryPodReady ? await this.#deps.brokers.ask(cluster) : null
    const applied: Applied = { cluster, clusterId, statefulSets, pods, answer }
    const seen = refusal ?? healthOf(applied)
    const health = seen.state === 'ready' ? ((await this.#configure(cluster)) ?? seen) : seen
    await this.#report(cluster, statusOf(applied, health, this.#deps.clock.wallMs()), health)
    return { requeueAfterMs: health.state === 'ready' ? this.#options.resyncMs : this.#options.recheckMs }
  }

  /** Changes what can be changed without a restart; null where all is well. */
  async #configure(cluster: KafkaCluster): Promise<Health | null> {
    const result = await this.#deps.brokers.configure(cluster, dynamicConfig(cluster))
    if ('refusal' in result) return { state: 'stalled', reason: 'ConfigRefused', message: result.refusal }
    if ('error' in result) return { state: 'unknown', reason: 'BrokersUnreachable', message: result.error }
    if (result.changes !== '') {
      const note = `changed without a restart: ${result.changes}`
      await this.#deps.events.record(cluster, { type: 'Normal', reason: 'ConfigChanged', action: 'Configure', note })
    }
    return null
  }

  async #owned<T extends StatefulSet | Pod>(type: ResourceType, cluster: KafkaCluster): Promise<T[]> {
    const { items } = await this.#deps.api.list<T>(type, {
      namespace: cluster.metadata.namespace ?? '',
      labelSelector: `${LABEL_CLUSTER}=${cluster.metadata.name}`,
    })
    return items
  }

  #report(cluster: KafkaCluster, status: KafkaClusterStatus, health: Health): Promise<void> {
    return report(KAFKA_CLUSTER, cluster, status, health, this.#deps)
  }
}
