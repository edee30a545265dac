import type { ServerConfig } from '../config/server-config.ts'
import type { Timer } from '../env/clock.ts'
import type { Env } from '../env/env.ts'
import type { Address } from '../env/network.ts'
import { BufferPool } from '../lib/buffer-pool.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { LogManager } from '../storage/log-manager.ts'
import type { RateLimitOptions } from '../quota/rate-limit.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { ControllerRequests } from './controller-requests.ts'
import { DirectoryAssignments } from './directory-assignments.ts'
import { FetcherManager } from './fetcher-manager.ts'
import { IsrUpdater } from './isr-updater.ts'
import { LogDirMover } from './log-dir-mover.ts'
import { MetadataPublisher } from './metadata-publisher.ts'
import type { Partition } from './partition.ts'
import { ReplicaManager, type TopicDirectory } from './replica-manager.ts'
import { ReplicaSelector } from './replica-selector.ts'
import { registerReplicationMetrics } from './replication-metrics.ts'
import { ReplicaRepair } from './replica-repair.ts'
import { FollowerThrottle, LeaderThrottle } from './throttle.ts'

export interface ReplicationDeps {
  readonly env: Env
  readonly logger: Logger
  readonly metrics: Metrics
  readonly logs: LogManager
  readonly server: () => ServerConfig
  /** The cluster as far as this broker knows it. */
  readonly image: () => MetadataImage
  readonly topics: TopicDirectory
  readonly controller: ControllerRequests
  /** Of this broker; below 0 before it is registered. */
  readonly brokerEpoch: () => number
  /** A partition is led from here, in this epoch. */
  readonly onLeader: (partition: Partition) => void
  /** A partition is not led from here any more. */
  readonly onResigned: (topic: string, index: number) => void
}

const SECOND_MS = 1000

/** The replicas of this broker with all that keeps them in step with the others: wiring only. */
export class Replication implements Disposable {
  readonly replicas: ReplicaManager
  readonly publisher: MetadataPublisher
  readonly fetchers: FetcherManager
  readonly isrUpdater: IsrUpdater
  readonly assignments: DirectoryAssignments
  readonly repair: ReplicaRepair
  readonly logDirMover: LogDirMover
  readonly leaderThrottle: LeaderThrottle
  readonly replicaSelector: ReplicaSelector | undefined
  readonly #deps: ReplicationDeps
  #shrinkTimer: Timer | undefined

  constructor(options: { readonly nodeId: number }, deps: ReplicationDeps) {
    this.#deps = deps
    const { nodeId } = options
    const { env, logger, server, image } = deps
    const { clock } = env
    const { replicationQuotaWindowNum: windows, replicationQuotaWindowSizeSeconds: seconds } = server()
    const quota = { windows, windowMs: seconds * SECOND_MS, nodeId }
    this.leaderThrottle = new LeaderThrottle(quota, env)
    const followerThrottle = new FollowerThrottle(quota, env)
    this.replicaSelector = ReplicaSelector.of(server().replicaSelectorClass, options, deps)
    this.assignments = new DirectoryAssignments({ brokerId: nodeId }, { ...deps, clock })
    this.isrUpdater = new IsrUpdater({ brokerId: nodeId }, { ...deps, clock })
    this.replicas = new ReplicaManager(options, {
      compute: env.compute,
      wallMs: () => clock.wallMs(),
      monotonicMs: () => clock.monotonicMs(),
      lagMaxMs: () => server().replicaLagTimeMaxMs,
      isEligible: (brokerId, brokerEpoch) => isEligible(image(), brokerId, brokerEpoch),
      onDamaged: (partition, offset) => this.repair.damaged(partition, offset),
      proposeIsr: (partition, proposal) => this.isrUpdater.propose(partition, proposal),
      topics: deps.topics,
      logger,
    })
    this.fetchers = new FetcherManager(options, {
      ...deps,
      ...env,
      throttle: followerThrottle,
      memory: new BufferPool(),
      addressOf: (brokerId) => addressOf(image(), brokerId, server().interBrokerListenerName),
    })
    this.repair = new ReplicaRepair(options, { ...deps, fetchers: this.fetchers, assignments: this.assignments })
    this.logDirMover = new LogDirMover(moveQuota(server(), nodeId), {
      ...deps,
      clock,
      fetchers: this.fetchers,
      onMoved: (partition) => this.repair.changed(partition, undefined),
    })
    this.publisher = new MetadataPublisher(options, {
      ...deps,
      clock,
      replicas: this.replicas,
      fetchers: this.fetchers,
      assignments: this.repair,
      mover: this.logDirMover,
      throttles: [this.leaderThrottle, followerThrottle, this.logDirMover],
    })
    registerReplicationMetrics(deps.metrics, this)
    this.#shrinkLater()
  }

  #shrinkLater(): void {
    this.#shrinkTimer = this.#deps.env.clock.setTimer(this.#deps.server().replicaLagTimeMaxMs / 2, () => {
      for (const partition of this.replicas.partitions()) partition.shrinkIsr()
      this.#shrinkLater()
    })
  }

  /** A log dir has failed: its replicas are not fetched any more, nor led. */
  logDirFailed(path: string): void {
    const failed = [...this.replicas.partitions()].filter(({ log }) => log.parentDirectory === path)
    const led = failed.filter(({ isLeader }) => isLeader)
    for (const partition of failed) this.fetchers.stop(partition)
    this.replicas.failDirectory((log) => log.parentDirectory === path)
    // Not in the midst of an append, by which that may have been found.
    this.#deps.env.clock.defer(() => {
      for (const { log } of led) this.#deps.onResigned(log.topic, log.partition)
    })
  }

  [Symbol.dispose](): void {
    this.#shrinkTimer?.cancel()
    this.publisher.stop()
    this.fetchers.close()
    this.logDirMover.close()
    this.isrUpdater.close()
    this.assignments.close()
  }
}

function moveQuota(config: ServerConfig, nodeId: number): RateLimitOptions & { nodeId: number } {
  const { alterLogDirsReplicationQuotaWindowNum, alterLogDirsReplicationQuotaWindowSizeSeconds } = config
  const windowMs = alterLogDirsReplicationQuotaWindowSizeSeconds * SECOND_MS
  return { windows: alterLogDirsReplicationQuotaWindowNum, windowMs, nodeId }
}

function addressOf(image: MetadataImage, brokerId: number, listener: string): Address | undefined {
  return image.brokers.get(brokerId)?.endpoints.find(({ name }) => name === listener)
}

/** Fit for the ISR: registered, with this epoch if one is given, not fenced, not about to leave (KIP-841, KIP-903). */
function isEligible(image: MetadataImage, brokerId: number, brokerEpoch: number): boolean {
  const broker = image.brokers.get(brokerId)
  if (broker === undefined || broker.isFenced || broker.isInControlledShutdown) return false
  return brokerEpoch === -1 || brokerEpoch === broker.epoch
}
