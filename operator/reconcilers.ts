import type { Logger } from 'pino'
import type { Clock } from '../broker/env/clock.ts'
import type { Random } from '../broker/env/random.ts'
import type { ClusterAdmins } from './admins.ts'
import { Alertmanager } from './alerts/alertmanager.ts'
import type { PostJson } from './alerts/alertmanager.ts'
import { Monitoring } from './alerts/monitoring.ts'
import { AlertStep } from './alerts/step.ts'
import { Surveys } from './alerts/surveys.ts'
import { isPaused } from './api/paused.ts'
import { KAFKA_TOPIC } from './api/resource.ts'
import type { KafkaCluster, KafkaRebalance, KafkaTopic, Key } from './api/resource.ts'
import { ClusterReconciler } from './cluster/reconcile.ts'
import type { ClusterStep } from './cluster/step.ts'
import type { Images } from './cluster/version.ts'
import type { KafkaState } from './kafka/state.ts'
import type { KubeApi } from './kube/api.ts'
import { EventRecorder } from './kube/events.ts'
import { Authorities } from './listeners/authorities.ts'
import { CertificateStep } from './listeners/certificate-step.ts'
import { RouteStep } from './listeners/route-step.ts'
import { type CertificateAt, ShownCertificates } from './listeners/shown.ts'
import { PlacementStep } from './listeners/step.ts'
import { raisedFactors } from './policy/planner.ts'
import { DurabilityStep } from './policy/step.ts'
import { ReassignmentStep } from './reassignment/step.ts'
import type { Rebalance } from './reassignment/step.ts'
import { throttleOf } from './reassignment/throttle.ts'
import { readPlan, RebalanceReconciler } from './rebalance/reconcile.ts'
import { MetadataVersionStep } from './rolling/metadata-version-step.ts'
import { RollingStep } from './rolling/step.ts'
import type { Reconcile } from './runtime/controller.ts'
import { DrainStep } from './scaling/drain-step.ts'
import { effectiveCluster } from './scaling/effective.ts'
import { QuorumStep } from './scaling/quorum-step.ts'
import { ShortageWatch } from './shortage-watch.ts'
import { SurveyWatch } from './survey-watch.ts'
import { Batcher } from './topic/batcher.ts'
import type { TopicClaims } from './topic/claims.ts'
import { TopicReconciler } from './topic/reconcile.ts'

/** What is known from watches, and how somebody is told to look. */
export interface Caches {
  readonly claims: TopicClaims
  /** Whether one watch tells of every KafkaTopic: several do not wait for each other. */
  readonly areTopicsInOrder: boolean
  clusterOf(key: Key): KafkaCluster | undefined
  topicOf(key: Key): KafkaTopic | undefined
  rebalancesOf(cluster: KafkaCluster): readonly KafkaRebalance[]
  /** Has a cluster looked at. */
  wake(cluster: Key): void
  /** Has every broker of a cluster asked how it is. */
  survey(cluster: Key): void
}

export interface ReconcilerOptions {
  /** Null: all. */
  readonly namespaces: readonly string[] | null
  /** The image of each Kafka version. */
  readonly images: Images
  /** Unique among the operators of a Kubernetes cluster. */
  readonly identity: string
  readonly resyncMs: number
}

export interface ReconcilerDeps {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** The way to Alertmanagers. */
  readonly post: PostJson
  /** The way to what brokers show of themselves in TLS. */
  readonly certificateAt: CertificateAt
  readonly admins: ClusterAdmins
}

const RECHECK_MS = 3000
const TOPIC_RECHECK_MS = 30_000
const SHORTAGE_MS = 5000
/** Ten small requests for three brokers, half a millisecond of CPU time. A disk that fails shows as a shortage before that. */
const SURVEY_MS = 60_000
/** A look at ten thousand topics takes seconds of CPU time. */
const TOPIC_RESYNC_FACTOR = 2

/** Wiring: the reconcilers of each kind, and what they are made of. */
export class Reconcilers {
  readonly #options: ReconcilerOptions
  readonly #deps: ReconcilerDeps & { readonly api: KubeApi }
  readonly #caches: Caches
  readonly #surveys = new Surveys()

  constructor(options: ReconcilerOptions, deps: ReconcilerDeps & { readonly api: KubeApi }, caches: Caches) {
    this.#options = options
    this.#deps = deps
    this.#caches = caches
  }

