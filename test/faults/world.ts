import { pino } from 'pino'
import type { KafkaCluster, KafkaTopic, Resource, ResourceType } from '../../operator/api/resource.ts'
import {
  CONFIG_MAP,
  KAFKA_CLUSTER,
  KAFKA_TOPIC,
  PERSISTENT_VOLUME_CLAIM,
  POD,
  POD_DISRUPTION_BUDGET,
  SERVICE,
  SERVICE_ACCOUNT,
  STATEFUL_SET,
} from '../../operator/api/resource.ts'
import { OperatorMetrics } from '../../operator/metrics.ts'
import { Operator } from '../../operator/operator.ts'
import type { OperatorDeps } from '../../operator/operator.ts'
import type { Configured } from '../../operator/cluster/reconcile.ts'
import { INGRESS, tlsRouteType } from '../../operator/specs/routes.ts'
import type { ReassignmentAdmin } from '../../operator/reassignment/admin.ts'
import type { ScalingAdmin } from '../../operator/scaling/admin.ts'
import type { ScopedClock } from '../fakes/clock.ts'
import { SimClock } from '../fakes/clock.ts'
import { FakeKube } from '../fakes/kube.ts'
import { SimRandom } from '../fakes/random.ts'
import {
  adminOf,
  apiOf,
  type Fault,
  Faults,
  type Perform,
  type Trouble,
  unreachable,
  type Write,
  type Writer,
} from './faults.ts'
import { withoutIds } from './ids.ts'
import { FakeKafka } from './kafka.ts'
import type { FakeCluster } from './kafka-cluster.ts'
import { FakeKubernetes } from './kubernetes.ts'

const IMAGES = new Map([
  ['4.2', 'ottla:2'],
  ['4.3', 'ottla:3'],
])
const TICK_MS = 1000
const SLOW_TICK_MS = 10_000
/** Nothing has changed for as long, and all is well: it is over. */
const QUIET_MS = 10_000
const RESYNC_MS = 300_000
/** Longer than a lease. */
const PAUSE_MS = 40_000
/** The same where something is not well: longer than the operator waits for anything. */
const STUCK_MS = 150_000
const SETTLE_MS_MAX = 2 * 3600_000
/** What the operator leaves behind. */
const KINDS: readonly ResourceType[] = [
  KAFKA_CLUSTER,
  KAFKA_TOPIC,
  STATEFUL_SET,
  POD,
  SERVICE,
  CONFIG_MAP,
  SERVICE_ACCOUNT,
  POD_DISRUPTION_BUDGET,
  PERSISTENT_VOLUME_CLAIM,
  INGRESS,
  tlsRouteType('v1'),
]

export interface WorldOptions {
  readonly fault: Fault | null
  /** How late the operator hears of changes, in ms. */
  readonly lagMs?: number
  /** How many operators there are; more than one have a lease. */
  readonly operators?: number
  /** Which requests to Kubernetes fail. */
  readonly trouble?: (clock: SimClock) => Trouble | null
  /** Every watch ends each second, and what was before is forgotten. */
  readonly isForgetful?: boolean
}

/** A Kubernetes with the operator in it, which dies where the fault says so and is started anew, as a Deployment does. */
export class World {
  readonly api: FakeKube
  readonly clock: SimClock
  readonly kubernetes: FakeKubernetes
  readonly kafka: FakeKafka
  readonly #options: WorldOptions
  #faults: Faults
  /** By slot; one that is dead is followed by another. */
  readonly #processes: ScopedClock[] = []
  #starts = 0

  /** `from`: a world that this one goes on from, with another operator. */
  constructor(options: WorldOptions, from?: World) {
    this.#options = options
    this.api = from?.api.copy() ?? new FakeKube()
    this.clock = new SimClock(from?.clock.wallMs())
    this.kubernetes = new FakeKubernetes({ nowMs: () => this.clock.wallMs() }, this)
    this.kafka = from?.kafka.copy(this) ?? new FakeKafka(this)
    this.#faults = new Faults(null, { version: () => '' })
    for (let slot = 0; slot < (options.operators ?? 1); slot++) this.#start(slot)
  }

  /** The writes of the operator since `arm`; told where there is no fault. */
  get writes(): readonly Write[] {
    return this.#faults.writes
  }

  /** From here on writes are counted, and one meets the fault. */
  arm(): void {
    this.#faults = new Faults(this.#options.fault, { version: () => this.#version() })
  }

  /** Runs until nothing changes any more; where not all is well, for `stuckMs`. */
  async settle(stuckMs = STUCK_MS): Promise<void> {
    const untilMs = this.clock.monotonicMs() + SETTLE_MS_MAX
    let [before, sinceMs] = ['', this.clock.monotonicMs()]
    while (this.clock.monotonicMs() - sinceMs < (this.isWell ? QUIET_MS : stuckMs)) {
      if (this.clock.monotonicMs() > untilMs)
        throw new Error(
          `it does not settle:\n${this.writes
            .slice(-20)
            .map(({ what }) => what)
            .join('\n')}`,
        )
      const now = this.#version()
      if (now !== before) [before, sinceMs] = [now, this.clock.monotonicMs()]
      await this.#tick()
    }
  }

  /** As `settle`, and lets everything be looked at again: what nobody tells of is seen then, and what follows from that in turn. */
  async end(): Promise<void> {
    await this.settle()
    for (let passedMs = 0; passedMs < 2 * RESYNC_MS; passedMs += SLOW_TICK_MS) await this.#tick(SLOW_TICK_MS)
    await this.settle()
  }

