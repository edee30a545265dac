import type { Clock, Timer } from '../env/clock.ts'
import type { Random } from '../env/random.ts'
import { MetadataDelta } from '../metadata/delta.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestOf, ResponseInputOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { decodeMetadataRecord, encodeMetadataRecord, type MetadataRecord } from '../protocol/metadata-record.ts'
import type { Logger } from '../telemetry/logger.ts'
import { alterConfigs, incrementalAlterConfigs } from './alter-configs.ts'
import { bootstrapRecords } from './bootstrap.ts'
import { brokerHeartbeat, fenceBroker, registerBroker, unregisterBroker } from './brokers.ts'
import type { ConfigRules } from './config-rules.ts'
import { createPartitions } from './create-partitions.ts'
import { createTopics, type TopicDefaults } from './create-topics.ts'
import { deleteTopics } from './delete-topics.ts'
import { electLeaders } from './elect-leaders.ts'
import { allocateProducerIds } from './producer-ids.ts'
import { ApiError, attempt, type NewMetadataRecord, type Outcome } from './result.ts'
import { Sessions } from './sessions.ts'
import { supportsControllerRegistration } from '../metadata/record-versions.ts'
import { updateFeatures } from './update-features.ts'

/** This node does not lead the quorum, or no longer: the client looks for the one that does. */
export class NotControllerError extends Error {
  readonly code = 'NOT_CONTROLLER'
  readonly errorCode = ErrorCode.NOT_CONTROLLER
}

/** What the controller needs of the quorum; RaftNode has it. */
export interface MetadataQuorum {
  /** The offset that the next proposed record gets. */
  readonly nextOffset: number
  readonly kraftVersion: number
  /** Appends the records in one batch; resolves with the last offset once they are committed and every listener has seen them. */
  propose(records: readonly Uint8Array[]): Promise<number>
}

/** Where the controller starts from: MetadataLoader has it. */
export interface CommittedMetadata {
  readonly image: MetadataImage
  /** A transaction is open: its records are not in the image. */
  readonly isInTransaction: boolean
}

export interface ControllerOptions {
  readonly nodeId: number
  readonly clusterId: string
  readonly defaults: TopicDefaults
  /** min.insync.replicas of server.properties. */
  readonly minInSyncReplicas: number
  /** broker.session.timeout.ms. */
  readonly brokerSessionTimeoutMs: number
  /** metadata.max.idle.interval.ms; 0 writes no NoOpRecord. */
  readonly maxIdleIntervalMs: number
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
}

type Request<K extends ApiKey> = RequestOf<K>
type Response<K extends ApiKey> = ResponseInputOf<K>

/**
 * The active controller: one change of the metadata after the other, each decided on an image that has all earlier ones, committed or
 * not, and answered once it is committed. Every method rejects with NotControllerError where this node does not lead the quorum.
 */
export class Controller {
  readonly #options: ControllerOptions
  readonly #deps: ControllerDeps
  readonly #sessions: Sessions
  /** Null while another node, or nobody, leads. */
  #image: MetadataImage | null = null
  #pending: Promise<unknown> = Promise.resolve()
  #lastProposalMs = 0
  #idleTimer: Timer | undefined
  #sessionTimer: Timer | undefined

  constructor(options: ControllerOptions, deps: ControllerDeps) {
    this.#options = options
    this.#deps = deps
    this.#sessions = new Sessions({ timeoutMs: options.brokerSessionTimeoutMs }, deps)
  }

  get isActive(): boolean {
    return this.#image !== null
  }

