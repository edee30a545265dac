import type { Clock } from '../env/clock.ts'
import type { Random } from '../env/random.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestOf, ResponseInputOf } from '../protocol/apis.ts'
import type { MetadataRecord } from '../protocol/metadata-record.ts'
import type { Logger } from '../telemetry/logger.ts'
import { alterConfigs, incrementalAlterConfigs } from './alter-configs.ts'
import type { ConfigOrigin } from './config-change.ts'
import { alterPartition } from './alter-partition.ts'
import { assignReplicasToDirs } from './assign-replicas-to-dirs.ts'
import { openingRecords } from './bootstrap.ts'
import { BrokerControl, type HeartbeatWatch } from './broker-control.ts'
import { type Cluster, type StaticSettings, UNCLEAN } from './cluster.ts'
import type { ConfigRules } from './config-rules.ts'
import { createPartitions } from './create-partitions.ts'
import { createTopics, type TopicDefaults } from './create-topics.ts'
import { deleteTopics } from './delete-topics.ts'
import { electLeaders } from './elect-leaders.ts'
import { Maintenance, type MaintenanceOptions } from './maintenance.ts'
import { type MetadataQuorum, MetadataWriter } from './metadata-writer.ts'
import { allocateProducerIds } from './producer-ids.ts'
import { alterPartitionReassignments, listPartitionReassignments } from './reassign-partitions.ts'
import { registerController } from './register-controller.ts'
import { ApiError, attemptOutcome, type NewMetadataRecord, type Outcome } from './result.ts'
import { updateFeatures } from './update-features.ts'

/** Where the controller starts from: MetadataLoader has it. */
export interface CommittedMetadata {
  readonly image: MetadataImage
  /** A transaction is open: its records are not in the image. */
  readonly isInTransaction: boolean
}

export interface ControllerOptions extends StaticSettings, MaintenanceOptions {
  readonly clusterId: string
  readonly defaults: TopicDefaults
  /** The records in bootstrap.checkpoint. */
  readonly bootstrap: readonly MetadataRecord[]
}

export interface ControllerDeps {
  readonly quorum: MetadataQuorum
  readonly metadata: CommittedMetadata
  readonly configs: ConfigRules
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly heartbeats?: HeartbeatWatch
}

type Request<K extends ApiKey> = RequestOf<K>
type Response<K extends ApiKey> = ResponseInputOf<K>

/** The active controller. Every request rejects with NotControllerError where this node does not lead the quorum. */
export class Controller {
  readonly #options: ControllerOptions
  readonly #deps: ControllerDeps
  readonly #brokers: BrokerControl
  readonly #writer: MetadataWriter
  readonly #maintenance: Maintenance

