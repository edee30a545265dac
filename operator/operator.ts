import type { Logger } from 'pino'
import type { Clock } from '../broker/env/clock.ts'
import type { Random } from '../broker/env/random.ts'
import type { ClusterAdmins } from './admins.ts'
import { Alertmanager } from './alerts/alertmanager.ts'
import type { PostJson } from './alerts/alertmanager.ts'
import { Monitoring } from './alerts/monitoring.ts'
import { AlertStep } from './alerts/step.ts'
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
import type { Images } from './cluster/version.ts'
import { ClusterReconciler } from './cluster/reconcile.ts'
import type { ClusterStep } from './cluster/step.ts'
import type { KubeApi } from './kube/api.ts'
import { EventRecorder } from './kube/events.ts'
import { Informer } from './kube/informer.ts'
import type { OnChange } from './kube/informer.ts'
import { LEADER_DEFAULTS, LeaderElection } from './kube/leader.ts'
import { PlacementStep } from './listeners/step.ts'
import type { OperatorMetrics } from './metrics.ts'
import { raisedFactors } from './policy/planner.ts'
import { DurabilityStep } from './policy/step.ts'
import { ReassignmentStep } from './reassignment/step.ts'
import type { Rebalance } from './reassignment/step.ts'
import { throttleOf } from './reassignment/throttle.ts'
import { readPlan, RebalanceReconciler } from './rebalance/reconcile.ts'
import { MetadataVersionStep } from './rolling/metadata-version-step.ts'
import { RollingStep } from './rolling/step.ts'
import { DrainStep } from './scaling/drain-step.ts'
import { effectiveCluster } from './scaling/effective.ts'
import { QuorumStep } from './scaling/quorum-step.ts'
import { Controller } from './runtime/controller.ts'
import type { ControllerMetrics, Reconcile } from './runtime/controller.ts'
import { ShortageWatch } from './shortage-watch.ts'
import { Batcher } from './topic/batcher.ts'
import { TopicClaims } from './topic/claims.ts'
import { TopicReconciler } from './topic/reconcile.ts'
import { isTopicReady, strengthOf, topicsGoBy } from './topic/rules.ts'

export interface OperatorOptions {
  /** Null: all. */
  readonly namespaces: readonly string[] | null
  /** The image of each Kafka version. */
  readonly images: Images
  /** Unique among the operators of a Kubernetes cluster. */
  readonly identity: string
  /** Where the Lease is; null: this is the only operator, and leads at once. */
  readonly lease: { readonly namespace: string; readonly name: string } | null
  readonly clusterWorkers: number
  readonly topicWorkers: number
  readonly resyncMs: number
}

export interface OperatorDeps {
  /** The API with calls that stop when `signal` aborts. */
  readonly apiFor: (signal: AbortSignal) => KubeApi
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: OperatorMetrics
  /** The way to Alertmanagers. */
  readonly post: PostJson
  readonly admins: ClusterAdmins
}

/** What the operator makes; it looks at a cluster again when one of these changes. */
const CHILDREN = [STATEFUL_SET, POD, SERVICE, CONFIG_MAP, SERVICE_ACCOUNT, POD_DISRUPTION_BUDGET]
const RECHECK_MS = 3000
const TOPIC_RECHECK_MS = 30_000
const SHORTAGE_MS = 5000
/** A look at ten thousand topics takes seconds of CPU time. */
const TOPIC_RESYNC_FACTOR = 2
/** It is no reconciliation of a resource. */
const UNCOUNTED: ControllerMetrics = { reconciled: () => {}, queueDepth: () => {} }
const BACKOFF = { backoffMinMs: 500, backoffMaxMs: 60_000 }

/** Wiring: informers feed queues, queues feed reconcilers, all of it only while this process leads. */
export class Operator {
  readonly #options: OperatorOptions
  readonly #deps: OperatorDeps

  constructor(options: OperatorOptions, deps: OperatorDeps) {
    this.#options = options
    this.#deps = deps
  }

