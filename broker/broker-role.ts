import { configRules } from './config-rules.ts'
import type { ServerConfig } from './config/server-config.ts'
import { ConsumerOffsets } from './consumer-offsets.ts'
import { GroupCoordinator } from './coordinator/group/group-coordinator.ts'
import { ProducerIds } from './coordinator/producer-ids.ts'
import { brokerGauges } from './gauges.ts'
import { AutoTopics, OFFSETS_TOPIC } from './handlers/auto-topics.ts'
import { ClusterView, type NodeView } from './handlers/cluster-view.ts'
import { type BrokerHandlerDeps, brokerHandlers } from './handlers/index.ts'
import { randomUuid } from './lib/uuid.ts'
import { LogDirFailures } from './log-dir-failures.ts'
import type { Listeners } from './listeners.ts'
import type { MetadataDelta } from './metadata/delta.ts'
import { type BrokerImage, MetadataImage } from './metadata/image.ts'
import { supportsCordonedLogDirs, supportsDirectoryAssignment } from './metadata/record-versions.ts'
import type { Node } from './node.ts'
import { isQuorumLost } from './probe.ts'
import { ApiKey } from './protocol/api-key.ts'
import { errorName, ErrorCode } from './protocol/errors.ts'
import { featureLevels, registrationOf } from './registration.ts'
import type { ControllerRequests } from './replication/controller-requests.ts'
import { FetchSessions } from './replication/fetch-session.ts'
import { InternalTopic } from './replication/internal-topic.ts'
import { BrokerLifecycle } from './replication/lifecycle.ts'
import { Replication } from './replication/replication.ts'
import type { TopicDirectory } from './replication/replica-manager.ts'
import { isStray } from './replication/strays.ts'
import { StorageError } from './storage/errors.ts'
import type { LogManager } from './storage/log-manager.ts'
import { registerBrokerGauges } from './telemetry/kafka-gauges.ts'

/** How long the shutdown waits for the controller to let this broker go. */
const CONTROLLED_SHUTDOWN_MS = 30_000

/** The role of a broker: the replicas hosted here, what clients ask of them, and the membership in the cluster. */
export class BrokerRole implements AsyncDisposable {
  readonly #node: Node
  readonly #logs: LogManager
  readonly #cleanup = new AsyncDisposableStack()
  readonly #lifecycle: BrokerLifecycle
  readonly #replication: Replication
  readonly #groups: GroupCoordinator
  readonly #handlers: BrokerHandlerDeps
  readonly #failures: LogDirFailures
  readonly #ready = Promise.withResolvers<void>()
  #isReady = false
  #isStopping = false
  #isClosed = false
  /** What this broker acts on: the last image that its replicas follow. */
  #image = MetadataImage.EMPTY
  /** The settings that its replicas have. */
  #settings: ServerConfig
  #applied: Promise<void> = Promise.resolve()
  /** Whoever waits for an image. */
  #whenApplied: (() => void)[] = []

