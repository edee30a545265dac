import { parseProperties } from '../../../broker/config/properties.ts'
import { parseServerConfig, type ServerConfig } from '../../../broker/config/server-config.ts'
import type { Env } from '../../../broker/env/env.ts'
import { apiVersionsHandler } from '../../../broker/handlers/api-versions.ts'
import { ClusterView } from '../../../broker/handlers/cluster-view.ts'
import { deleteRecordsHandler } from '../../../broker/handlers/delete-records.ts'
import { fetchHandler } from '../../../broker/handlers/fetch.ts'
import type { Handler } from '../../../broker/handlers/handler.ts'
import { listOffsetsHandler } from '../../../broker/handlers/list-offsets.ts'
import { offsetForLeaderEpochHandler } from '../../../broker/handlers/offset-for-leader-epoch.ts'
import { AnswerBudget } from '../../../broker/lib/answer-budget.ts'
import { MetadataDelta } from '../../../broker/metadata/delta.ts'
import { MetadataImage } from '../../../broker/metadata/image.ts'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { APIS, type RequestOf } from '../../../broker/protocol/apis.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { MetadataRecord } from '../../../broker/protocol/metadata-record.ts'
import type { ControllerRequests } from '../../../broker/replication/controller-requests.ts'
import { type FetchedPartition } from '../../../broker/replication/fetch-read.ts'
import { fetch } from '../../../broker/replication/fetch.ts'
import { FetchSessions } from '../../../broker/replication/fetch-session.ts'
import type { Partition } from '../../../broker/replication/partition.ts'
import { produce } from '../../../broker/replication/produce.ts'
import { Replication } from '../../../broker/replication/replication.ts'
import type { RequestContext } from '../../../broker/security/request-context.ts'
import { servedApis } from '../../../broker/served-apis.ts'
import { ApiDispatcher } from '../../../broker/server/dispatch.ts'
import { SocketServer } from '../../../broker/server/server.ts'
import { LogManager } from '../../../broker/storage/log-manager.ts'
import { Metrics } from '../../../broker/telemetry/metrics.ts'
import { SimWorld, type SimMachine } from '../../fakes/env.ts'
import { MemoryLogger, silentLogger } from '../../fakes/logger.ts'
import { contextOf } from '../handlers/context.ts'
import { record, uuid } from '../metadata/records.ts'
import { FakeController, TOPIC, TOPIC_ID } from './fake-controller.ts'
import { batchOf, readAll, TEST_CONFIG } from '../storage/fixture.ts'
import { asking, finding, targetsOf } from './rig.ts'
import { DEFAULT_INTERVALS } from '../../../broker/storage/log-maintenance.ts'

const PORT = 9092
const WINDOW_MS = 60_000

const PROPERTIES = `
process.roles=broker,controller
controller.quorum.voters=1@broker:9093
controller.listener.names=CONTROLLER
log.index.size.max.bytes=12000
`

function configOf(id: number, more: string): ServerConfig {
  const listeners = `listeners=PLAINTEXT://b${id}:${PORT},CONTROLLER://b${id}:9093\n`
  const voters = id === 1 ? '' : `controller.quorum.voters=${id}@b${id}:9093\n`
  return parseServerConfig(parseProperties(`${PROPERTIES}node.id=${id}\n${voters}${listeners}${more}`)).config
}

/** One broker's data plane: logs, replication and the listener that the others fetch from. */
export class TestBroker implements AsyncDisposable {
  readonly id: number
  readonly env: Env
  readonly logs: LogManager
  readonly replication: Replication
  readonly logger = new MemoryLogger()
  readonly #controller: FakeController
  readonly #server: SocketServer
  #image = MetadataImage.EMPTY
  #applied: Promise<void> = Promise.resolve()

