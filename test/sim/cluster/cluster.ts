import { SimWorld } from '../../fakes/env.ts'
import type { SimRandom } from '../../fakes/random.ts'
import type { ActorDeps, SimTopic } from '../broker-actors.ts'
import { consume, produce } from '../broker-actors.ts'
import { acknowledgesMore, ClientHistory, readsAll } from '../broker-history.ts'
import { SimClient } from '../client.ts'
import { checkGroup, commitOffsets, type GroupHistory } from '../group-actors.ts'
import { hold } from '../history.ts'
import { type FaultName, Nemesis, type Victim } from '../nemesis.ts'
import type { Simulation, Trace } from '../simulation.ts'
import { AdminHistory, administrate, checkAdmin, createTopic } from './admin.ts'
import { checkMetadata, checkReplicas, type NamedDisk } from './disks.ts'
import {
  BROKER_PORT,
  type ClusterLayout,
  configOf,
  format,
  layoutOf,
  rackOf,
  REPLICA_LAG_MAX_MS,
  upgradesOf,
} from './layout.ts'
import { SimNode } from './node.ts'
import { canSqueeze, squeeze } from './squeeze.ts'
import { type Moment, Strikes } from './strikes.ts'
import { canSucceed, succession } from './succession.ts'
import { Watch } from './watch.ts'

const DURATION_MS = 12_000
/** In which a cluster without faults has to be whole, and to serve. */
const RECOVERY_MS = 60_000

const FAULTS: readonly FaultName[] = [
  'kill',
  'kill',
  'power',
  'power',
  'power',
  'restart',
  'restart',
  'pause',
  'isolate',
  'isolate',
  'split',
  'bridge',
  'oneWay',
  'slow',
  'wall',
  'drift',
  'slowDisk',
  'syncError',
  'unreachable',
  'blackout',
]
const BAD_DISKS: readonly FaultName[] = ['rot', 'rot', 'rot', 'rot', 'rot', 'full']
const MOVES = ['move', 'move', 'move'] as const
const TRIMS = ['trim', 'trim'] as const
/** How often, in the end, one broker of a cluster that is whole falls silent, and for how long the others may need to do without it. */
const SILENCE = 0.25
const SILENCE_MS = 20_000
/** What ends a process without a clean shutdown, or takes data from a replica. */
const IS_UNCLEAN: ReadonlySet<FaultName> = new Set(['kill', 'power', 'syncError', 'rot', 'full', 'blackout'])
/** What takes no data. */
const IS_KILL: ReadonlySet<FaultName> = new Set(['kill', 'full'])

/** A whole cluster, of 1 to 7 nodes, with its clients, under every fault. */
export const clusterSimulation: Simulation = {
  name: 'cluster',
  seedsInTests: 4,
  run: (seed, trace) => new ClusterRun(seed, trace).run(),
}

class ClusterRun {
  readonly #trace: Trace
  readonly #world: SimWorld
  readonly #random: SimRandom
  readonly #layout: ClusterLayout
  readonly #nodes: readonly SimNode[]
  readonly #nemesis: Nemesis
  readonly #strikes: Strikes
  readonly #watch: Watch
  readonly #actors: Promise<unknown>[] = []
  readonly #admin = new AdminHistory()
  readonly #groups = new Map<SimTopic, GroupHistory>()
  #actorCount = 0
  #unsafeSinceMs = 0
  /** Faults have begun. */
  #isHarmed = false
  #isSqueezed = false
  /** Faults are over, and changes are to be: what is whole then stays so. */
  #isCalm = false
  #calmSinceMs = Infinity
  #isOver = false
  #failure: unknown

