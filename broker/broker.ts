import { ConfigError } from './config/config-error.ts'
import type { Endpoint } from './config/endpoint.ts'
import type { ServerConfig } from './config/server-config.ts'
import { controllerParts, type ControllerParts } from './controller-parts.ts'
import { GroupCoordinator } from './coordinator/group/group-coordinator.ts'
import { ProducerIds } from './coordinator/producer-ids.ts'
import { CurrentConfig } from './current-config.ts'
import type { Env } from './env/env.ts'
import type { Listener } from './env/network.ts'
import { gaugeSources } from './gauges.ts'
import { AutoTopics, OFFSETS_TOPIC } from './handlers/auto-topics.ts'
import { ClusterView } from './handlers/cluster-view.ts'
import { type HandlerDeps, handlersFor } from './handlers/index.ts'
import { randomUuid } from './lib/uuid.ts'
import { logManagerOptions } from './log-settings.ts'
import { openListeners } from './open-listeners.ts'
import type { MetadataDelta } from './metadata/delta.ts'
import { MetadataImage } from './metadata/image.ts'
import { ErrorCode } from './protocol/errors.ts'
import { controllerRegistrationOf, featureLevels, registrationOf } from './registration.ts'
import { FetchSessions } from './replication/fetch-session.ts'
import { InternalTopic } from './replication/internal-topic.ts'
import { BrokerLifecycle } from './replication/lifecycle.ts'
import type { MetadataPublisher } from './replication/metadata-publisher.ts'
import type { ReplicaManager, TopicDirectory } from './replication/replica-manager.ts'
import { Replication } from './replication/replication.ts'
import type { SocketServer } from './server/server.ts'
import { StorageError } from './storage/errors.ts'
import { LogManager } from './storage/log-manager.ts'
import { readMetaProperties } from './storage/meta-properties.ts'
import { httpResponder } from './telemetry/http-responder.ts'
import { registerKafkaGauges } from './telemetry/kafka-gauges.ts'
import type { Logger } from './telemetry/logger.ts'
import { Metrics } from './telemetry/metrics.ts'

export interface BrokerOptions {
  readonly config: ServerConfig
  /** What a listener without a host is advertised as. */
  readonly hostName: string
}

export interface BrokerDeps {
  readonly env: Env
  readonly logger: Logger
  readonly withProcessMetrics: boolean
  /** The part of the time, 0 to 1, in which the event loop had nothing to do. */
  readonly idleRatio: () => number
}

/** How long the shutdown waits for the controller to let this broker go. */
const CONTROLLED_SHUTDOWN_MS = 30_000

/** One node, controller and broker in one: the parts, and how they hang together. */
export class Broker implements AsyncDisposable {
  readonly #config: ServerConfig
  readonly #hostName: string
  readonly #deps: BrokerDeps
  readonly #current: CurrentConfig
  readonly #metrics: Metrics
  readonly #cleanup = new AsyncDisposableStack()
  readonly #ready = Promise.withResolvers<void>()
  readonly #failed = Promise.withResolvers<void>()
  readonly #ports = new Map<string, number>()
  #isReady = false
  #isStopping = false
  /** What this broker acts on: the last image that its replicas follow. */
  #image = MetadataImage.EMPTY
  #applied: Promise<void> = Promise.resolve()
  #lifecycle: BrokerLifecycle | undefined

  private constructor({ config, hostName }: BrokerOptions, deps: BrokerDeps) {
    this.#config = config
    this.#hostName = hostName
    this.#deps = deps
    this.#current = new CurrentConfig({ config }, deps)
    this.#metrics = new Metrics({ withProcess: deps.withProcessMetrics }, deps.env)
    this.#cleanup.defer(() => this.#metrics.close())
  }

  /**
   * Resolves when clients are served. Rejects with ConfigError where the node has but one role, with StorageError where the data directories are not usable or not formatted, QuorumError
   * where the metadata quorum is not, and with the system's error where a port is taken.
   */
  static async start(options: BrokerOptions, deps: BrokerDeps): Promise<Broker> {
    const broker = new Broker(options, deps)
    try {
      await broker.#open()
      return broker
    } catch (error) {
      await broker[Symbol.asyncDispose]()
      throw error
    }
  }

