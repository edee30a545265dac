import { Broker } from '../../broker/broker.ts'
import { parseProperties } from '../../broker/config/properties.ts'
import { parseServerConfig } from '../../broker/config/server-config.ts'
import type { ServerConfig } from '../../broker/config/server-config.ts'
import { ApiKey } from '../../broker/protocol/api-key.ts'
import { ErrorCode } from '../../broker/protocol/errors.ts'
import { writeMetaProperties } from '../../broker/storage/meta-properties.ts'
import type { SimMachine } from '../fakes/env.ts'
import { SimWorld } from '../fakes/env.ts'
import { MemoryLogger } from '../fakes/logger.ts'
import type { SimRandom } from '../fakes/random.ts'
import { consume, produce } from './broker-actors.ts'
import type { ActorDeps, SimTopic } from './broker-actors.ts'
import { ClientHistory } from './broker-history.ts'
import { SimClient } from './client.ts'
import { checkGroup, commitOffsets, type GroupHistory } from './group-actors.ts'
import { hold } from './history.ts'
import type { Simulation, Trace } from './simulation.ts'

const ADDRESS = { host: 'broker', port: 9092 }
const ROUNDS = 4
const PROPERTIES = `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@broker:9093
listeners=PLAINTEXT://0.0.0.0:9092,CONTROLLER://0.0.0.0:9093
advertised.listeners=PLAINTEXT://broker:9092
controller.listener.names=CONTROLLER
log.dirs=/disk/a,/disk/b
log.flush.interval.messages=1
log.segment.bytes=1048576
log.index.size.max.bytes=4096
offsets.topic.num.partitions=2
offsets.topic.replication.factor=1
auto.create.topics.enable=false
metadata.log.max.record.bytes.between.snapshots=2000
group.initial.rebalance.delay.ms=0
`

/** A whole broker with its clients, while its process is killed and its machine loses power. */
export const brokerSimulation: Simulation = {
  name: 'broker',
  seedsInTests: 6,
  run: (seed, trace) => new BrokerRun(seed, trace).run(),
}

class BrokerRun {
  readonly #trace: Trace
  readonly #world: SimWorld
  readonly #random: SimRandom
  readonly #machine: SimMachine
  readonly #config: ServerConfig
  readonly #logger = new MemoryLogger()
  readonly #actors: Promise<unknown>[] = []
  readonly #groups = new Map<SimTopic, GroupHistory>()
  #broker: Broker | undefined
  #isOver = false
  #failure: unknown

  constructor(seed: number, trace: Trace) {
    this.#trace = trace
    this.#world = new SimWorld({ seed, disk: { syncMsMax: 4 }, network: { delayMsMax: 2, breakChance: 0.002 } })
    trace.nowMs = () => this.#world.clock.monotonicMs()
    this.#random = this.#world.random.fork()
    this.#machine = this.#world.machine('broker')
    this.#config = parseServerConfig(parseProperties(PROPERTIES)).config
    this.#format()
  }

  async run(): Promise<void> {
    await this.#start()
    const topics = [await this.#createTopic('one', 1), await this.#createTopic('three', 3)]
    for (const topic of topics) {
      for (const name of ['p', 'q']) this.#act((deps) => produce(`${name}-${topic.name}`, topic, deps))
      for (const partition of topic.histories.keys()) this.#act((deps) => consume(topic, partition, deps, () => false))
      const group = { acknowledged: -1 }
      this.#groups.set(topic, group)
      this.#act((deps) => commitOffsets(`group-${topic.name}`, topic, group, deps))
    }
    for (let round = 0; round < ROUNDS; round++) await this.#round(round)
    await this.#finish(topics)
  }

  async #round(round: number): Promise<void> {
    await this.#advance(this.#random.between(50, 1500))
    const fate = this.#random.pick(['kill', 'power', 'power', 'restart'] as const)
    const before = await this.#metadata()
    if (fate === 'restart') await this.#stop()
    else if (fate === 'kill') this.#machine.kill()
    else this.#machine.losePower()
    this.#trace.note(`round ${round}: ${fate}`)
    await this.#advance(this.#random.between(0, 300))
    await this.#start()
    const after = await this.#metadata()
    hold(before === after, `metadata before a ${fate}: ${before}\n  and behind it: ${after}`)
    await this.#createTopic(`round-${round}`, 2)
  }