  /** Call before the quorum is started. */
  constructor(node: Node, logs: LogManager) {
    this.#node = node
    this.#logs = logs
    this.#settings = node.deps.current.value
    logs.cordon(this.#settings.cordonedLogDirs)
    this.#lifecycle = this.#newLifecycle()
    // Each purpose has a connection of its own: what one waits for holds up no other.
    this.#replication = this.#newReplication(node.controllerClient('replication', this.#requestTimeoutMs))
    this.#cleanup.use(this.#replication)
    this.#groups = this.#newGroups()
    this.#cleanup.use(this.#groups)
    this.#handlers = this.#handlerDeps()
    node.loader.subscribe((delta, next) => this.#follow(delta, next))
    this.#failures = this.#cleanup.use(this.#newFailures())
    logs.onLogDirFailure((path) => this.#logDirFailed(path))
    this.#registerGauges()
  }

  #registerGauges(): void {
    const { env, metrics } = this.#node.deps
    const { nodeId, interBrokerListenerName } = this.#node.options.config
    const consumerOffsets = new ConsumerOffsets(
      { nodeId },
      { ...this.#handlers, ...env, listener: () => interBrokerListenerName },
    )
    this.#cleanup.use(consumerOffsets)
    metrics.beforeScrape(() => consumerOffsets.refresh())
    registerBrokerGauges(
      metrics,
      brokerGauges({ ...this.#handlers, consumerOffsets, brokerState: () => this.#lifecycle.state }),
    )
  }

  /** -1 before the registration. */
  get epoch(): number {
    return this.#lifecycle.epoch
  }
  /** Clients are served. */
  get isReady(): boolean {
    return this.#isReady
  }

  get #requestTimeoutMs(): number {
    return this.#node.options.config.requestTimeoutMs
  }

  #newLifecycle(): BrokerLifecycle {
    const { config } = this.#node.options
    const { env, logger } = this.#node.deps
    // A controller that is slow to answer is asked again before the session is over.
    const requestTimeoutMs = config.brokerSessionTimeoutMs / 2
    return new BrokerLifecycle(
      { brokerId: config.nodeId, heartbeatIntervalMs: config.brokerHeartbeatIntervalMs, requestTimeoutMs },
      {
        controller: this.#node.controllerClient('heartbeat', requestTimeoutMs),
        clock: env.clock,
        logger,
        registration: () => this.#registration(),
        metadataOffset: () => this.#image.provenance.offset,
        offlineLogDirs: () =>
          this.#logs.directories().flatMap(({ id, online }) => (!online && id !== null ? [id] : [])),
        cordonedLogDirs: () => this.#cordonedLogDirs(),
        hasSuccessors: () => this.#hasSuccessors(),
        isQuorumLost: () => this.#isQuorumLost(),
      },
    )
  }

  /** Where its own metadata log has failed, this broker does not hear of controllers any more. */
  async #isQuorumLost(): Promise<boolean> {
    const { raft, options, deps } = this.#node
    return raft.role === 'stopped' || isQuorumLost(raft.quorumInfo().voters, options.config.nodeId, deps.env.network)
  }

  #newFailures(): LogDirFailures {
    const { nodeId, logDirFailureTimeoutMs: timeoutMs } = this.#node.options.config
    const onUntold = (directory: string): void => {
      const message = `log dir ${directory} has failed, and the controller was not told for ${timeoutMs} ms (log.dir.failure.timeout.ms)`
      this.#node.deps.onFailed(new StorageError('KAFKA_STORAGE_ERROR', message))
    }
    return new LogDirFailures({ nodeId, timeoutMs }, { ...this.#node.deps.env, image: () => this.#image, onUntold })
  }

  #hasSuccessors(): boolean {
    const { nodeId } = this.#node.options.config
    const stays = ({ id, isFenced, isInControlledShutdown }: BrokerImage): boolean =>
      id !== nodeId && !isFenced && !isInControlledShutdown
    return [...this.#image.brokers.values()].some(stays)
  }

  /** Null while the cluster has no word for it. */
  #cordonedLogDirs(): string[] | null {
    if (!supportsCordonedLogDirs(this.#image.metadataVersion)) return null
    return this.#logs.directories().flatMap(({ id, isCordoned }) => (isCordoned && id !== null ? [id] : []))
  }

  #registration() {
    const { options, loader } = this.#node
    return registrationOf({
      ...options,
      logDirs: this.#logs.directories().flatMap(({ id, online }) => (online && id !== null ? [id] : [])),
      // What was registered before in this run did not end in order.
      previousBrokerEpoch: this.epoch < 0 ? this.#logs.brokerEpochAtShutdown : this.epoch,
      image: loader.image,
      advertised: (endpoint) => this.#node.reachable(endpoint),
    })
  }

  #newReplication(controller: ControllerRequests): Replication {
    return new Replication(
      { nodeId: this.#node.options.config.nodeId },
      {
        ...this.#node.deps,
        logs: this.#logs,
        server: () => this.#node.deps.current.value,
        image: () => this.#node.loader.image,
        topics: this.#topicNames(),
        controller,
        brokerEpoch: () => this.epoch,
        onLeader: ({ log, state }) =>
          void (log.topic === OFFSETS_TOPIC && this.#groups.onLoad(log.partition, state.leaderEpoch)),
        onResigned: (topic, index) => void (topic === OFFSETS_TOPIC && this.#groups.onUnload(index)),
      },
    )
  }

  #topicNames(): TopicDirectory {
    return {
      nameOf: (topicId) => this.#image.topicById(topicId)?.name,
      hasPartition: (topic, index) => this.#image.topic(topic)?.partitions[index] !== undefined,
    }
  }

  #newGroups(): GroupCoordinator {
    const { config } = this.#node.options
    const { env, logger } = this.#node.deps
    const partitionCount = (): number =>
      this.#image.topic(OFFSETS_TOPIC)?.partitions.length ?? config.offsetsTopicNumPartitions
    const appender = new InternalTopic(
      { topic: OFFSETS_TOPIC, timeoutMs: config.offsetsCommitTimeoutMs },
      { replicas: this.#replication.replicas, clock: env.clock, partitionCount },
    )
    const topics = {
      nameOf: (topicId: string) => this.#image.topicById(topicId)?.name,
      idOf: (name: string) => this.#image.topic(name)?.id,
      exists: (name: string, partition: number) => this.#image.topic(name)?.partitions[partition] !== undefined,
    }
    const groups = new GroupCoordinator(config, { appender, topics, logger, ...env })
    groups.open()
    return groups
  }

  #handlerDeps(): BrokerHandlerDeps {
    const { options, deps, raft } = this.#node
    const { config } = options
    const { env, logger, logThreshold, metrics, current, answers } = deps
    const server = () => current.value
    const settled = (): Promise<void> => this.#applied
    const forwarding = {
      controller: this.#node.controllerClient('forwarding', this.#requestTimeoutMs),
      timeoutMs: this.#requestTimeoutMs,
    }
    const own = this.#node.controllerClient('internal', this.#requestTimeoutMs)
    const autoTopics = new AutoTopics({ controller: own, server, settled, clock: env.clock, logger })
    return {
      nodeId: config.nodeId,
      clock: env.clock,
      logger,
      logThreshold,
      server,
      image: () => this.#image,
      rules: configRules(server),
      cluster: () => this.#cluster(),
      features: () => featureLevels(this.#image, raft.kraftVersion),
      forwarding,
      settled,
      logs: this.#logs,
      replicas: this.#replication.replicas,
      leaderThrottle: this.#replication.leaderThrottle,
      logDirMover: this.#replication.logDirMover,
      replicaSelector: this.#replication.replicaSelector,
      answers,
      fetchSessions: new FetchSessions({ slots: config.maxIncrementalFetchSessionCacheSlots }, env),
      topicNames: this.#topicNames(),
      groups: this.#groups,
      coordinators: { ofGroup: (groupId, listener) => this.#coordinatorOf(groupId, listener, autoTopics) },
      producerIds: new ProducerIds({ allocate: () => this.#allocateProducerIds(own) }),
      autoTopics,
      metrics,
      newUuid: () => randomUuid(env.random),
    }
  }

  /** Clients are told of any live broker as the controller: what it does not do itself, it forwards. */
  #cluster(): ClusterView {
    const live = [...this.#image.brokers.values()].filter(({ isFenced }) => !isFenced)
    const any = live.length === 0 ? undefined : live[this.#node.deps.env.random.below(live.length)]
    return new ClusterView(this.#image, { clusterId: this.#node.options.clusterId, controllerId: any?.id ?? -1 })
  }

  #coordinatorOf(groupId: string, listener: string, autoTopics: AutoTopics): NodeView | undefined {
    const view = this.#cluster()
    const topic = view.topic(OFFSETS_TOPIC)
    if (topic === undefined) void autoTopics.createOffsetsTopic()
    const leader = topic?.partitions[this.#groups.partitionFor(groupId)]?.leader
    return leader === undefined ? undefined : view.endpoint(leader, listener)
  }

  async #allocateProducerIds(controller: ControllerRequests) {
    const { nodeId } = this.#node.options.config
    const request = { brokerId: nodeId, brokerEpoch: BigInt(this.epoch) }
    const { errorCode, producerIdStart, producerIdLen } = await controller.request(ApiKey.AllocateProducerIds, request)
    if (errorCode !== ErrorCode.NONE) throw new Error(`the controller gave no producer ids: ${errorName(errorCode)}`)
    return { first: Number(producerIdStart), size: producerIdLen }
  }

  /** One image after the other: replicas are opened and closed in the order of the log. */
  #follow(delta: MetadataDelta, next: MetadataImage): void {
    const { metrics, current, onFailed } = this.#node.deps
    const settings = current.value
    this.#applied = this.#applied.then(async () => {
      if (this.#isClosed) return
      await this.#replication.publisher.apply(delta, next)
      this.#image = next
      if (settings !== this.#settings) this.#reconfigure(settings, next)
      const deleted = [...delta.topics.deleted.values()].map(({ name, id }) => ({ name, topicId: id }))
      for (const { name } of deleted) metrics.removeTopic(name)
      this.#groups.onTopicsDeleted(deleted)
      for (const applied of this.#whenApplied.splice(0)) applied()
      if (this.#isAwaited(delta, next)) this.#lifecycle.tellProgress()
    })
    this.#applied.catch((error: unknown) => onFailed(error))
    if (delta.cluster.changedFeatures) this.#tellDirectories(next)
  }

  #reconfigure(settings: ServerConfig, image: MetadataImage): void {
    this.#settings = settings
    this.#replication.publisher.reconfigure(image)
    this.#logs.cordon(settings.cordonedLogDirs)
    this.#lifecycle.tellProgress()
  }

  /** A broker that stops is let go when all others know the leaders behind it. */
  #isAwaited({ cluster, image }: MetadataDelta, next: MetadataImage): boolean {
    return [...cluster.changedBrokers].some((id) => {
      const isStopping = next.brokers.get(id)?.isInControlledShutdown === true
      return isStopping && image.brokers.get(id)?.isInControlledShutdown !== true
    })
  }

  /** A metadata.version without log dirs in registrations was upgraded to one that has them (KIP-858). */
  #tellDirectories({ brokers, metadataVersion }: MetadataImage): void {
    const registered = brokers.get(this.#node.options.config.nodeId)
    const isMissing = registered?.epoch === this.epoch && registered.logDirs.length === 0
    if (isMissing && supportsDirectoryAssignment(metadataVersion)) this.#lifecycle.registerAgain()
  }

  #logDirFailed(path: string): void {
    this.#replication.logDirFailed(path)
    this.#lifecycle.tellProgress()
    const failed = this.#logs.directories().find((directory) => directory.path === path)
    if (typeof failed?.id === 'string') this.#failures.failed(failed.id)
    if (path === this.#node.options.config.metadataLogDir || this.#logs.directories().every(({ online }) => !online)) {
      const message = `log dir ${path} has failed, and it holds what the broker cannot run without`
      this.#node.deps.onFailed(new StorageError('KAFKA_STORAGE_ERROR', message))
    }
  }

  /**
   * Joins the cluster: waits for its metadata, opens the listeners, registers, sets aside what the cluster does not know of, and is unfenced.
   * Rejects with the system's error where a port is taken. Never resolves where it is stopped before.
   */
  async join(listeners: Listeners): Promise<void> {
    await this.#until(({ metadataVersion }) => metadataVersion > 0)
    await listeners.open('broker', brokerHandlers(this.#handlers), {
      isReady: () => this.#isReady,
      ready: this.#ready.promise,
    })
    const epoch = await this.#lifecycle.start()
    // Only now the metadata is certain to be no older than what this broker followed before.
    await this.#until(({ provenance }) => provenance.offset >= epoch)
    await this.#setAsideStrays()
    await this.#lifecycle.ready()
    await this.#applied
    this.#isReady = true
    this.#ready.resolve()
  }

  /** A topic that was made anew while this broker was down has no room here before. Not while an image is applied: it may open what is looked at. */
  async #setAsideStrays(): Promise<void> {
    const { nodeId } = this.#node.options.config
    const { publisher } = this.#replication
    this.#applied = this.#applied.then(async () => {
      if (this.#isClosed) return
      const strays = await this.#logs.setAsideStrays((log) => isStray(log, this.#image, nodeId))
      await publisher.replaceStrays(strays, this.#image)
    })
    await this.#applied
  }

  /** Resolves when the replicas follow an image that `holds` is true of. */
  async #until(holds: (image: MetadataImage) => boolean): Promise<void> {
    while (this.#isStopping || !holds(this.#image)) {
      await new Promise<void>((resolve) => this.#whenApplied.push(resolve))
    }
  }

  /** Leaves the cluster, in order unless controlled.shutdown.enable says otherwise; clients are not served any more. */
  async leave(): Promise<void> {
    this.#isReady = false
    this.#isStopping = true
    if (!this.#node.options.config.controlledShutdownEnable) return this.#lifecycle.stop()
    await this.#lifecycle.controlledShutdown(CONTROLLED_SHUTDOWN_MS)
  }

  /** On return no replica is opened or closed any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    await this.#cleanup.disposeAsync()
    await this.#applied.catch(() => undefined)
  }
}
