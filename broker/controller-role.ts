import { configRules } from './config-rules.ts'
import { readBootstrap } from './controller/bootstrap.ts'
import { Controller } from './controller/controller.ts'
import { ElectionCounts } from './controller/controller-metrics.ts'
import { ControllerRegistrar } from './controller-registrar.ts'
import { controllerSample } from './gauges.ts'
import { ClusterView } from './handlers/cluster-view.ts'
import { controllerHandlers } from './handlers/index.ts'
import { HeartbeatConnections } from './heartbeat-connections.ts'
import type { Listeners } from './listeners.ts'
import type { Node } from './node.ts'
import { controllerRegistrationOf, featureLevels } from './registration.ts'
import { registerControllerGauges } from './telemetry/kafka-gauges.ts'

const SECOND_MS = 1000

/** The role of a controller: a voter, or one to be, that may lead; what it decides while it does. */
export class ControllerRole {
  readonly controller: Controller
  readonly #node: Node
  readonly #heartbeats: HeartbeatConnections

  constructor(node: Node) {
    this.#node = node
    const { config, clusterId } = node.options
    const { env, logger, current, metrics } = node.deps
    this.controller = new Controller(
      {
        nodeId: config.nodeId,
        clusterId,
        defaults: { numPartitions: config.numPartitions, replicationFactor: config.defaultReplicationFactor },
        minInSyncReplicas: config.minInsyncReplicas,
        brokerSessionTimeoutMs: config.brokerSessionTimeoutMs,
        maxIdleIntervalMs: config.metadataMaxIdleIntervalMs,
        uncleanLeaderElectionEnable: config.uncleanLeaderElectionEnable,
        leaderImbalanceCheckIntervalMs: config.autoLeaderRebalanceEnable
          ? config.leaderImbalanceCheckIntervalSeconds * SECOND_MS
          : 0,
        bootstrap: readBootstrap(config.metadataLogDir, env),
      },
      {
        quorum: node.raft,
        metadata: node.loader,
        configs: configRules(() => current.value),
        clock: env.clock,
        random: env.random,
        logger,
        heartbeats: {
          watch: (brokerId) => this.#heartbeats.watch(brokerId),
          isConnected: (brokerId) => this.#heartbeats.isConnected(brokerId),
        },
      },
    )
    this.#heartbeats = new HeartbeatConnections(
      { listener: config.interBrokerListenerName },
      { ...env, image: () => node.loader.image, controller: this.controller },
    )
    const elections = new ElectionCounts()
    node.loader.subscribe((delta, image) => elections.apply(delta, image))
    let newActiveControllers = 0
    node.onLeader((_, leaderId) => {
      if (leaderId >= 0) newActiveControllers++
    })
    registerControllerGauges(metrics, () => ({
      ...controllerSample(this.controller, node.loader.image, elections, env.clock.wallMs()),
      newActiveControllers,
    }))
  }

  /** Opens the listeners; call before the quorum is started. Rejects with the system's error. */
  async listen(listeners: Listeners): Promise<void> {
    const { raft, loader, options, deps } = this.#node
    const { config, clusterId } = options
    const image = () => loader.image
    const handlers = controllerHandlers({
      clock: deps.env.clock,
      nodeId: config.nodeId,
      server: () => deps.current.value,
      image,
      cluster: () => new ClusterView(image(), { clusterId, controllerId: raft.leaderAndEpoch.leaderId }),
      features: () => featureLevels(image(), raft.kraftVersion),
      controller: this.controller,
      deleteTopicEnable: config.deleteTopicEnable,
      raft,
      quorum: () => raft.quorumInfo(),
      logger: deps.logger,
      logThreshold: deps.logThreshold,
      onHeartbeat: (brokerId, connection) => this.#heartbeats.heard(brokerId, connection),
    })
    await listeners.open('controller', handlers)
  }

  /** Leads when the quorum says so, each time `onActive` when the cluster has its first records; call before the quorum is started. */
  follow(onActive: () => void = () => {}): void {
    const { raft, loader, options, deps } = this.#node
    this.#node.onLeader((isLeader) => {
      if (isLeader) this.controller.activate().then(onActive, (error: unknown) => this.#notActivated(error))
      else if (this.controller.isActive) {
        this.controller.deactivate()
        const [voter, ...others] = raft.quorumInfo().voters
        // One that has been taken out of the quorum leaves it to the others.
        if (voter?.id === options.config.nodeId && others.length === 0) {
          deps.onFailed(new Error('this node no longer leads the metadata quorum, of which it is the only voter'))
        }
      }
    })
    const registrar = new ControllerRegistrar(
      { nodeId: options.config.nodeId, incarnationId: options.incarnationId },
      {
        ...deps,
        clock: deps.env.clock,
        controller: this.#node.controllerClient('registration', options.config.brokerSessionTimeoutMs / 2),
        image: () => loader.image,
        registration: () =>
          controllerRegistrationOf({
            ...options,
            image: loader.image,
            endpoints: options.config.advertisedControllerListeners.map((endpoint) => this.#node.reachable(endpoint)),
          }),
      },
    )
    loader.subscribe(() => registrar.check())
  }

  /** Leadership that was lost before the first record is no failure: another node has it. */
  #notActivated(error: unknown): void {
    if (this.controller.isActive) this.#node.deps.onFailed(error)
  }
}