  /** This node leads, and the metadata has all that was committed before. Resolves when the cluster has its first records. */
  async activate(): Promise<void> {
    const { metadata, clock, logger } = this.#deps
    this.#image = metadata.image
    this.#lastProposalMs = clock.monotonicMs()
    // The broker of this process is not the one that is registered: it need not wait for that one's session to end.
    for (const { id, isFenced } of metadata.image.brokers.values()) {
      if (!isFenced && id !== this.#options.nodeId) this.#sessions.touch(id)
    }
    this.#startTimers()
    logger.info({ offset: metadata.image.provenance.offset }, 'Became the active controller')
    const records = this.#openingRecords()
    if (records.length > 0) await this.#change(() => ({ records, response: null }))
  }

  /** This node does not lead any more: what is not committed is not ours to answer. */
  deactivate(): void {
    if (this.#image === null) return
    this.#image = null
    this.#sessions.clear()
    this.#idleTimer?.cancel()
    this.#sessionTimer?.cancel()
    this.#deps.logger.info({}, 'No longer the active controller')
  }

  #openingRecords(): NewMetadataRecord[] {
    const { image, isInTransaction } = this.#deps.metadata
    const aborted: NewMetadataRecord = {
      type: 'AbortTransactionRecord',
      version: 0,
      value: { reason: 'Controller failover' },
    }
    const isNew = image.metadataVersion === 0
    return [
      ...(isInTransaction ? [aborted] : []),
      ...(isNew ? bootstrapRecords(this.#options.bootstrap, this.#options) : []),
    ]
  }

  createTopics(request: Request<typeof ApiKey.CreateTopics>): Promise<Response<typeof ApiKey.CreateTopics>> {
    const rules = { defaults: this.#options.defaults, configs: this.#deps.configs, random: this.#deps.random }
    return this.#change((image) => createTopics(image, request, rules))
  }

  deleteTopics(request: Request<typeof ApiKey.DeleteTopics>): Promise<Response<typeof ApiKey.DeleteTopics>> {
    return this.#change((image) => deleteTopics(image, request))
  }

  createPartitions(
    request: Request<typeof ApiKey.CreatePartitions>,
  ): Promise<Response<typeof ApiKey.CreatePartitions>> {
    return this.#change((image) => createPartitions(image, request, this.#deps.random))
  }

  incrementalAlterConfigs(
    request: Request<typeof ApiKey.IncrementalAlterConfigs>,
  ): Promise<Response<typeof ApiKey.IncrementalAlterConfigs>> {
    return this.#change((image) => incrementalAlterConfigs(image, request, this.#deps.configs))
  }

  alterConfigs(request: Request<typeof ApiKey.AlterConfigs>): Promise<Response<typeof ApiKey.AlterConfigs>> {
    return this.#change((image) => alterConfigs(image, request, this.#deps.configs))
  }

  updateFeatures(request: Request<typeof ApiKey.UpdateFeatures>): Promise<Response<typeof ApiKey.UpdateFeatures>> {
    const { nodeId } = this.#options
    const { kraftVersion } = this.#deps.quorum
    return this.#change((image) => updateFeatures(image, request, { nodeId, kraftVersion }))
  }

  electLeaders(request: Request<typeof ApiKey.ElectLeaders>): Promise<Response<typeof ApiKey.ElectLeaders>> {
    return this.#change((image) => electLeaders(image, request))
  }

  allocateProducerIds(
    request: Request<typeof ApiKey.AllocateProducerIds>,
  ): Promise<Response<typeof ApiKey.AllocateProducerIds>> {
    return this.#change((image) => allocateProducerIds(image, request))
  }

  async registerBroker(
    request: Request<typeof ApiKey.BrokerRegistration>,
  ): Promise<Response<typeof ApiKey.BrokerRegistration>> {
    const { clusterId } = this.#options
    const result = await this.#attempt((image) => {
      const { nextOffset } = this.#deps.quorum
      const hasSession = this.#sessions.isValid(request.brokerId)
      const outcome = registerBroker(image, request, { clusterId, nextOffset, hasSession })
      this.#sessions.end(request.brokerId)
      return outcome
    })
    if (result instanceof ApiError) return { throttleTimeMs: 0, errorCode: result.code, brokerEpoch: -1n }
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, brokerEpoch: BigInt(result) }
  }

  async brokerHeartbeat(
    request: Request<typeof ApiKey.BrokerHeartbeat>,
  ): Promise<Response<typeof ApiKey.BrokerHeartbeat>> {
    const result = await this.#attempt((image) => {
      const outcome = brokerHeartbeat(image, request)
      this.#sessions.touch(request.brokerId)
      return outcome
    })
    return result instanceof ApiError ? { throttleTimeMs: 0, errorCode: result.code } : result
  }

  async unregisterBroker(
    request: Request<typeof ApiKey.UnregisterBroker>,
  ): Promise<Response<typeof ApiKey.UnregisterBroker>> {
    const result = await this.#attempt((image) => unregisterBroker(image, request.brokerId))
    if (result instanceof ApiError) return { throttleTimeMs: 0, errorCode: result.code, errorMessage: result.text }
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, errorMessage: null }
  }

  /** KIP-919: tells the endpoints and features of a controller. */
  registerController(
    request: Request<typeof ApiKey.ControllerRegistration>,
  ): Promise<Response<typeof ApiKey.ControllerRegistration>> {
    const { controllerId, incarnationId, zkMigrationReady, listeners: endPoints, features } = request
    const value = { controllerId, incarnationId, zkMigrationReady, endPoints, features }
    return this.#change((image) => {
      const isSupported = supportsControllerRegistration(image.metadataVersion)
      return {
        records: isSupported ? [{ type: 'RegisterControllerRecord', version: 0, value }] : [],
        response: {
          throttleTimeMs: 0,
          errorCode: isSupported ? ErrorCode.NONE : ErrorCode.UNSUPPORTED_VERSION,
          errorMessage: isSupported
            ? null
            : 'The current MetadataVersion is too old to support controller registrations.',
        },
      }
    })
  }

  async #attempt<R>(decide: (image: MetadataImage) => Outcome<R>): Promise<R | ApiError> {
    return this.#change<R | ApiError>((image) => {
      const outcome = attempt(() => decide(image))
      return outcome instanceof ApiError ? { records: [], response: outcome } : outcome
    })
  }

  /** Decides now, on everything that was decided before; answers once this, or for a change of nothing all before it, is committed. */
  async #change<R>(decide: (image: MetadataImage) => Outcome<R>): Promise<R> {
    if (this.#image === null) throw new NotControllerError('This node is not the active controller')
    const { records, response } = decide(this.#image)
    if (records.length > 0) this.#pending = this.#propose(this.#image, records)
    await this.#pending
    return response
  }

  #propose(before: MetadataImage, records: readonly NewMetadataRecord[]): Promise<unknown> {
    const { quorum, clock } = this.#deps
    const encoded = records.map(({ type, value, version }) => encodeMetadataRecord(type, value, version))
    const delta = new MetadataDelta(before)
    // What was encoded is what every replica will see: replaying the same bytes cannot differ from it.
    for (const bytes of encoded) delta.replay(decodeMetadataRecord(bytes))
    const offset = quorum.nextOffset + records.length - 1
    const committed = quorum.propose(encoded)
    this.#image = delta.finish({ ...before.provenance, offset })
    this.#lastProposalMs = clock.monotonicMs()
    return committed
  }

  #startTimers(): void {
    const { maxIdleIntervalMs, brokerSessionTimeoutMs } = this.#options
    this.#scheduleSessionCheck(brokerSessionTimeoutMs / 4)
    if (maxIdleIntervalMs > 0) this.#scheduleNoOp(maxIdleIntervalMs)
  }

  /** KIP-835: an idle log still grows, so that a replica that is behind can be told from one that has nothing to read. */
  #scheduleNoOp(delayMs: number): void {
    this.#idleTimer = this.#deps.clock.setTimer(delayMs, () => {
      const { maxIdleIntervalMs } = this.#options
      const idleMs = this.#deps.clock.monotonicMs() - this.#lastProposalMs
      if (idleMs >= maxIdleIntervalMs) this.#background([{ type: 'NoOpRecord', version: 0, value: {} }])
      this.#scheduleNoOp(idleMs >= maxIdleIntervalMs ? maxIdleIntervalMs : maxIdleIntervalMs - idleMs)
    })
  }

  #scheduleSessionCheck(delayMs: number): void {
    this.#sessionTimer = this.#deps.clock.setTimer(delayMs, () => {
      for (const id of this.#sessions.expired()) {
        this.#deps.logger.warn({ brokerId: id }, 'Fencing a broker that sends no heartbeats')
        this.#sessions.end(id)
        this.#background(this.#image === null ? [] : fenceBroker(this.#image, id))
      }
      this.#scheduleSessionCheck(delayMs)
    })
  }

  #background(records: readonly NewMetadataRecord[]): void {
    this.#change(() => ({ records, response: null })).catch((error: unknown) => {
      this.#deps.logger.warn({ error: String(error) }, 'The metadata log refused a record')
    })
  }
}