  /** The port of a listener: the one that was given to it where it asked for port 0. */
  port(listener: string): number | undefined {
    return this.#ports.get(listener)
  }

  /** Calls `failed` when this broker has lost what it cannot go on without. */
  onFailed(failed: () => void): void {
    void this.#failed.promise.then(failed)
  }

  async #open(): Promise<void> {
    checkRoles(this.#config)
    await this.#openMetrics()
    const { env, logger } = this.#deps
    const { clusterId, directoryId } = identityOf(this.#config, env)
    const logs = await LogManager.open(logManagerOptions(this.#config, clusterId), { ...env, logger })
    this.#cleanup.defer(() => logs.shutdown(this.#lifecycle?.epoch))
    const parts = await this.#openController(clusterId, directoryId)
    const handlers = this.#services(clusterId, parts, logs)
    const server = await this.#listen(handlers)
    registerKafkaGauges(this.#metrics, gaugeSources({ ...handlers, ...this.#gaugeParts(parts, server) }))
    await parts.start()
    await this.#join(clusterId, parts, logs)
    this.#isReady = true
    this.#ready.resolve()
    logger.info({ nodeId: this.#config.nodeId, clusterId, listeners: Object.fromEntries(this.#ports) }, 'started')
  }

  async #openMetrics(): Promise<void> {
    const { metricsListen } = this.#config
    if (metricsListen === null) return
    const health = {
      unhealthy: () => null,
      notReady: () => (this.#isReady ? null : 'the broker is starting or stopping'),
    }
    const listener: Listener = await this.#deps.env.http.serve(
      metricsListen,
      httpResponder({ metrics: this.#metrics, health }),
    )
    this.#cleanup.defer(() => listener.close())
    this.#ports.set('metrics', listener.address.port)
  }

  async #openController(clusterId: string, directoryId: string): Promise<ControllerParts> {
    const endpoints = this.#controllerEndpoints()
    const onFailed = (error: unknown): void => this.#fail(error)
    const parts = await controllerParts(
      { config: this.#config, clusterId, directoryId, endpoints },
      { ...this.#deps, server: () => this.#current.value, onFailed },
    )
    this.#cleanup.defer(() => parts.raft.close())
    return parts
  }

  #controllerEndpoints(): Endpoint[] {
    const isController = ({ name }: Endpoint): boolean => this.#config.controllerListenerNames.includes(name)
    return this.#config.listeners.filter(isController).map((endpoint) => this.#reachable(endpoint))
  }

  #fail(error: unknown): void {
    if (this.#isStopping) return
    this.#deps.logger.error({ err: error }, 'the broker cannot go on')
    this.#failed.resolve()
  }

  #reachable(endpoint: Endpoint): Endpoint {
    const port = endpoint.port === 0 ? (this.#ports.get(endpoint.name) ?? 0) : endpoint.port
    return { ...endpoint, host: endpoint.host === '' ? this.#hostName : endpoint.host, port }
  }

  /** The data plane, following the metadata log from here on. */
  #services(clusterId: string, { controller, loader, raft }: ControllerParts, logs: LogManager): HandlerDeps {
    const { env, logger } = this.#deps
    const { nodeId } = this.#config
    const image = (): MetadataImage => this.#image
    const server = (): ServerConfig => this.#current.value
    const settled = (): Promise<void> => this.#applied
    const topicNames: TopicDirectory = {
      nameOf: (topicId) => image().topicById(topicId)?.name,
      hasPartition: (topic, index) => image().topic(topic)?.partitions[index] !== undefined,
    }
    const replication = new Replication(
      { nodeId },
      {
        env,
        logger,
        logs,
        server,
        metrics: this.#metrics,
        image: () => loader.image,
        topics: topicNames,
        controller: { request: () => Promise.reject(new Error('no controller can be reached')) },
        brokerEpoch: () => this.#lifecycle?.epoch ?? -1,
        onLeader: ({ log, state }) =>
          void (log.topic === OFFSETS_TOPIC && groups.onLoad(log.partition, state.leaderEpoch)),
        onResigned: (topic, index) => void (topic === OFFSETS_TOPIC && groups.onUnload(index)),
      },
    )
    this.#cleanup.use(replication)
    const { replicas, publisher } = replication
    const groups = this.#groups(replicas)
    loader.subscribe((delta, next) => this.#follow(publisher, groups, delta, next))
    logs.onLogDirFailure(({ path }) => this.#logDirFailed(path, replication, logs))
    const autoTopics = new AutoTopics({ controller, server, settled, logger })
    const cluster = (): ClusterView =>
      new ClusterView(image(), { clusterId, controllerId: raft.leaderAndEpoch.leaderId })
    return {
      nodeId,
      clock: env.clock,
      server,
      image,
      cluster,
      features: () => featureLevels(image(), raft.kraftVersion),
      controller,
      quorum: () => raft.quorumInfo(),
      settled,
      logs,
      replicas,
      leaderThrottle: replication.leaderThrottle,
      replicaSelector: replication.replicaSelector,
      fetchSessions: new FetchSessions({ slots: this.#config.maxIncrementalFetchSessionCacheSlots }, env),
      topicNames,
      groups,
      coordinators: {
        ofGroup: (groupId, listener) =>
          this.#coordinatorOf(groups.partitionFor(groupId), listener, cluster, autoTopics),
      },
      producerIds: new ProducerIds({ allocate: () => this.#allocateProducerIds(controller) }),
      autoTopics,
      metrics: this.#metrics,
      newUuid: () => randomUuid(env.random),
    }
  }

  #groups(replicas: ReplicaManager): GroupCoordinator {
    const { env, logger } = this.#deps
    const image = (): MetadataImage => this.#image
    const partitionCount = (): number =>
      image().topic(OFFSETS_TOPIC)?.partitions.length ?? this.#config.offsetsTopicNumPartitions
    const appender = new InternalTopic(
      { topic: OFFSETS_TOPIC, timeoutMs: this.#config.offsetsCommitTimeoutMs },
      { replicas, clock: env.clock, partitionCount },
    )
    const topics = {
      nameOf: (topicId: string) => image().topicById(topicId)?.name,
      idOf: (name: string) => image().topic(name)?.id,
      exists: (name: string, partition: number) => image().topic(name)?.partitions[partition] !== undefined,
    }
    const groups = new GroupCoordinator(this.#config, { appender, topics, logger, ...env })
    groups.open()
    this.#cleanup.use(groups)
    return groups
  }

  /** One image after the other: replicas are opened and closed in the order of the log. */
  #follow(publisher: MetadataPublisher, groups: GroupCoordinator, delta: MetadataDelta, next: MetadataImage): void {
    this.#applied = this.#applied.then(async () => {
      const reconfigured = this.#current.apply(delta, next)
      await publisher.apply(delta, next)
      if (reconfigured) publisher.reconfigure(next)
      this.#image = next
      const deleted = [...delta.topics.deleted.values()].map(({ name, id }) => ({ name, topicId: id }))
      for (const { name } of deleted) this.#metrics.removeTopic(name)
      if (deleted.length > 0) await groups.onTopicsDeleted(deleted)
    })
    this.#applied.catch((error: unknown) => this.#fail(error))
  }

  #logDirFailed(path: string, replication: Replication, logs: LogManager): void {
    replication.logDirFailed(path)
    if (path === this.#config.metadataLogDir || logs.directories().every(({ online }) => !online)) {
      this.#fail(
        new StorageError(
          'KAFKA_STORAGE_ERROR',
          `log dir ${path} has failed, and it holds what the broker cannot run without`,
        ),
      )
    }
  }

  async #coordinatorOf(partition: number, listener: string, cluster: () => ClusterView, autoTopics: AutoTopics) {
    if (cluster().topic(OFFSETS_TOPIC) === undefined) await autoTopics.createOffsetsTopic()
    const view = cluster()
    const leader = view.topic(OFFSETS_TOPIC)?.partitions[partition]?.leader
    return leader === undefined ? undefined : view.endpoint(leader, listener)
  }

  async #allocateProducerIds(controller: ControllerParts['controller']) {
    const brokerEpoch = BigInt(this.#lifecycle?.epoch ?? -1)
    const answer = await controller.allocateProducerIds({ brokerId: this.#config.nodeId, brokerEpoch })
    if (answer.errorCode !== ErrorCode.NONE)
      throw new Error(`the controller gave no producer ids: error ${answer.errorCode}`)
    return { first: Number(answer.producerIdStart), size: answer.producerIdLen ?? 0 }
  }

  async #listen(handlers: HandlerDeps): Promise<SocketServer> {
    const readiness = { isReady: () => this.#isReady, ready: this.#ready.promise }
    const server = await openListeners(
      this.#config,
      { ...this.#deps, metrics: this.#metrics, readiness, handlers: (kind) => handlersFor(kind, handlers) },
      this.#ports,
    )
    this.#cleanup.use(server)
    return server
  }

  #gaugeParts({ raft }: ControllerParts, server: SocketServer) {
    return {
      listeners: this.#config.listeners.map(({ name }) => name),
      server,
      raft: () => ({
        state: raft.leaderAndEpoch.leaderId === this.#config.nodeId ? 'leader' : 'unattached',
        leaderId: raft.leaderAndEpoch.leaderId,
        epoch: raft.leaderAndEpoch.epoch,
        highWatermark: raft.highWatermark,
        logEndOffset: raft.nextOffset,
      }),
      idleRatio: this.#deps.idleRatio,
    }
  }

  /** Registers with the controller, and sets aside what the cluster does not know of before clients come. */
  async #join(clusterId: string, { controller, loader }: ControllerParts, logs: LogManager): Promise<void> {
    const { env, logger } = this.#deps
    await this.#applied
    logs.setAsideStrays((log) => loader.image.topic(log.topic)?.id !== log.topicId && log.topicId !== null)
    const incarnationId = randomUuid(env.random)
    const registration = registrationOf({
      config: this.#config,
      clusterId,
      incarnationId,
      logDirs: logs.directories().flatMap(({ id, online }) => (online && id !== null ? [id] : [])),
      previousBrokerEpoch: logs.brokerEpochAtShutdown,
      image: loader.image,
      advertised: (endpoint) => this.#reachable(endpoint),
    })
    this.#lifecycle = new BrokerLifecycle(
      { registration, heartbeatIntervalMs: this.#config.brokerHeartbeatIntervalMs },
      {
        controller,
        clock: env.clock,
        logger,
        metadataOffset: () => this.#image.provenance.offset,
        offlineLogDirs: () => logs.directories().flatMap(({ id, online }) => (!online && id !== null ? [id] : [])),
      },
    )
    const { image } = loader
    const self = controllerRegistrationOf({
      config: this.#config,
      incarnationId,
      image,
      endpoints: this.#controllerEndpoints(),
    })
    await Promise.all([controller.registerController(self), this.#lifecycle.start()])
    await this.#applied
  }

  /** Leaves the cluster in order, then closes everything; what is acknowledged is on disk, and the shutdown is marked clean. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isReady = false
    this.#isStopping = true
    await this.#lifecycle?.controlledShutdown(CONTROLLED_SHUTDOWN_MS)
    await this.#cleanup.disposeAsync()
  }
}

/** Throws ConfigError for a node with one role: it would need others to run. */
function checkRoles({ isBroker, isController, processRoles }: ServerConfig): void {
  if (isBroker && isController) return
  const value = processRoles.join(',')
  const message = `Invalid value ${value} for configuration process.roles: only broker,controller is supported, both roles in one node`
  throw new ConfigError([{ key: 'process.roles', value, message }])
}

/** Which cluster the data is of, and the directory that holds the metadata log. Throws StorageError where it was never formatted. */
function identityOf(config: ServerConfig, { disk }: Env): { clusterId: string; directoryId: string } {
  const meta = readMetaProperties(disk, config.metadataLogDir)
  if (meta === null || meta.directoryId === undefined) {
    throw new StorageError(
      'KAFKA_STORAGE_ERROR',
      `No readable meta.properties in ${config.metadataLogDir}: format it first, with \`npm run -s format -- -t $(npm run -s format -- random-uuid) --standalone -c server.properties\``,
    )
  }
  return { clusterId: meta.clusterId, directoryId: meta.directoryId }
}