  cluster(): Reconcile {
    const { images, resyncMs } = this.#options
    const brokers = this.#deps.admins
    const events = this.#events()
    const reconciler = new ClusterReconciler(
      { images, resyncMs, recheckMs: RECHECK_MS },
      {
        ...this.#deps,
        events,
        brokers,
        effective: effectiveCluster,
        steps: [
          new PlacementStep({ ...this.#deps, authorities: new Authorities(this.#deps) }),
          new RouteStep(this.#deps),
          new CertificateStep({ shown: new ShownCertificates(this.#deps) }),
          ...this.#scalingSteps(events),
          new RollingStep({ api: this.#deps.api, brokers, events, factorsOf: (...of) => this.#factorsOf(...of) }),
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
    const monitoring = new Monitoring({ api: this.#deps.api, clock })
    const alertmanager = new Alertmanager({ post, clock })
    return new AlertStep({ monitoring, alertmanager, surveys: this.#surveys, logger })
  }

  #scalingSteps(events: EventRecorder): ClusterStep[] {
    const { admins } = this.#deps
    const adminOf = (cluster: KafkaCluster) => admins.scalingOf(cluster)
    return [
      new QuorumStep({ adminOf, events, look: (cluster) => admins.look(cluster) }),
      new DrainStep({ api: this.#deps.api, adminOf, events }),
    ]
  }

  #reassignmentStep(events: EventRecorder): ReassignmentStep {
    return new ReassignmentStep({
      clock: this.#deps.clock,
      adminOf: (cluster) => this.#deps.admins.reassignmentOf(cluster),
      events,
      factorsOf: (...of) => this.#factorsOf(...of),
      rebalanceOf: (cluster) => this.#rebalanceOf(cluster),
    })
  }

  /** What a KafkaTopic asks for comes before what spec.durability promises. */
  #factorsOf(cluster: KafkaCluster, kafka: KafkaState): Map<string, number> {
    return new Map([...raisedFactors(cluster, kafka), ...this.#caches.claims.replicationFactors(cluster)])
  }

  /** The one that has been approved and is not done. */
  async #rebalanceOf(cluster: KafkaCluster): Promise<Rebalance | null> {
    const approved = this.#caches.rebalancesOf(cluster).find(({ status }) => status?.state === 'Rebalancing')
    const plan = approved === undefined || isPaused(approved) ? null : await readPlan(this.#deps.api, approved)
    return plan === null ? null : { plan, bytesPerSecond: throttleOf(approved?.spec.throttle) }
  }

  rebalance(): Reconcile {
    const { admins } = this.#deps
    const reconciler = new RebalanceReconciler({
      ...this.#deps,
      events: this.#events(),
      look: (cluster) => admins.look(cluster),
      adminOf: (cluster) => admins.reassignmentOf(cluster),
      clusterOf: (key) => this.#caches.clusterOf(key),
      othersOf: (cluster) => this.#caches.rebalancesOf(cluster),
      wake: (key) => this.#caches.wake(key),
    })
    return (key) => reconciler.reconcile(key)
  }

  shortage(): Reconcile {
    const { clock, admins } = this.#deps
    const watch = new ShortageWatch(
      { pauseMs: SHORTAGE_MS },
      {
        clock,
        clusterOf: (key) => this.#caches.clusterOf(key),
        shortage: (cluster) => admins.shortage(cluster),
        wake: (key) => {
          this.#caches.wake(key)
          this.#caches.survey(key)
        },
      },
    )
    return (key) => watch.reconcile(key)
  }

  survey(): Reconcile {
    const { clock, admins } = this.#deps
    const watch = new SurveyWatch(
      { pauseMs: SURVEY_MS },
      {
        clock,
        clusterOf: (key) => this.#caches.clusterOf(key),
        survey: (cluster) => admins.survey(cluster),
        surveys: this.#surveys,
        wake: (key) => this.#caches.wake(key),
      },
    )
    return (key) => watch.reconcile(key)
  }

  topic(): Reconcile {
    const listed = new Batcher<KafkaTopic, readonly KafkaTopic[]>({ weightMax: Infinity }, async (topics) => {
      const all = await this.#listTopics()
      return topics.map(() => all)
    })
    const reconciler = new TopicReconciler(
      { resyncMs: this.#options.resyncMs * TOPIC_RESYNC_FACTOR, recheckMs: TOPIC_RECHECK_MS },
      {
        ...this.#deps,
        events: this.#events(),
        adminOf: (cluster) => this.#deps.admins.topicsOf(cluster),
        topicOf: (key) => this.#caches.topicOf(key),
        claimsOf: (topic) => this.#caches.claims.of(topic),
        // One watch tells everything in order, so that it knows of every claim older than a deletion; several watches do not wait for each other.
        rivalsOf: (topic) =>
          this.#caches.areTopicsInOrder ? Promise.resolve(this.#caches.claims.of(topic)) : listed.ask(topic),
        clusterOf: (key) => this.#caches.clusterOf(key),
      },
    )
    return (key) => reconciler.reconcile(key)
  }

  async #listTopics(): Promise<KafkaTopic[]> {
    const namespaces = this.#options.namespaces ?? [null]
    const lists = await Promise.all(
      namespaces.map((namespace) => this.#deps.api.list<KafkaTopic>(KAFKA_TOPIC, { namespace })),
    )
    return lists.flatMap(({ items }) => items)
  }

  #events(): EventRecorder {
    return new EventRecorder({ instance: this.#options.identity }, this.#deps)
  }
}
