import type { Logger } from 'pino'
import type { Clock } from '../../broker/env/clock.ts'
import type { Random } from '../../broker/env/random.ts'
import type { Health } from '../api/conditions.ts'
import type { KafkaClusterStatus } from '../api/kafkacluster.ts'
import { isPaused } from '../api/paused.ts'
import { KAFKA_CLUSTER, keyOf, PERSISTENT_VOLUME_CLAIM, splitKey, STATEFUL_SET } from '../api/resource.ts'
import type { KafkaCluster, Key, Resource } from '../api/resource.ts'
import type { KafkaState, Unreachable } from '../kafka/state.ts'
import { isRefusal } from '../kube/api.ts'
import type { KubeApi } from '../kube/api.ts'
import { Applier } from '../kube/applier.ts'
import type { Marks } from '../kube/applier.ts'
import type { EventRecorder } from '../kube/events.ts'
import { report } from '../kube/report.ts'
import type { Outcome } from '../runtime/controller.ts'
import { poolStatuses } from '../specs/pool-status.ts'
import { newClusterId } from '../specs/cluster-id.ts'
import { isPodReady } from './kubernetes.ts'
import type { ConfigChange } from './broker-config.ts'
import { Failures } from './failures.ts'
import { findObserved, observe, refresh } from './observe.ts'
import type { Observed } from './observe.ts'
import { pausedHealth } from './paused.ts'
import { identityOf, obstacle, plan } from './plan.ts'
import type { Plan } from './plan.ts'
import { withRunningPools } from './pools.ts'
import { countsOf, healthOf, statusFor, statusOf } from './status.ts'
import { merged } from './step.ts'
import type { Images } from './version.ts'
import { removeAroundPods } from './volume-claims.ts'
import type { ClusterStep, ClusterView, EffectiveCluster, FoundCluster, StepResult } from './step.ts'

export interface ClusterReconcilerOptions {
  readonly images: Images
  /** How often a cluster that is well is looked at again, in ms: drift is repaired then at the latest. */
  readonly resyncMs: number
  /** How soon one that is not is. Most changes come by a watch; whether brokers answer has to be asked. */
  readonly recheckMs: number
}

/** What is asked of a cluster's brokers. Neither rejects. */
export interface Brokers {
  /** How everything in it is. */
  look(cluster: KafkaCluster): Promise<KafkaState | Unreachable>
  /**
   * Makes `wanted` the configuration that they all have while they run, step by step, where the changes, in words, are those that have been `told`;
   * else they are `pending`.
   */
  configure(
    cluster: KafkaCluster,
    wanted: ReadonlyMap<string, string>,
    told: string | null,
  ): Promise<ConfigChange | { readonly error: string }>
}

/** `changes`: what was changed, in words, empty where nothing was. A `refusal` is final, an `error` may pass. */
export type Configured = { readonly changes: string } | { readonly refusal: string } | { readonly error: string }

interface Deps {
  readonly api: KubeApi
  readonly events: EventRecorder
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly brokers: Pick<Brokers, 'look'>
  readonly effective: EffectiveCluster
  /** In the order in which they run. */
  readonly steps: readonly ClusterStep[]
}

interface Applying {
  readonly applier: Applier
  readonly observed: Observed
  /** StatefulSets that are still going. */
  readonly leaving: ReadonlySet<string>
}

/**
 * observe -> plan -> apply -> steps -> status. What the cluster owns goes with it by garbage collection; its volumes stay. Safe to stop between any
 * two calls: the next run observes what is there and goes on. What fails keeps nothing from being told.
 */
export class ClusterReconciler {
  readonly #options: ClusterReconcilerOptions
  readonly #deps: Deps
  /** Of each cluster. */
  readonly #marks = new Map<Key, Marks>()
  /** Those whose last run has failed. */
  readonly #failing = new Set<Key>()

  constructor(options: ClusterReconcilerOptions, deps: Deps) {
    this.#options = options
    this.#deps = deps
  }

