import type { Clock } from '../env/clock.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestOf, ResponseInputOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { Logger } from '../telemetry/logger.ts'
import { registerBroker, unregisterBroker } from './brokers.ts'
import type { Cluster } from './cluster.ts'
import { brokerDirectories, brokerHeartbeat, type BrokerState, fenceBroker } from './heartbeats.ts'
import type { MetadataQuorum } from './metadata-writer.ts'
import { ApiError, attemptOutcome, type Outcome } from './result.ts'
import { Sessions } from './sessions.ts'

export interface BrokerControlOptions {
  readonly nodeId: number
  readonly clusterId: string
  /** broker.session.timeout.ms. */
  readonly brokerSessionTimeoutMs: number
}

export interface BrokerControlDeps {
  readonly quorum: Pick<MetadataQuorum, 'nextOffset' | 'kraftVersion'>
  readonly clock: Clock
  readonly logger: Logger
  /** Decides before it returns; rejects where this node does not lead. */
  readonly change: <R>(decide: (cluster: Cluster) => Outcome<R>) => Promise<R>
  /** With all that was decided; null while this node does not lead. */
  readonly image: () => MetadataImage | null
  readonly heartbeats?: HeartbeatWatch | undefined
}

/** The connections on which brokers send their heartbeats. */
export interface HeartbeatWatch {
  /** Looks after a broker until its heartbeats come; `unreachable` is to be called where nobody listens any more. */
  watch(brokerId: number): void
  isConnected(brokerId: number): boolean
}

type Request<K extends ApiKey> = RequestOf<K>
type Response<K extends ApiKey> = ResponseInputOf<K>

/** Which brokers there are, and which of them are well: registrations, heartbeats, and the end of those that are not heard of. */
export class BrokerControl {
  readonly #options: BrokerControlOptions
  readonly #deps: BrokerControlDeps
  readonly #sessions: Sessions

  constructor(options: BrokerControlOptions, deps: BrokerControlDeps) {
    this.#options = options
    this.#deps = deps
    this.#sessions = new Sessions({ timeoutMs: options.brokerSessionTimeoutMs }, deps)
  }

  /** This node leads: brokers that are unfenced have the time-out to be heard. */
  start({ brokers }: MetadataImage): void {
    for (const { id, isFenced } of brokers.values()) {
      // The broker of this process may be new: it need not wait for the end of the one before it.
      if (!isFenced) this.#sessions.presume(id, { isExclusive: id !== this.#options.nodeId })
    }
  }

  stop(): void {
    this.#sessions.clear()
  }

  /** How long a broker has not been heard of, ms; undefined without a session. */
  silentMs(brokerId: number): number | undefined {
    return this.#sessions.silentMs(brokerId)
  }

  /** Brokers that died with the controller before this one, or before they have heard of this one, send no heartbeat that could be missed. */
  watch({ brokers }: MetadataImage): void {
    for (const { id, isFenced } of brokers.values()) {
      if (!isFenced && id !== this.#options.nodeId) this.#deps.heartbeats?.watch(id)
    }
  }

  /** Nobody listens any more where the broker is registered: it is fenced at once. */
  unreachable(brokerId: number): void {
    if (this.#deps.image()?.brokers.get(brokerId)?.isFenced === false) {
      this.#fence(brokerId, 'Fencing a broker that cannot be reached')
    }
  }

  /** Fences the brokers whose sessions have timed out; to be called every `intervalMs`. */
  fenceSilent(intervalMs: number): void {
    for (const id of this.#sessions.expired(intervalMs)) this.#fence(id, 'Fencing a broker that sends no heartbeats')
  }

  #fence(brokerId: number, why: string): void {
    this.#deps.logger.warn({ brokerId }, why)
    this.#sessions.end(brokerId)
    const fenced = this.#deps.change((cluster) => ({
      records: fenceBroker(cluster, brokerId),
      response: null,
      isDivisible: true,
    }))
    fenced.catch((error: unknown) => this.#deps.logger.warn({ err: error, brokerId }, 'A broker could not be fenced'))
  }

  async register(
    request: Request<typeof ApiKey.BrokerRegistration>,
  ): Promise<Response<typeof ApiKey.BrokerRegistration>> {
    const { clusterId } = this.#options
    const { brokerId, incarnationId } = request
    const result = await this.#attempt((cluster) => {
      const { nextOffset, kraftVersion } = this.#deps.quorum
      const hasSession = this.#sessions.isExclusive(brokerId)
      const isConnected = this.#deps.heartbeats?.isConnected(brokerId) ?? true
      const context = { clusterId, nextOffset, kraftVersion, hasSession, isConnected }
      const outcome = registerBroker(cluster, request, context)
      if (cluster.image.brokers.get(brokerId)?.incarnationId !== incarnationId) this.#sessions.end(brokerId)
      return outcome
    })
    if (result instanceof ApiError) return { throttleTimeMs: 0, errorCode: result.code, brokerEpoch: -1n }
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, brokerEpoch: BigInt(result) }
  }

  async heartbeat(request: Request<typeof ApiKey.BrokerHeartbeat>): Promise<Response<typeof ApiKey.BrokerHeartbeat>> {
    // Failed directories first: a broker that is unfenced must not lead what is in them.
    const directories = this.#attempt((cluster) => brokerDirectories(cluster, request))
    const decided: { state?: BrokerState } = {}
    const result = this.#attempt((cluster) => {
      const outcome = brokerHeartbeat(cluster, request, {
        shutdownOffset: this.#sessions.shutdownOffset(request.brokerId),
        lowestActiveOffset: this.#sessions.lowestActiveOffset(cluster.image.brokers.values()),
      })
      decided.state = outcome.response.state
      return outcome
    })
    if (decided.state !== undefined) this.#heard(request, decided.state)
    const [problem, answer] = await Promise.all([directories, result])
    if (problem instanceof ApiError) return { throttleTimeMs: 0, errorCode: problem.code }
    return answer instanceof ApiError ? { throttleTimeMs: 0, errorCode: answer.code } : answer.response
  }

  #heard({ brokerId, currentMetadataOffset }: Request<typeof ApiKey.BrokerHeartbeat>, state: BrokerState): void {
    // A broker that may stop now is as good as gone: its next incarnation need not wait.
    if (state === 'shutdown') return this.#sessions.end(brokerId)
    this.#sessions.touch(brokerId, { metadataOffset: Number(currentMetadataOffset), isFenced: state === 'fenced' })
    const endOffset = this.#deps.image()?.provenance.offset
    if (state === 'controlled shutdown' && endOffset !== undefined) this.#sessions.shutDown(brokerId, endOffset)
  }

  async unregister(
    request: Request<typeof ApiKey.UnregisterBroker>,
  ): Promise<Response<typeof ApiKey.UnregisterBroker>> {
    const result = await this.#attempt((cluster) => unregisterBroker(cluster, request.brokerId))
    if (result instanceof ApiError) return { throttleTimeMs: 0, errorCode: result.code, errorMessage: result.text }
    this.#sessions.end(request.brokerId)
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, errorMessage: null }
  }

  #attempt<R>(decide: (cluster: Cluster) => Outcome<R>): Promise<R | ApiError> {
    return this.#deps.change((cluster) => attemptOutcome(() => decide(cluster)))
  }
}