  constructor(options: ControllerOptions, deps: ControllerDeps) {
    this.#options = options
    this.#deps = deps
    this.#writer = new MetadataWriter({ ...deps, onRefused: (error) => this.#refused(error) })
    this.#brokers = new BrokerControl(options, {
      ...deps,
      change: (decide) => this.#change(decide),
      image: () => this.#writer.image,
    })
    this.#maintenance = new Maintenance(options, {
      ...deps,
      change: (decide) => this.#change(decide),
      idleMs: () => this.#writer.idleMs,
      fenceSilent: (intervalMs) => this.#brokers.fenceSilent(intervalMs),
    })
  }

  get isActive(): boolean {
    return this.#writer.image !== null
  }

  /** How long the active controller has not heard of a broker, ms; undefined where it knows of no session. */
  silentMs(brokerId: number): number | undefined {
    return this.#brokers.silentMs(brokerId)
  }

  /** This node leads, and the metadata has all that was committed before. Resolves when the cluster has its first records. */
  async activate(): Promise<void> {
    const { metadata, logger } = this.#deps
    this.#stop()
    this.#writer.open(metadata.image)
    logger.info({ offset: metadata.image.provenance.offset }, 'Became the active controller')
    this.#brokers.start(metadata.image)
    this.#maintenance.start()
    const records = openingRecords(metadata, this.#options)
    if (records.length > 0) await this.#change(() => ({ records, response: null }))
    this.#brokers.watch(metadata.image)
  }

  /** This node does not lead any more: what is not committed is not ours to answer. May be called at any time. */
  deactivate(): void {
    if (!this.isActive) return
    this.#stop()
    this.#deps.logger.info({}, 'No longer the active controller')
  }

  #stop(): void {
    this.#writer.close()
    this.#brokers.stop()
    this.#maintenance.stop()
  }

  #refused(error: unknown): void {
    if (!this.isActive) return
    this.#deps.logger.warn({ err: error }, 'The quorum takes no more records of this controller')
    this.deactivate()
    // Where it leads the quorum still, nobody would be the active controller.
    void this.#deps.quorum.resign()
  }

  /** Nobody listens any more where the broker is registered, and its connection broke: it is fenced at once. */
  brokerUnreachable(brokerId: number): void {
    this.#brokers.unreachable(brokerId)
  }

  createTopics(request: Request<typeof ApiKey.CreateTopics>): Promise<Response<typeof ApiKey.CreateTopics>> {
    const rules = { defaults: this.#options.defaults, configs: this.#deps.configs, random: this.#deps.random }
    return this.#change(({ image }) => createTopics(image, request, rules))
  }

  deleteTopics(request: Request<typeof ApiKey.DeleteTopics>): Promise<Response<typeof ApiKey.DeleteTopics>> {
    return this.#change(({ image }) => deleteTopics(image, request))
  }

  createPartitions(
    request: Request<typeof ApiKey.CreatePartitions>,
  ): Promise<Response<typeof ApiKey.CreatePartitions>> {
    return this.#change(({ image }) => createPartitions(image, request, this.#deps.random))
  }

  incrementalAlterConfigs(
    request: Request<typeof ApiKey.IncrementalAlterConfigs>,
    origin: ConfigOrigin = 'client',
  ): Promise<Response<typeof ApiKey.IncrementalAlterConfigs>> {
    return this.#reconfigure((image) => incrementalAlterConfigs(image, request, this.#deps.configs, origin))
  }

  alterConfigs(
    request: Request<typeof ApiKey.AlterConfigs>,
    origin: ConfigOrigin = 'client',
  ): Promise<Response<typeof ApiKey.AlterConfigs>> {
    return this.#reconfigure((image) => alterConfigs(image, request, this.#deps.configs, origin))
  }

  updateFeatures(request: Request<typeof ApiKey.UpdateFeatures>): Promise<Response<typeof ApiKey.UpdateFeatures>> {
    const { nodeId, minInSyncReplicas } = this.#options
    const { quorum } = this.#deps
    return this.#change(({ image }) =>
      updateFeatures(image, request, {
        nodeId,
        minInSyncReplicas,
        kraftVersion: quorum.kraftVersion,
        voterIds: quorum.quorumInfo().voters.map(({ id }) => id),
        upgradeKraftVersion: (level, options) => quorum.upgradeKraftVersion(level, options),
      }),
    )
  }

  electLeaders(request: Request<typeof ApiKey.ElectLeaders>): Promise<Response<typeof ApiKey.ElectLeaders>> {
    return this.#change((cluster) => electLeaders(cluster, request))
  }

  async alterPartition(
    request: Request<typeof ApiKey.AlterPartition>,
  ): Promise<Response<typeof ApiKey.AlterPartition>> {
    const result = await this.#attempt((cluster) => alterPartition(cluster, request))
    return result instanceof ApiError ? { throttleTimeMs: 0, errorCode: result.code } : result
  }

  alterPartitionReassignments(
    request: Request<typeof ApiKey.AlterPartitionReassignments>,
  ): Promise<Response<typeof ApiKey.AlterPartitionReassignments>> {
    return this.#change((cluster) => alterPartitionReassignments(cluster, request))
  }

  listPartitionReassignments(
    request: Request<typeof ApiKey.ListPartitionReassignments>,
  ): Promise<Response<typeof ApiKey.ListPartitionReassignments>> {
    return this.#change(({ image }) => ({ records: [], response: listPartitionReassignments(image, request) }))
  }

  async assignReplicasToDirs(
    request: Request<typeof ApiKey.AssignReplicasToDirs>,
  ): Promise<Response<typeof ApiKey.AssignReplicasToDirs>> {
    const result = await this.#attempt((cluster) => assignReplicasToDirs(cluster, request))
    return result instanceof ApiError ? { throttleTimeMs: 0, errorCode: result.code } : result
  }

  allocateProducerIds(
    request: Request<typeof ApiKey.AllocateProducerIds>,
  ): Promise<Response<typeof ApiKey.AllocateProducerIds>> {
    return this.#change(({ image }) => allocateProducerIds(image, request))
  }

  registerBroker(
    request: Request<typeof ApiKey.BrokerRegistration>,
  ): Promise<Response<typeof ApiKey.BrokerRegistration>> {
    return this.#brokers.register(request)
  }

  brokerHeartbeat(request: Request<typeof ApiKey.BrokerHeartbeat>): Promise<Response<typeof ApiKey.BrokerHeartbeat>> {
    return this.#brokers.heartbeat(request)
  }

  unregisterBroker(
    request: Request<typeof ApiKey.UnregisterBroker>,
  ): Promise<Response<typeof ApiKey.UnregisterBroker>> {
    return this.#brokers.unregister(request)
  }

  /** KIP-919: tells the endpoints and features of a controller. */
  registerController(
    request: Request<typeof ApiKey.ControllerRegistration>,
  ): Promise<Response<typeof ApiKey.ControllerRegistration>> {
    return this.#change(({ image }) => registerController(image, request))
  }

  async #attempt<R>(decide: (cluster: Cluster) => Outcome<R>): Promise<R | ApiError> {
    return this.#change((cluster) => attemptOutcome(() => decide(cluster)))
  }

  async #reconfigure<R>(decide: (image: MetadataImage) => Outcome<R>): Promise<R> {
    const outcome = this.#change(({ image }) => {
      const decided = decide(image)
      if (decided.records.some(allowsUncleanElections)) this.#maintenance.electUncleanSoon()
      return decided
    })
    return outcome
  }

  #change<R>(decide: (cluster: Cluster) => Outcome<R>): Promise<R> {
    return this.#writer.change((image) => decide({ image, settings: this.#options }))
  }
}

function allowsUncleanElections({ type, value }: NewMetadataRecord): boolean {
  return type === 'ConfigRecord' && value.name === UNCLEAN && value.value === 'true'
}