  private constructor(id: number, cluster: TestCluster, env: Env, logs: LogManager, config: ServerConfig) {
    this.id = id
    this.env = env
    this.logs = logs
    this.#controller = cluster.controller
    const { logger } = this
    const metrics = new Metrics({ withProcess: false }, env)
    const answers = new AnswerBudget()
    const requests = { request: (key: ApiKey, body: unknown) => cluster.ask(env, key, body) } as ControllerRequests
    const topics = {
      nameOf: (topicId: string) => this.#image.topicById(topicId)?.name,
      hasPartition: (topic: string, index: number) => this.#image.topic(topic)?.partitions[index] !== undefined,
    }
    this.replication = new Replication(
      { nodeId: id },
      {
        env,
        logger,
        metrics,
        logs,
        topics,
        server: () => config,
        image: () => this.#controller.image,
        controller: requests,
        brokerEpoch: () => id * 100,
        onLeader: () => {},
        onResigned: () => {},
      },
    )
    const { replicas, leaderThrottle, replicaSelector } = this.replication
    const view = (): ClusterView => new ClusterView(this.#image, { clusterId: uuid(1), controllerId: -1 })
    const deps = {
      clock: env.clock,
      metrics,
      replicas,
      leaderThrottle,
      replicaSelector,
      topicNames: topics,
      cluster: view,
    }
    const handlers: Handler<ApiKey>[] = [
      fetchHandler({
        ...deps,
        fetchMaxBytes: () => config.fetchMaxBytes,
        answers,
        fetchSessions: new FetchSessions({ slots: 100 }, env),
      }),
      listOffsetsHandler(deps),
      offsetForLeaderEpochHandler(deps),
      deleteRecordsHandler(deps),
    ]
    const served = (): (typeof APIS)[ApiKey][] => handlers.map(({ key }) => APIS[key])
    handlers.push(apiVersionsHandler({ served, features: () => ({ epoch: 1, supported: [], finalized: [] }) }))
    const readiness = { isReady: () => true, ready: Promise.resolve() }
    this.#server = new SocketServer(
      {
        maxFrameBytes: 1 << 26,
        maxIdleMs: -1,
        limits: { total: () => 1000, ofProcess: () => 1000, ofAddress: () => 1000, ofListener: () => Infinity },
      },
      { network: env.network, clock: env.clock, logger },
    )
    const dispatcher = new ApiDispatcher(servedApis(handlers, readiness), 'broker', {
      clock: env.clock,
      metrics,
      logger,
      answers,
    })
    void this.#server.listen({ name: 'PLAINTEXT', host: `b${id}`, port: PORT }, dispatcher)
    logs.onLogDirFailure((path) => this.replication.logDirFailed(path))
    this.#controller.subscribe(id, (image) => this.#follow(image))
  }

  static async start(id: number, cluster: TestCluster, env: Env, more: string): Promise<TestBroker> {
    const config = configOf(id, more)
    const logs = await LogManager.open(
      {
        logDirs: ['/data', '/more'],
        clusterId: uuid(1),
        nodeId: id,
        defaults: TEST_CONFIG,
        recoveryThreadsPerDataDir: 1,
        producerIdExpirationMs: () => 86_400_000,
        tailCacheBytes: 1 << 20,
        intervals: DEFAULT_INTERVALS,
      },
      { ...env, logger: silentLogger() },
    )
    return new TestBroker(id, cluster, env, logs, config)
  }