  async reconcile(key: Key): Promise<Outcome> {
    const { namespace, name } = splitKey(key)
    const read = await this.#deps.api.get<KafkaCluster>(KAFKA_CLUSTER, namespace, name)
    if (read === null || read.metadata.deletionTimestamp !== undefined) {
      this.#marks.delete(key)
      this.#failing.delete(key)
      for (const step of this.#deps.steps) step.forget?.(key)
      return {}
    }
    const observed = await observe(this.#deps.api, read)
    const { cluster } = observed
    const identity = identityOf(observed)
    const blocked = obstacle(observed, identity, this.#options.images)
    if (blocked !== null) return this.#stop(observed, () => blocked)
    if (isPaused(cluster)) return this.#stop(observed, pausedHealth)
    const clusterId = ('clusterId' in identity ? identity.clusterId : null) ?? newClusterId(this.#deps.random)
    // Written down before anything is made of it: a crash here must not lead to other ids.
    if (cluster.status?.clusterId === undefined) cluster.status = await this.#announce(cluster, clusterId)
    const kafka = await this.#look(observed)
    const effective = this.#deps.effective(cluster, observed, kafka)
    const wanted = plan({ ...observed, cluster: effective }, { images: this.#options.images, clusterId, kafka })
    const leaving = await this.#replace(effective, wanted)
    const applier = new Applier({ before: this.#marks.get(key) ?? new Map() }, this.#deps)
    this.#marks.set(key, applier.marks)
    const applying = { applier, observed, leaving }
    const failures = new Failures()
    const refusal = await failures.run(
      async () => (await this.#apply(wanted, applying)) ?? (await this.#growClaims(effective, wanted)),
    )
    const after = await refresh(this.#deps.api, { ...observed, cluster: effective })
    const nowMs = this.#deps.clock.wallMs()
    const view = { cluster: effective, asked: cluster, observed: after, kafka, plan: wanted, applier, nowMs }
    const seen = refusal ?? healthOf({ cluster: effective, clusterId, observed: after, kafka })
    return this.#finish(view, clusterId, seen, failures)
  }

  /** Nobody is asked where nobody could answer: a worker would wait for it. */
  async #look({ cluster, pods }: Observed): Promise<KafkaState | Unreachable> {
    if (!pods.some(isPodReady)) return { error: 'no pod is ready' }
    return this.#deps.brokers.look(cluster)
  }

  /** Nothing is done about it; what runs is looked at all the same. */
  async #stop(observed: Observed, healthOfIt: (found: FoundCluster | null) => Health): Promise<Outcome> {
    const { cluster } = observed
    const failures = new Failures()
    const found = cluster.status?.clusterId === undefined ? null : await this.#find(observed)
    const told = found === null ? [] : await this.#tellAll(found, failures)
    const health = healthOfIt(found)
    const { conditions: extra = [], status, requeueAfterMs = Infinity } = merged({}, told)
    const said = { health, nowMs: this.#deps.clock.wallMs(), extra, areAll: false }
    await this.#report(
      cluster,
      { ...statusFor(cluster, said), ...(found === null ? {} : countsOf(found)), ...status },
      health,
    )
    failures.throwAny()
    const isResting = health.state === 'stalled' || health.state === 'ready'
    const { resyncMs, recheckMs } = this.#options
    return { requeueAfterMs: Math.min(requeueAfterMs, isResting ? resyncMs : recheckMs) }
  }

  async #find(observed: Observed): Promise<FoundCluster> {
    const cluster = withRunningPools(observed.cluster, observed.statefulSets.values())
    const kafka = await this.#look(observed)
    return { cluster, asked: observed.cluster, observed, kafka, nowMs: this.#deps.clock.wallMs() }
  }

  async #tellAll(found: FoundCluster, failures: Failures): Promise<StepResult[]> {
    const results: StepResult[] = []
    for (const step of this.#deps.steps) results.push((await failures.run(async () => step.tell?.(found))) ?? {})
    return results
  }

  async #announce(cluster: KafkaCluster, clusterId: string): Promise<KafkaClusterStatus> {
    const health: Health = { state: 'progressing', reason: 'Creating', message: `creating cluster ${clusterId}` }
    const status = {
      ...statusFor(cluster, { health, nowMs: this.#deps.clock.wallMs(), areAll: false }),
      clusterId,
      pools: poolStatuses(cluster, []),
    }
    await this.#report(cluster, status, health)
    return status
  }

  /** Returns the names of the StatefulSets that are still going; the end of each is an event that brings the cluster back. */
  async #replace(cluster: KafkaCluster, { replaced }: Plan): Promise<Set<string>> {
    const leaving = new Set<string>()
    for (const set of replaced) {
      const { name } = set.metadata
      const note = `StatefulSet ${name} is made anew around its pods: its volume claims have changed`
      await this.#deps.events.record(cluster, { type: 'Normal', reason: 'VolumesChanged', action: 'Replace', note })
      if (!(await removeAroundPods(this.#deps.api, this.#deps.clock, set))) leaving.add(name)
    }
    return leaving
  }

  /** Returns what the API server has refused, in its words; what was applied before stays, and the rest is tried all the same. */
  async #apply({ manifests }: Plan, { applier, observed, leaving }: Applying): Promise<Health | null> {
    let refusal: Health | null = null
    for (const { type, manifest } of manifests) {
      const { name } = manifest.metadata
      if (type === STATEFUL_SET && leaving.has(name)) continue
      try {
        await applier.apply<Resource>(type, manifest, findObserved(observed, type.kind, name))
      } catch (error) {
        if (!isRefusal(error)) throw error
        const message = `Kubernetes refuses ${type.kind} ${name}: ${error.message}`
        refusal ??= { state: 'stalled', reason: 'RefusedByKubernetes', message }
      }
    }
    return refusal
  }

  async #growClaims(cluster: KafkaCluster, { growClaims }: Plan): Promise<Health | null> {
    const { api, events } = this.#deps
    const namespace = cluster.metadata.namespace ?? ''
    let refusal: Health | null = null
    for (const { name, size } of growClaims) {
      const spec = { resources: { requests: { storage: size } } }
      try {
        await api.patch(PERSISTENT_VOLUME_CLAIM, namespace, name, { spec })
      } catch (error) {
        if (!isRefusal(error)) throw error
        const message = `volume claim ${name} cannot grow to ${size}: ${error.message}`
        refusal ??= { state: 'stalled', reason: 'VolumeCannotGrow', message }
        continue
      }
      const note = `volume claim ${name} grows to ${size}`
      await events.record(cluster, { type: 'Normal', reason: 'VolumeGrowing', action: 'GrowVolume', note })
    }
    return refusal
  }

  async #finish(view: ClusterView, clusterId: string, seen: Health, failures: Failures): Promise<Outcome> {
    const { cluster, asked, observed, nowMs } = view
    const results = failures.isEmpty ? await this.#runAll(view, failures) : await this.#tellAll(view, failures)
    failures.throwConflicts()
    if (!this.#rememberFailing(keyOf(asked), failures)) failures.throwAny()
    const all = merged({ health: seen }, results)
    const health = failures.over(all.health ?? seen)
    const said = { health, nowMs, extra: all.conditions ?? [], areAll: failures.isEmpty }
    await this.#report(asked, { ...statusOf({ cluster, clusterId, observed }, said), ...all.status }, health)
    failures.throwAny()
    const { resyncMs, recheckMs } = this.#options
    return { requeueAfterMs: Math.min(all.requeueAfterMs ?? resyncMs, health.state === 'ready' ? resyncMs : recheckMs) }
  }

  /** Whether the run before failed too. What fails once mostly passes: told at once, clusters would be ready now and not ready then. */
  #rememberFailing(key: Key, { isEmpty }: Failures): boolean {
    const wasFailing = this.#failing.has(key)
    if (isEmpty) this.#failing.delete(key)
    else this.#failing.add(key)
    return wasFailing
  }

  async #runAll(view: ClusterView, failures: Failures): Promise<StepResult[]> {
    const results: StepResult[] = []
    for (const step of this.#deps.steps) {
      const kafka = results.findLast((result) => result.kafka !== undefined)?.kafka ?? view.kafka
      results.push((await failures.run(() => step.run({ ...view, kafka }))) ?? {})
    }
    return results
  }

  #report(cluster: KafkaCluster, status: KafkaClusterStatus, health: Health): Promise<void> {
    return report(KAFKA_CLUSTER, cluster, status, health, this.#deps)
  }
}