  /** Ends the actors, restarts once more and reads every partition to its end. */
  async #finish(topics: readonly SimTopic[]): Promise<void> {
    await this.#advance(200)
    this.#isOver = true
    await this.#world.clock.runFor(Promise.all(this.#actors), 120_000)
    this.#check()
    await this.#stop()
    await this.#start()
    const deps = this.#deps('reader', () => false)
    for (const topic of topics) {
      for (const [partition, history] of topic.histories.entries()) {
        const reading = consume(topic, partition, deps, (values, highWatermark) => values.length === highWatermark)
        history.checkAll(await this.#world.clock.runFor(reading))
        this.#trace.note(`${history.name}: ${history.acknowledgedCount} acknowledged, ends at ${history.highWatermark}`)
      }
    }
    for (const [topic, group] of this.#groups)
      await this.#world.clock.runFor(checkGroup(`group-${topic.name}`, topic, group, deps))
    await this.#stop()
  }

  #format(): void {
    const { disk } = this.#machine
    for (const [index, path] of this.#config.logDirs.entries()) {
      disk.makeDirectory(path)
      const directoryId = Buffer.from(`directory-${index}-abcd`).toString('base64url')
      writeMetaProperties(disk, path, { clusterId: 'simulation', nodeId: 1, directoryId })
    }
    for (const path of ['/', '/disk']) disk.syncDirectory(path)
  }

  async #start(): Promise<void> {
    const env = this.#machine.start()
    const deps = { env, logger: this.#logger, withProcessMetrics: false, idleRatio: () => 1 }
    this.#broker = await this.#world.clock.runFor(Broker.start({ config: this.#config, hostName: 'broker' }, deps))
  }

  async #stop(): Promise<void> {
    const broker = this.#broker
    hold(broker !== undefined, 'the broker runs')
    await this.#world.clock.runFor(broker[Symbol.asyncDispose]())
    this.#machine.kill()
  }

  async #advance(ms: number): Promise<void> {
    await this.#world.clock.run(ms)
    this.#check()
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  #act(run: (deps: ActorDeps) => Promise<unknown>): void {
    const name = `actor-${this.#actors.length}`
    const acting = run(this.#deps(name, () => this.#isOver)).catch((error: unknown) => {
      this.#failure ??= error
    })
    this.#actors.push(acting)
  }

  #deps(name: string, isOver: () => boolean): ActorDeps {
    const env = this.#world.machine(name).start()
    const random = this.#random.fork()
    const client = new SimClient({ name, bootstrap: [ADDRESS] }, { env, random: random.fork() })
    return {
      client,
      random,
      compute: env.compute,
      trace: this.#trace,
      isOver,
      pauseMs: 100,
      rack: '',
      onAcknowledged: () => {},
    }
  }

  async #createTopic(name: string, partitions: number): Promise<SimTopic> {
    const { client } = this.#deps(`admin-${name}`, () => false)
    const topic = {
      name,
      numPartitions: partitions,
      replicationFactor: 1,
      assignments: [],
      configs: [{ name: 'retention.ms', value: String(1_000_000 + this.#random.below(1000)) }],
    }
    const body = { topics: [topic], timeoutMs: 1000, validateOnly: false }
    const settled: ReadonlySet<number> = new Set([ErrorCode.NONE, ErrorCode.TOPIC_ALREADY_EXISTS])
    const creating = client.insist(
      ApiKey.CreateTopics,
      body,
      ({ topics }) => settled.has(topics[0]?.errorCode ?? -1),
      () => false,
    )
    await this.#world.clock.runFor(creating)
    const asking = client.insist(
      ApiKey.Metadata,
      { topics: [{ name }], allowAutoTopicCreation: false },
      ({ topics }) => topics[0]?.errorCode === ErrorCode.NONE,
      () => false,
    )
    const topicId = (await this.#world.clock.runFor(asking))?.topics[0]?.topicId ?? ''
    client.close()
    const histories = Array.from({ length: partitions }, (_, i) => new ClientHistory(`${name}-${i}`))
    this.#trace.note(`created ${name} ${topicId}`)
    return { name, topicId, histories }
  }

  /** Topics and their settings, as clients see them. */
  async #metadata(): Promise<string> {
    const { client } = this.#deps('observer', () => false)
    const body = { topics: null, allowAutoTopicCreation: false }
    const asking = client.insist(
      ApiKey.Metadata,
      body,
      ({ topics }) => topics.every(({ errorCode }) => errorCode === 0),
      () => false,
    )
    const all = (await this.#world.clock.runFor(asking))?.topics ?? []
    // Internal topics come when they are needed, also just now.
    const topics = all.filter(({ isInternal }) => !isInternal)
    const resources = topics.map(({ name }) => ({
      resourceType: 2,
      resourceName: name ?? '',
      configurationKeys: ['retention.ms'],
    }))
    const describing = client.insist(
      ApiKey.DescribeConfigs,
      { resources },
      () => true,
      () => false,
    )
    const configs = (await this.#world.clock.runFor(describing))?.results ?? []
    client.close()
    const lines = topics.map(({ name, topicId, partitions }) => `${name} ${topicId} ${partitions.length}`)
    const settings = configs.map(({ resourceName, configs: found }) => `${resourceName} ${found[0]?.value}`)
    return [...lines, ...settings].sort().join('; ')
  }
}
