import {
  clusterKeyOf,
  CONFIG_MAP,
  KAFKA_CLUSTER,
  KAFKA_REBALANCE,
  KAFKA_TOPIC,
  keyOf,
  LABEL_CLUSTER,
  LABEL_MANAGED_BY,
  MANAGED_BY,
  POD,
  POD_DISRUPTION_BUDGET,
  SERVICE,
  SERVICE_ACCOUNT,
  STATEFUL_SET,
} from './api/resource.ts'
import type { KafkaCluster, KafkaRebalance, KafkaTopic, Key, Resource, ResourceType } from './api/resource.ts'
import type { KubeApi } from './kube/api.ts'
import { Informer } from './kube/informer.ts'
import type { OnChange } from './kube/informer.ts'
import type { OperatorMetrics } from './metrics.ts'
import { Reconcilers } from './reconcilers.ts'
import type { Caches, ReconcilerDeps, ReconcilerOptions } from './reconcilers.ts'
import { Controller } from './runtime/controller.ts'
import type { ControllerMetrics, Reconcile } from './runtime/controller.ts'
import { INGRESS } from './specs/routes.ts'
import { TopicClaims } from './topic/claims.ts'
import { isTopicReady, strengthOf, topicsGoBy } from './topic/rules.ts'

export interface LeadershipOptions extends ReconcilerOptions {
  readonly clusterWorkers: number
  readonly topicWorkers: number
}

export interface LeadershipDeps extends ReconcilerDeps {
  /** The API with calls that stop when `signal` aborts. */
  readonly apiFor: (signal: AbortSignal) => KubeApi
  readonly metrics: OperatorMetrics
}

/** What the operator makes; it looks at a cluster again when one of these changes. */
const CHILDREN = [STATEFUL_SET, POD, SERVICE, CONFIG_MAP, SERVICE_ACCOUNT, POD_DISRUPTION_BUDGET, INGRESS]
/** It is no reconciliation of a resource. */
const UNCOUNTED: ControllerMetrics = { reconciled: () => {}, queueDepth: () => {} }
const BACKOFF = { backoffMinMs: 500, backoffMaxMs: 60_000 }

/** One term as the leader: informers feed queues, queues feed reconcilers. */
export class Leadership implements Caches {
  readonly #options: LeadershipOptions
  readonly #deps: LeadershipDeps
  readonly #signal: AbortSignal
  readonly #api: KubeApi
  readonly claims = new TopicClaims()
  readonly #clusters: Informer<KafkaCluster>[]
  readonly #topics: Informer<KafkaTopic>[]
  readonly #rebalances: Informer<KafkaRebalance>[]
  readonly #children: Informer<Resource>[]
  readonly #clusterController: Controller
  readonly #topicController: Controller
  readonly #rebalanceController: Controller
  readonly #shortageController: Controller
  readonly #surveyController: Controller
  /** What topics that are not well wait for, by cluster. */
  readonly #clusterStrengths = new Map<Key, string>()
  /** What topics go by of each cluster: they are looked at again when it changes. */
  readonly #clusterStates = new Map<Key, string>()