  #follow(image: MetadataImage): void {
    this.#applied = this.#applied.then(async () => {
      await this.replication.publisher.apply(deltaBetween(this.#image, image), image)
      this.#image = image
    })
  }

  partition(index = 0): Partition {
    const partition = this.replication.replicas.get(TOPIC, index)
    if (partition === undefined) throw new Error(`broker ${this.id} has no partition ${index}`)
    return partition
  }

  /** Appends one batch with acks=all; its outcome when it is committed. */
  async produce(values: readonly string[], index = 0, timeoutMs = 30_000): Promise<ErrorCode> {
    const found = this.replication.replicas.find(TOPIC, index)
    const [outcome] = await produce([{ partition: found, records: batchOf({ values }) }], -1, timeoutMs, this.env.clock)
    return outcome?.error ?? ErrorCode.UNKNOWN_SERVER_ERROR
  }

  /** Deletes what lies before `offset`, as a client asks for it. */
  async deleteRecords(offset: number, context: Partial<RequestContext> = {}): Promise<unknown> {
    const handler = deleteRecordsHandler({ clock: this.env.clock, replicas: this.replication.replicas })
    const partitions = [{ partitionIndex: 0, offset: BigInt(offset) }]
    const answer = await handler.handle({ topics: [{ name: TOPIC, partitions }], timeoutMs: 5000 }, contextOf(context))
    return answer === 'none' || answer === 'close' ? answer : answer.topics?.[0]?.partitions?.[0]
  }

  /** What a consumer gets that fetches at `offset`. */
  async read(offset: number): Promise<FetchedPartition | undefined> {
    const wanted = [asking({ partition: this.replication.replicas.find(TOPIC, 0), fetchOffset: offset })]
    const limits = { minBytes: 1, maxBytes: 1 << 20, maxWaitMs: 0, readCommitted: false }
    const deps = { clock: this.env.clock, find: finding(wanted) }
    const [fetched] = (await fetch(targetsOf(wanted), limits, deps, () => {})).values()
    return fetched
  }

  /** Turns a bit of the first record with this value in the file. */
  damage(value: string): void {
    const path = `${this.partition().log.directory}/00000000000000000000.log`
    const content = this.env.disk.readFile(path)
    const at = Buffer.from(content).indexOf(Buffer.from([value.length << 1, ...Buffer.from(value), 0])) + 1
    const file = this.env.disk.open(path, 'open')
    file.write([Uint8Array.of((content[at] ?? 0) ^ 1)], at)
    file.close()
  }

  /** All records of the log, committed or not. */
  values(index = 0): Promise<string[]> {
    return readAll(this.partition(index).log)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#controller.unsubscribe(this.id)
    this.replication[Symbol.dispose]()
    await this.#server[Symbol.asyncDispose]()
    await this.logs.shutdown()
  }
}

/** A delta that names what differs: the test brokers are not told records, but images. */
function deltaBetween(before: MetadataImage, after: MetadataImage): MetadataDelta {
  const delta = new MetadataDelta(before)
  const topic = after.topic(TOPIC)
  if (topic === undefined) {
    if (before.topic(TOPIC) !== undefined) delta.replay(record('RemoveTopicRecord', { topicId: TOPIC_ID }))
    return delta
  }
  if (before.topic(TOPIC) === undefined) delta.replay(record('TopicRecord', { name: TOPIC, topicId: TOPIC_ID }))
  for (const partition of topic.partitions) {
    if (before.partition(TOPIC_ID, partition.index) === partition) continue
    const { index, eligibleLeaderReplicas: _, lastKnownElr: __, ...rest } = partition
    const value = { ...rest, partitionId: index, topicId: TOPIC_ID } as never
    delta.replay(record('PartitionRecord', value, 1))
  }
  return delta
}

/** Brokers that replicate to each other over a simulated network, under a controller that the test plays. */
export class TestCluster {
  readonly world: SimWorld
  readonly controller = new FakeController()
  readonly brokers = new Map<number, TestBroker>()
  readonly #machines = new Map<number, SimMachine>()
  readonly #properties: string

  constructor(seed = 1, properties = '') {
    this.world = new SimWorld({ seed })
    this.#properties = properties
  }

  /** Brokers 1 to `count`, and the topic with partitions whose leader is the first of `replicas`. */
  static async start(count: number, options: { seed?: number; properties?: string } = {}): Promise<TestCluster> {
    const cluster = new TestCluster(options.seed, options.properties)
    for (let id = 1; id <= count; id++) {
      cluster.controller.write(registration(id), record('UnfenceBrokerRecord', { id, epoch: BigInt(id * 100) }))
      await cluster.boot(id)
    }
    return cluster
  }