  /** Runs until `signal` aborts ('ended') or the lease is lost ('lost': the process should end, and another one begin). */
  async run(signal: AbortSignal): Promise<'lost' | 'ended'> {
    const { lease, identity } = this.#options
    if (lease === null) {
      await this.#lead(signal)
      return 'ended'
    }
    const election = new LeaderElection({ ...lease, identity, ...LEADER_DEFAULTS }, this.#deps)
    return election.run((leading) => this.#lead(leading), signal)
  }

  async #lead(signal: AbortSignal): Promise<void> {
    this.#deps.metrics.leading(true)
    try {
      const leadership = new Leadership(this.#options, this.#deps, signal)
      this.#deps.metrics.watch(leadership)
      await leadership.run()
    } finally {
      this.#deps.metrics.watch(null)
      this.#deps.metrics.leading(false)
    }
  }
}

/** One term as the leader: its caches, queues and reconcilers. */
class Leadership {
  readonly #options: OperatorOptions
  readonly #deps: OperatorDeps
  readonly #signal: AbortSignal
  readonly #api: KubeApi
  readonly #claims = new TopicClaims()
  readonly #clusters: Informer<KafkaCluster>[]
  readonly #topics: Informer<KafkaTopic>[]
  readonly #rebalances: Informer<KafkaRebalance>[]
  readonly #children: Informer<Resource>[]
  readonly #clusterController: Controller
  readonly #topicController: Controller
  readonly #rebalanceController: Controller
  readonly #shortageController: Controller
  /** What topics that are not well wait for, by cluster. */
  readonly #clusterStrengths = new Map<Key, string>()
  /** What topics go by of each cluster: they are looked at again when it changes. */
  readonly #clusterStates = new Map<Key, string>()

  constructor(options: OperatorOptions, deps: OperatorDeps, signal: AbortSignal) {
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
    this.#clusterController = this.#controller('KafkaCluster', options.clusterWorkers, this.#clusterReconcile())
    this.#topicController = this.#controller('KafkaTopic', options.topicWorkers, this.#topicReconcile())
    this.#rebalanceController = this.#controller('KafkaRebalance', 1, this.#rebalanceReconcile())
    this.#shortageController = this.#controller(
      'Shortage',
      options.clusterWorkers,
      this.#shortageReconcile(),
      UNCOUNTED,
    )
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
    ]
    await Promise.all([...watching, ...controllers.map((controller) => controller.run(this.#signal))])
  }

  #clusterReconcile(): Reconcile {
    const { images, resyncMs } = this.#options
    const brokers = this.#deps.admins
    const events = this.#events()
    const reconciler = new ClusterReconciler(
      { images, resyncMs, recheckMs: RECHECK_MS },
      {
        ...this.#deps,
        api: this.#api,
        events,
        brokers,
        effective: effectiveCluster,
        steps: [
          new PlacementStep({ api: this.#api, logger: this.#deps.logger }),
          ...this.#scalingSteps(events),
          new RollingStep({ api: this.#api, brokers, events }),
          new MetadataVersionStep({ setMetadataVersion: (...change) => brokers.setMetadataVersion(...change), events }),
          this.#reassignmentStep(events),
          new DurabilityStep({ ...this.#deps, events, resetMinIsr: (...topics) => brokers.resetMinIsr(...topics) }),
          this.#alertStep(),
        ],
      },
    )
    return (key) => reconciler.reconcile(key)
  }

  #alertStep(): AlertStep {
    const { clock, logger, post } = this.#deps
    const monitoring = new Monitoring({ api: this.#api, clock })
    return new AlertStep({ monitoring, alertmanager: new Alertmanager({ post, clock }), logger })
  }

  #scalingSteps(events: EventRecorder): ClusterStep[] {
    const { admins } = this.#deps
    const adminOf = (cluster: KafkaCluster) => admins.scalingOf(cluster)
    return [
      new QuorumStep({ adminOf, events, look: (cluster) => admins.look(cluster) }),
      new DrainStep({ api: this.#api, adminOf, events }),
    ]
  }

  #reassignmentStep(events: EventRecorder): ReassignmentStep {
    return new ReassignmentStep({
      adminOf: (cluster) => this.#deps.admins.reassignmentOf(cluster),
      events,
      factorsOf: (cluster, kafka) =>
        new Map([...raisedFactors(cluster, kafka), ...this.#claims.replicationFactors(cluster)]),
      rebalanceOf: (cluster) => this.#rebalanceOf(cluster),
    })
  }

  #clusterOf(key: Key): KafkaCluster | undefined {
    return this.#clusters.map((informer) => informer.get(key)).find((cluster) => cluster !== undefined)
  }

  #rebalancesOf({ metadata }: KafkaCluster): KafkaRebalance[] {
    return this.rebalances().filter(
      (one) => one.metadata.namespace === metadata.namespace && one.spec.cluster.name === metadata.name,
    )
  }

  /** The one that has been approved and is not done. */
  async #rebalanceOf(cluster: KafkaCluster): Promise<Rebalance | null> {
    const approved = this.#rebalancesOf(cluster).find(({ status }) => status?.state === 'Rebalancing')
    const plan = approved === undefined ? null : await readPlan(this.#api, approved)
    return plan === null ? null : { plan, bytesPerSecond: throttleOf(approved?.spec.throttle) }
  }

  #rebalanceReconcile(): Reconcile {
    const { admins } = this.#deps
    const reconciler = new RebalanceReconciler({
      ...this.#deps,
      api: this.#api,
      events: this.#events(),
      look: (cluster) => admins.look(cluster),
      adminOf: (cluster) => admins.reassignmentOf(cluster),
      clusterOf: (key) => this.#clusterOf(key),
      othersOf: (cluster) => this.#rebalancesOf(cluster),
      wake: (key) => this.#clusterController.queue.add(key),
    })
    return (key) => reconciler.reconcile(key)
  }

  #shortageReconcile(): Reconcile {
    const { clock, admins } = this.#deps
    const watch = new ShortageWatch(
      { pauseMs: SHORTAGE_MS },
      {
        clock,
        clusterOf: (key) => this.#clusterOf(key),
        shortage: (cluster) => admins.shortage(cluster),
        wake: (key) => this.#clusterController.queue.add(key),
      },
    )
    return (key) => watch.reconcile(key)
  }

  #topicReconcile(): Reconcile {
    const listed = new Batcher<KafkaTopic, readonly KafkaTopic[]>({ weightMax: Infinity }, async (topics) => {
      const all = await this.#listTopics()
      return topics.map(() => all)
    })
    const reconciler = new TopicReconciler(
      { resyncMs: this.#options.resyncMs * TOPIC_RESYNC_FACTOR, recheckMs: TOPIC_RECHECK_MS },
      {
        ...this.#deps,
        api: this.#api,
        events: this.#events(),
        adminOf: (cluster) => this.#deps.admins.topicsOf(cluster),
        topicOf: (key) => this.#topic(key),
        claimsOf: (topic) => this.#claims.of(topic),
        // One watch tells everything in order, so that it knows of every claim older than a deletion; several watches do not wait for each other.
        rivalsOf: (topic) => (this.#topics.length === 1 ? Promise.resolve(this.#claims.of(topic)) : listed.ask(topic)),
        clusterOf: (key) => this.#clusterOf(key),
      },
    )
    return (key) => reconciler.reconcile(key)
  }

  async #listTopics(): Promise<KafkaTopic[]> {
    const namespaces = this.#options.namespaces ?? [null]
    const lists = await Promise.all(
      namespaces.map((namespace) => this.#api.list<KafkaTopic>(KAFKA_TOPIC, { namespace })),
    )
    return lists.flatMap(({ items }) => items)
  }

  #onCluster(cluster: KafkaCluster, isDeleted: boolean, isEcho: boolean): void {
    const key = keyOf(cluster)
    if (!isEcho) this.#clusterController.queue.add(key)
    const strength = strengthOf(cluster)
    const isChanged = this.#clusterStrengths.get(key) !== strength
    this.#clusterStrengths.set(key, strength)
    for (const name of this.#claims.ofCluster(key)) {
      const topic = this.#topic(name)
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
    for (const topic of this.#claims.ofCluster(key)) this.#topicController.queue.add(topic)
  }

  #topic(key: Key): KafkaTopic | undefined {
    return this.#topics.map((informer) => informer.get(key)).find((topic) => topic !== undefined)
  }

  #onTopic(topic: KafkaTopic, isDeleted: boolean): void {
    // It is the cluster that moves replicas.
    if (topic.status?.replicasChange !== undefined) this.#clusterController.queue.add(clusterKeyOf(topic))
    if (isDeleted) this.#claims.remove(topic)
    else if (!this.#claims.put(topic)) return
    // Its rivals too: one may win, or lose, by this change.
    for (const rival of this.#claims.of(topic)) this.#topicController.queue.add(keyOf(rival))
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

  #events(): EventRecorder {
    return new EventRecorder({ instance: this.#options.identity }, { ...this.#deps, api: this.#api })
  }
}