  constructor(options: LeadershipOptions, deps: LeadershipDeps, signal: AbortSignal) {
    this.#options = options
    this.#deps = deps
    this.#signal = signal
    this.#api = deps.apiFor(signal)
    this.#clusters = this.#informers<KafkaCluster>(KAFKA_CLUSTER, undefined, (...change) => this.#onCluster(...change))
    this.#topics = this.#informers(KAFKA_TOPIC, undefined, (topic: KafkaTopic, gone) => this.#onTopic(topic, gone))
    this.#rebalances = this.#informers<KafkaRebalance>(KAFKA_REBALANCE, undefined, (rebalance, _, isEcho) => {
      if (!isEcho) this.#rebalanceController.queue.add(keyOf(rebalance))
    })
    const managed = `${LABEL_MANAGED_BY}=${MANAGED_BY}`
    this.#children = CHILDREN.flatMap((type) => this.#informers(type, managed, (child) => this.#onChild(child)))
    const reconcilers = new Reconcilers(options, { ...deps, api: this.#api }, this)
    this.#clusterController = this.#controller('KafkaCluster', options.clusterWorkers, reconcilers.cluster())
    this.#topicController = this.#controller('KafkaTopic', options.topicWorkers, reconcilers.topic())
    this.#rebalanceController = this.#controller('KafkaRebalance', 1, reconcilers.rebalance())
    this.#shortageController = this.#controller('Shortage', options.clusterWorkers, reconcilers.shortage(), UNCOUNTED)
    this.#surveyController = this.#controller('Survey', options.clusterWorkers, reconcilers.survey(), UNCOUNTED)
  }

  clusters(): readonly KafkaCluster[] {
    return this.#clusters.flatMap((informer) => informer.values())
  }

  topics(): readonly KafkaTopic[] {
    return this.#topics.flatMap((informer) => informer.values())
  }

  rebalances(): readonly KafkaRebalance[] {
    return this.#rebalances.flatMap((informer) => informer.values())
  }

  get areTopicsInOrder(): boolean {
    return this.#topics.length === 1
  }

  clusterOf(key: Key): KafkaCluster | undefined {
    return this.#clusters.map((informer) => informer.get(key)).find((cluster) => cluster !== undefined)
  }

  topicOf(key: Key): KafkaTopic | undefined {
    return this.#topics.map((informer) => informer.get(key)).find((topic) => topic !== undefined)
  }

  rebalancesOf({ metadata }: KafkaCluster): KafkaRebalance[] {
    return this.rebalances().filter(
      (one) => one.metadata.namespace === metadata.namespace && one.spec.cluster.name === metadata.name,
    )
  }

  wake(cluster: Key): void {
    this.#clusterController.queue.add(cluster)
  }

  survey(cluster: Key): void {
    this.#surveyController.queue.add(cluster)
  }

  async run(): Promise<void> {
    const caches = [...this.#clusters, ...this.#topics]
    // Helm upgrades no CRDs: where there are no KafkaRebalances nobody waits for them.
    const watching = [...caches, ...this.#rebalances, ...this.#children].map((informer) => informer.run(this.#signal))
    const aborted = new Promise<void>((resolve) => {
      const stop = (): void => {
        // What is being asked of Kafka, and what would be asked in the end of a run, is the next leader's to ask.
        this.#deps.admins.close()
        resolve()
      }
      if (this.#signal.aborted) stop()
      this.#signal.addEventListener('abort', stop, { once: true })
    })
    // Two claims for one topic must both be known before either is acted on.
    await Promise.race([Promise.all(caches.map(({ synced }) => synced)), aborted])
    const controllers = [
      this.#clusterController,
      this.#topicController,
      this.#rebalanceController,
      this.#shortageController,
      this.#surveyController,
    ]
    await Promise.all([...watching, ...controllers.map((controller) => controller.run(this.#signal))])
  }

  #onCluster(cluster: KafkaCluster, isDeleted: boolean, isEcho: boolean): void {
    const key = keyOf(cluster)
    if (!isEcho) this.#clusterController.queue.add(key)
    const strength = strengthOf(cluster)
    const isChanged = this.#clusterStrengths.get(key) !== strength
    this.#clusterStrengths.set(key, strength)
    for (const name of this.claims.ofCluster(key)) {
      const topic = this.topicOf(name)
      if (topic === undefined) continue
      // The replicas that it waits for may have moved; what was refused for lack of brokers may be possible now.
      const isWaiting = topic.status?.replicasChange !== undefined || (isChanged && !isTopicReady(topic))
      if (isWaiting) this.#topicController.queue.add(name)
    }
    const state = isDeleted ? 'deleted' : topicsGoBy(cluster)
    // Which is another one when it begins to serve, and when it ends.
    if (this.#clusterStates.get(key) === state) return
    if (isDeleted) {
      this.#clusterStates.delete(key)
      this.#clusterStrengths.delete(key)
      this.#deps.admins.forget(key)
    } else this.#clusterStates.set(key, state)
    this.#shortageController.queue.add(key)
    this.#surveyController.queue.add(key)
    for (const topic of this.claims.ofCluster(key)) this.#topicController.queue.add(topic)
  }

  #onTopic(topic: KafkaTopic, isDeleted: boolean): void {
    // It is the cluster that moves replicas.
    if (topic.status?.replicasChange !== undefined) this.#clusterController.queue.add(clusterKeyOf(topic))
    if (isDeleted) this.claims.remove(topic)
    else if (!this.claims.put(topic)) return
    // Its rivals too: one may win, or lose, by this change.
    for (const rival of this.claims.of(topic)) this.#topicController.queue.add(keyOf(rival))
  }

  #onChild(child: Resource): void {
    // By its owner first: somebody may have taken the label off.
    const owner = child.metadata.ownerReferences?.find(({ kind }) => kind === KAFKA_CLUSTER.kind)
    const name = owner?.name ?? child.metadata.labels?.[LABEL_CLUSTER]
    if (name !== undefined) this.#clusterController.queue.add(`${child.metadata.namespace ?? ''}/${name}`)
  }

  #informers<T extends Resource>(
    type: ResourceType,
    labelSelector: string | undefined,
    onChange: OnChange<T>,
  ): Informer<T>[] {
    const selector = labelSelector === undefined ? {} : { labelSelector }
    return (this.#options.namespaces ?? [null]).map(
      (namespace) => new Informer<T>({ type, namespace, ...selector, onChange }, { ...this.#deps, api: this.#api }),
    )
  }

  #controller(
    name: string,
    workers: number,
    reconcile: Reconcile,
    metrics: ControllerMetrics = this.#deps.metrics,
  ): Controller {
    return new Controller({ name, workers, ...BACKOFF }, { ...this.#deps, metrics, reconcile })
  }
}