  createTopic(replicas: readonly number[], partitions = 1): void {
    this.controller.write(
      record('TopicRecord', { name: TOPIC, topicId: TOPIC_ID }),
      ...Array.from({ length: partitions }, (_, partitionId) =>
        record(
          'PartitionRecord',
          {
            partitionId,
            topicId: TOPIC_ID,
            replicas: [...replicas],
            isr: [...replicas],
            leader: replicas[0] ?? -1,
            leaderEpoch: 0,
            partitionEpoch: 0,
            directories: replicas.map(() => uuid(0)),
          },
          2,
        ),
      ),
    )
  }

  deleteTopic(): void {
    this.controller.write(record('RemoveTopicRecord', { topicId: TOPIC_ID }))
  }

  async boot(id: number): Promise<TestBroker> {
    const machine = this.#machines.get(id) ?? this.#install(id)
    const env = machine.start()
    const broker = await this.world.clock.runFor(TestBroker.start(id, this, env, this.#properties), WINDOW_MS)
    this.brokers.set(id, broker)
    return broker
  }

  /** As after `format`: the log dir is there, and would be after a power loss. */
  #install(id: number): SimMachine {
    const machine = this.world.machine(`b${id}`)
    for (const path of ['/data', '/more']) machine.disk.makeDirectory(path)
    machine.disk.syncDirectory('/')
    this.#machines.set(id, machine)
    return machine
  }

  diskOf(id: number): SimMachine['disk'] {
    const machine = this.#machines.get(id)
    if (machine === undefined) throw new Error(`there is no machine ${id}`)
    return machine.disk
  }

  /** kill -9. */
  kill(id: number): void {
    this.controller.unsubscribe(id)
    this.#machines.get(id)?.kill()
    this.brokers.delete(id)
  }

  /** The machine's power is gone, and with it what was not synced. */
  losePower(id: number): void {
    this.controller.unsubscribe(id)
    this.#machines.get(id)?.losePower()
    this.brokers.delete(id)
  }

  fence(id: number): void {
    this.controller.write(record('FenceBrokerRecord', { id, epoch: BigInt(id * 100) }))
  }

  unfence(id: number): void {
    this.controller.write(record('UnfenceBrokerRecord', { id, epoch: BigInt(id * 100) }))
  }

  broker(id: number): TestBroker {
    const broker = this.brokers.get(id)
    if (broker === undefined) throw new Error(`broker ${id} does not run`)
    return broker
  }

  run(ms: number): Promise<void> {
    return this.world.clock.run(ms)
  }

  until<T>(promise: Promise<T>, limitMs = WINDOW_MS): Promise<T> {
    return this.world.clock.runFor(promise, limitMs)
  }

  /** The controller's answer, after the time of a network. */
  ask(env: Env, key: ApiKey, body: unknown): Promise<unknown> {
    return new Promise((resolve, reject) =>
      env.clock.setTimer(1, () => {
        if (key === ApiKey.AssignReplicasToDirs)
          resolve(this.controller.assignReplicasToDirs(body as RequestOf<typeof ApiKey.AssignReplicasToDirs>))
        else if (key !== ApiKey.AlterPartition) reject(new Error(`the fake controller does not serve API ${key}`))
        else resolve(this.controller.alterPartition(body as RequestOf<typeof ApiKey.AlterPartition>))
      }),
    )
  }
}

function registration(id: number): MetadataRecord {
  return record(
    'RegisterBrokerRecord',
    {
      brokerId: id,
      incarnationId: uuid(id),
      brokerEpoch: BigInt(id * 100),
      endPoints: [{ name: 'PLAINTEXT', host: `b${id}`, port: PORT, securityProtocol: 0 }],
      features: [],
      rack: `rack-${id}`,
      fenced: true,
      logDirs: [uuid(id)],
    },
    4,
  )
}