  constructor(seed: number, trace: Trace) {
    this.#trace = trace
    this.#world = new SimWorld({ seed, disk: { syncMsMax: 4 }, network: { delayMsMax: 2, cutChance: 0.05 } })
    trace.nowMs = () => this.#world.clock.monotonicMs()
    this.#random = this.#world.random.fork()
    this.#layout = layoutOf(this.#random)
    trace.note(JSON.stringify(this.#layout))
    this.#nodes = this.#layout.nodes.map((layout) => {
      const machine = this.#world.machine(layout.name)
      format(this.#layout, layout, machine, this.#random.fork())
      const onLog = (who: SimNode, message: string, fields: object) => this.#logged(who, message, fields)
      return new SimNode({ layout, config: configOf(this.#layout, layout) }, { machine, trace, onLog })
    })
    const mayBegin = (fault: FaultName, victim: Victim) => this.#mayBegin(fault, victim)
    const bystanders = () => Array.from({ length: this.#actorCount }, (_, i) => `client-${i}`)
    const deps = { world: this.#world, random: this.#random.fork(), trace, victims: this.#nodes, mayBegin, bystanders }
    const faults = this.#layout.hasBadDisks ? [...FAULTS, ...BAD_DISKS] : FAULTS
    this.#nemesis = new Nemesis({ faults, most: this.#random.between(1, 3) }, deps)
    const strike = (fault: FaultName, victim: Victim, leastMs: number): void => {
      if (this.#isHarmed && !this.#isSqueezed && !this.#isCalm) this.#nemesis.strike(fault, victim, leastMs)
    }
    this.#strikes = new Strikes({ nodes: this.#nodes }, { clock: this.#world.clock, random: this.#random, strike })
    this.#watch = new Watch(
      { brokers: this.#addresses() },
      this.#deps('watch', () => false),
    )
  }

  async run(): Promise<void> {
    for (const node of this.#nodes) node.start()
    const topics = [await this.#createTopic('one', 1), await this.#createTopic('three', 3)]
    this.#act('watch', () => this.#watch.run(() => this.#isOver))
    for (const topic of topics) this.#use(topic)
    this.#administrate(topics)
    await this.#harm()
    await this.#finish(topics)
  }

  #logged(node: SimNode, message: string, fields: object): void {
    this.#checked(() => this.#watch.hears(fields))
    this.#strikes.logged(node, message, fields)
  }

  #use(topic: SimTopic): void {
    for (const name of ['p', 'q']) this.#act(`${name}-${topic.name}`, (deps, who) => produce(who, topic, deps))
    for (const partition of topic.histories.keys()) {
      this.#act(`c-${topic.name}-${partition}`, (deps) =>
        consume(topic, partition, { ...deps, rack: this.#rack() }, () => this.#isOver),
      )
    }
    const group = { acknowledged: -1 }
    this.#groups.set(topic, group)
    this.#act(`g-${topic.name}`, (deps, who) => {
      const onAcknowledged = (): void => this.#strikes.acknowledged(deps.client.lastHost, 'committed')
      return commitOffsets(who, topic, group, { ...deps, onAcknowledged })
    })
  }

  #rack(): string {
    return this.#layout.hasRacks ? rackOf(this.#random.below(2)) : ''
  }

  #administrate(topics: readonly SimTopic[]): void {
    const { replicationFactor, nodes, hasTwoDirs, isTrimmed } = this.#layout
    const upgrades = upgradesOf(this.#layout)
    const brokerIds = nodes.filter(({ isBroker }) => isBroker).map(({ id }) => id)
    const moreWork = [...(hasTwoDirs ? MOVES : []), ...(isTrimmed ? TRIMS : [])]
    const options = { brokerIds, replicationFactor, topics, upgrades, moreWork }
    const isOver = () => this.#isCalm
    this.#act('admin', async (deps) => {
      await administrate(options, this.#admin, {
        ...deps,
        isOver,
        onAcknowledged: () => this.#strikes.decided(this.#watch.quorumLeader),
      })
      this.#calmSinceMs = this.#world.clock.monotonicMs()
    })
  }

  async #harm(): Promise<void> {
    this.#isHarmed = true
    const startMs = this.#world.clock.monotonicMs()
    const pace = this.#random.pick([300, 800, 2000])
    if (canSqueeze(this.#layout)) await this.#squeeze()
    else if (canSucceed(this.#layout)) await this.#succeed()
    while (this.#world.clock.monotonicMs() - startMs < DURATION_MS) {
      await this.#advance(this.#random.fraction() * pace)
      this.#nemesis.step()
    }
  }

  async #squeeze(): Promise<void> {
    const isWhole = () => this.#nemesis.activeCount === 0 && this.#unsafeSinceMs === 0 && this.#watch.isWholeSince(0)
    const deps = { random: this.#random, trace: this.#trace, isWhole, advance: (ms: number) => this.#advance(ms) }
    this.#isSqueezed = true
    if (await squeeze(this.#nodes, deps)) this.#unsafeSinceMs = this.#world.clock.monotonicMs()
    this.#isSqueezed = false
  }

  async #succeed(): Promise<void> {
    this.#isSqueezed = true
    for (let waits = 0; waits < 40 && !this.#watch.isWholeSince(0); waits++) await this.#advance(100)
    if (this.#watch.isWholeSince(0)) {
      const deps = { random: this.#random, network: this.#world.network, trace: this.#trace }
      const take = (what: Moment) => this.#strikes.take(what)
      await succession(this.#nodes, { ...deps, take, advance: (ms) => this.#advance(ms) })
    }
    this.#isSqueezed = false
  }

  /**
   * Where appends are not synced, one machine at a time may lose them, while all others have what is acknowledged. Until all have it again,
   * no other broker may end without a clean shutdown: of several that did, the last that led leads, whichever it is (KIP-966).
   */
  #mayBegin(fault: FaultName, victim: Victim): boolean {
    const isBroker = this.#layout.nodes.some(({ name, isBroker: is }) => is && name === victim.name)
    const isSafe = this.#layout.isSynced && !this.#layout.hasBadDisks
    if (fault === 'blackout') return isSafe
    if (!isBroker || isSafe || !IS_UNCLEAN.has(fault)) return true
    const isWhole = this.#watch.isWholeSince(this.#unsafeSinceMs)
    if (isWhole) this.#unsafeSinceMs = 0
    // Who has a damaged sector that nobody has come across yet finds it when it recovers, and lacks what is behind it.
    const isRotten = [...this.#nemesis.rotten.values()].includes(victim.name)
    if (IS_KILL.has(fault) && !isRotten) return this.#unsafeSinceMs === 0
    if (this.#nemesis.activeCount > 0 || !isWhole) return false
    this.#unsafeSinceMs = Infinity
    return true
  }

  async #finish(topics: readonly SimTopic[]): Promise<void> {
    this.#trace.note('-- all faults end')
    this.#isCalm = true
    this.#nemesis.end()
    const histories = topics.flatMap((topic) => topic.histories)
    await this.#recover(histories)
    if (this.#canSpareOne() && this.#random.chance(SILENCE)) {
      await this.#silence(histories)
      await this.#recover(histories)
    }
    this.#trace.note('-- the cluster is whole')
    this.#isOver = true
    await this.#world.clock.runFor(Promise.all(this.#actors), 30_000)
    this.#check()
    await this.#settle()
    await this.#checkAll(topics)
  }

  /**
   * Until the cluster is whole, all partitions take records, and consumers have come to those. A node whose orderly stop outlasts the
   * faults is still there, but on its way out: the cluster is whole when it has been started again.
   */
  async #recover(histories: readonly ClientHistory[]): Promise<void> {
    const startMs = this.#world.clock.monotonicMs()
    let sinceMs = startMs
    const [serves, reads] = [acknowledgesMore(histories), readsAll(histories)]
    while (!this.#watch.isWholeSince(Math.max(sinceMs, this.#calmSinceMs)) || !serves() || !reads()) {
      await this.#advance(100)
      const nowMs = this.#world.clock.monotonicMs()
      if (this.#nodes.some(({ isStopping }) => isStopping)) sinceMs = nowMs
      this.#nemesis.end()
      const missing = serves() ? (reads() ? 'replicas are not in sync' : 'consumers wait') : 'producers wait'
      hold(nowMs - startMs <= RECOVERY_MS, `after ${RECOVERY_MS} ms without faults, ${missing}`)
    }
  }

  #canSpareOne(): boolean {
    const { nodes, minInSyncReplicas, replicationFactor } = this.#layout
    const controllers = nodes.filter(({ isController }) => isController).length
    return controllers > 2 && replicationFactor > minInSyncReplicas
  }

  /** One broker stands still, and no connection of it breaks: the others do its work soon. */
  async #silence(histories: readonly ClientHistory[]): Promise<void> {
    const victim = this.#random.pick(this.#nodes.filter(({ layout }) => layout.isBroker))
    this.#trace.note('-- silence', victim.name)
    victim.machine.stopProcess()
    const untilMs = this.#world.clock.monotonicMs() + SILENCE_MS
    for (const serves = acknowledgesMore(histories, 2); !serves();) {
      await this.#advance(100)
      hold(this.#world.clock.monotonicMs() < untilMs, `producers wait for ${victim.name}, which is silent`)
    }
    this.#trace.note('-- end of silence', victim.name)
    victim.machine.continueProcess()
  }

  /** Until every replica has everything: one that lacks something would have left the ISR by then. */
  async #settle(): Promise<void> {
    const fromMs = this.#world.clock.monotonicMs() + 2 * REPLICA_LAG_MAX_MS
    let isSettled = false
    const watching = this.#watch.run(() => isSettled)
    while (!this.#watch.isWholeSince(fromMs)) {
      await this.#advance(100)
      hold(this.#world.clock.monotonicMs() - fromMs < RECOVERY_MS, `after ${RECOVERY_MS} ms replicas are not in sync`)
    }
    isSettled = true
    await this.#world.clock.runFor(watching)
  }

  async #checkAll(topics: readonly SimTopic[]): Promise<void> {
    const deps = this.#deps('reader', () => false)
    for (const topic of topics) {
      for (const [partition, history] of topic.histories.entries()) {
        const isEnd = (values: readonly string[], highWatermark: number) => values.length >= highWatermark
        const reading = consume(
          topic,
          partition,
          deps,
          (values, end) => isEnd(values, end) && end >= history.highWatermark,
        )
        history.checkAll(await this.#world.clock.runFor(reading))
        this.#trace.note(`${history.name}: ${history.acknowledgedCount} acknowledged, ends at ${history.highWatermark}`)
      }
    }
    for (const [topic, group] of this.#groups) {
      await this.#world.clock.runFor(checkGroup(`g-${topic.name}`, topic, group, deps))
    }
    for (const address of this.#addresses()) {
      await this.#world.clock.runFor(checkAdmin(this.#admin, { type: 'at', address }, deps))
    }
    const committed = await this.#world.clock.runFor(this.#watch.metadataEnd())
    await this.#world.clock.run(1000)
    for (const { machine } of this.#nodes) machine.kill()
    this.#checkDisks(topics)
    checkMetadata(committed, this.#disks(), deps.compute)
    this.#trace.note(`metadata: committed ${committed}`)
  }

  #checkDisks(topics: readonly SimTopic[]): void {
    const disks = this.#disks()
    for (const { name, histories } of topics) {
      const partitions = this.#watch.last?.topics.find((topic) => topic.name === name)?.partitions ?? []
      for (const { partitionIndex, replicaNodes } of partitions) {
        const replicas = replicaNodes.flatMap((id) => disks.filter((disk) => disk.name === `n${id}`))
        const partition = `${name}-${partitionIndex}`
        const rotten = this.#nemesis.rotten.get(partition)
        const { trimmedEnd = 0, highWatermark: endOffset = 0 } = histories[partitionIndex] ?? {}
        checkReplicas(partition, { trimmedEnd, endOffset }, replicas, rotten)
      }
    }
  }

  #disks(): NamedDisk[] {
    return this.#nodes.map(({ name, machine }) => ({ name, disk: machine.disk }))
  }

  #addresses() {
    const brokers = this.#layout.nodes.filter(({ isBroker }) => isBroker)
    return brokers.map(({ name }) => ({ host: name, port: BROKER_PORT }))
  }

  async #advance(ms: number): Promise<void> {
    await this.#world.clock.run(ms)
    this.#check()
    if (this.#unsafeSinceMs === Infinity && this.#nemesis.activeCount === 0) {
      this.#unsafeSinceMs = this.#world.clock.monotonicMs()
    }
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  #checked(check: () => void): void {
    try {
      check()
    } catch (error) {
      this.#failure ??= error
    }
  }

  #act(name: string, run: (deps: ActorDeps, name: string) => Promise<unknown>): void {
    const acting = run(
      this.#deps(name, () => this.#isOver),
      name,
    ).catch((error: unknown) => {
      this.#failure ??= error
    })
    this.#actors.push(acting)
  }

  #deps(name: string, isOver: () => boolean): ActorDeps {
    const env = this.#world.machine(`client-${this.#actorCount++}`).start()
    const random = this.#random.fork()
    const client = new SimClient({ name, bootstrap: this.#addresses() }, { env, random: random.fork() })
    const onAcknowledged = (): void => this.#strikes.acknowledged(client.lastHost, 'produced')
    return { client, random, compute: env.compute, trace: this.#trace, isOver, pauseMs: 400, rack: '', onAcknowledged }
  }

  async #createTopic(name: string, partitions: number): Promise<SimTopic> {
    const deps = this.#deps(`create-${name}`, () => false)
    const topic = await this.#world.clock.runFor(createTopic(name, partitions, this.#layout.replicationFactor, deps))
    return topic ?? { name, topicId: '', histories: [new ClientHistory(name)] }
  }
}