  /** What there is in the end, without what may differ: times, versions and uids. */
  state(): Record<string, unknown> {
    const objects = KINDS.flatMap((type) => this.api.all(type)).map(
      (object) => [nameOf(object), plain(object)] as const,
    )
    const all = { ...Object.fromEntries(objects.sort(([a], [b]) => (a < b ? -1 : 1))), kafka: this.kafka.dump() }
    return JSON.parse(withoutIds(JSON.stringify(all))) as Record<string, unknown>
  }

  async #tick(ms = TICK_MS): Promise<void> {
    this.kubernetes.tick()
    this.kafka.tick()
    if (this.#options.isForgetful === true) this.#forget()
    await this.clock.run(ms)
  }

  /** Whether every resource is ready. */
  get isWell(): boolean {
    const all = [...this.api.all(KAFKA_CLUSTER), ...this.api.all(KAFKA_TOPIC)] as (KafkaCluster | KafkaTopic)[]
    return all.every(({ metadata, status }) => {
      const conditions = status?.conditions ?? []
      const isReady =
        conditions.some(({ type }) => type === 'Ready') && conditions.every(({ status: is }) => is === 'True')
      return isReady && status?.observedGeneration === metadata.generation
    })
  }

  #version(): string {
    const versions = KINDS.flatMap((type) => this.api.all(type)).map(
      (object) => `${nameOf(object)} ${object.metadata.resourceVersion}`,
    )
    return versions.join('\n') + JSON.stringify(this.kafka.dump())
  }

  /** Events of the past are gone, and so are the watches. */
  #forget(): void {
    this.api.compact()
    this.api.endWatches()
  }

  #restart(slot: number): void {
    this.#processes[slot]?.kill()
    this.clock.setTimer(TICK_MS, () => this.#start(slot))
  }

  #start(slot: number): void {
    const process = this.clock.scope()
    this.#processes[slot] = process
    const number = this.#starts++
    const isAlive = (): boolean => process.alive
    const writer: Writer = {
      kill: () => this.#restart(slot),
      pause: () => {
        process.stop()
        this.clock.setTimer(PAUSE_MS, () => process.continue())
        return new Promise((resolve) => process.setTimer(0, resolve))
      },
    }
    const write: Perform = (...args) => this.#faults.write(writer, ...args)
    const { lagMs = 0, trouble = () => null, operators = 1 } = this.#options
    const api = { isAlive, write, clock: process, lagMs, trouble: () => trouble(this.clock) }
    const operator = new Operator(
      {
        namespaces: null,
        images: { bundled: IMAGES, apache: new Map() },
        identity: `operator-${number}`,
        lease: operators > 1 ? { namespace: 'ops', name: 'ottla-operator' } : null,
        clusterWorkers: 2,
        topicWorkers: 2,
        resyncMs: RESYNC_MS,
      },
      {
        apiFor: (signal) => apiOf(this.api, api, signal),
        clock: process,
        random: new SimRandom(number + 1),
        logger: pino({ level: 'silent' }),
        metrics: new OperatorMetrics(),
        post: async () => ({ status: 200 }),
        certificateAt: () => Promise.reject(new Error('no TLS here')),
        admins: this.#admins(write, isAlive),
      },
    )
    // Whoever loses its lease ends, and is started again.
    void operator.run(new AbortController().signal).then(() => isAlive() && this.#restart(slot))
  }

  #admins(write: Perform, isAlive: () => boolean): OperatorDeps['admins'] {
    const isRead = (method: string): boolean => READS.has(method)
    const admin = <T extends object>(fake: T): T => adminOf(fake, write, isAlive, isRead)
    // What never rejects says in its answer what has gone wrong.
    const answered = (what: string, perform: () => Promise<Configured>): Promise<Configured> =>
      write(`Kafka ${what}`, perform, unreachable).catch((error: Error) => ({ error: error.message }))
    const of = (cluster: KafkaCluster): FakeCluster => this.kafka.clusterOf(cluster)
    return {
      look: async (cluster) => of(cluster).state(),
      configure: async (cluster, wanted, told) => {
        const changes = of(cluster).changesFor(wanted)
        if (changes === '' || changes !== told) return { changes: '', ...(changes === '' ? {} : { pending: changes }) }
        const result = await answered('configure', () => of(cluster).configure(wanted))
        return 'refusal' in result ? { error: result.refusal } : result
      },
      setMetadataVersion: (cluster, level) =>
        answered('setMetadataVersion', () => of(cluster).setMetadataVersion(level)),
      resetMinIsr: (cluster, topics) => write('Kafka resetMinIsr', () => of(cluster).resetMinIsr(topics), unreachable),
      topicsOf: (cluster) => admin(of(cluster).topics),
      scalingOf: (cluster) => admin<ScalingAdmin>(of(cluster)),
      reassignmentOf: (cluster) => admin<ReassignmentAdmin>(of(cluster).reassignments),
      shortage: async () => '',
      survey: async () => null,
      forget: () => {},
      close: () => {},
    }
  }
}

/** Methods of admin clients that change nothing. */
const READS = new Set([
  'describe',
  'hasRecords',
  'registered',
  'isCordoned',
  'replicasOn',
  'disks',
  'limit',
  'throttledTopics',
])

function nameOf({ kind, metadata }: Resource): string {
  return `${kind} ${metadata.namespace}/${metadata.name}`
}

const VARYING = new Set([
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'generation',
  'observedGeneration',
  'lastTransitionTime',
  'startedAt',
])

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, part: unknown) => (VARYING.has(key) ? undefined : part)))
}
