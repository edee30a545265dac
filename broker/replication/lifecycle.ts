import type { Clock, Timer } from '../env/clock.ts'
import { ApiKey } from '../protocol/api-key.ts'
import type { RequestInputOf, ResponseOf } from '../protocol/apis.ts'
import { ErrorCode, errorName } from '../protocol/errors.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { ControllerRequests } from './controller-requests.ts'

type Registration = RequestInputOf<typeof ApiKey.BrokerRegistration>
type HeartbeatResponse = ResponseOf<typeof ApiKey.BrokerHeartbeat>

export interface LifecycleOptions {
  readonly brokerId: number
  /** broker.heartbeat.interval.ms */
  readonly heartbeatIntervalMs: number
  /** How long an answer of the controller is waited for. */
  readonly requestTimeoutMs: number
}

export interface LifecycleDeps {
  readonly controller: ControllerRequests
  readonly clock: Clock
  readonly logger: Logger
  /** What this broker tells of itself: the same incarnation each time. */
  readonly registration: () => Registration
  /** The offset up to which this broker has applied the metadata log. */
  readonly metadataOffset: () => number
  /** Ids of log dirs that have failed. */
  readonly offlineLogDirs: () => readonly string[]
  /** Ids of log dirs that take no new replicas; null where they are not to be told. */
  readonly cordonedLogDirs: () => readonly string[] | null
  /** Whether other brokers are there to take over from this one. */
  readonly hasSuccessors: () => boolean
  /** Whether no controller can decide anything, since too few of them are left, or none is heard of again. */
  readonly isQuorumLost: () => Promise<boolean>
}

/** Kafka's BrokerState. */
const STARTING = 1
const RECOVERY = 2
const RUNNING = 3
const PENDING_CONTROLLED_SHUTDOWN = 6
const SHUTTING_DOWN = 7

/** How long after a failure the controller is asked again; one may be elected meanwhile. */
const RETRY_MS = 50
/** How soon an answer is asked for again while something is waited for: to be unfenced, or to be let go. */
const EAGER_HEARTBEAT_MS = 20
/**
 * How long a broker stays when its leaderships have moved to others: whoever still comes for them is told so. kafkajs looks for another coordinator
 * only then; one that is gone from the metadata at once it goes on asking for until it is back, commits nothing, and reads all of it again.
 * Apache Kafka's brokers stay for broker.heartbeat.interval.ms, 2 s.
 */
const NOTICE_MS = 1000
/** How often a broker that stops looks whether there is still a quorum that could let it go: the cluster may stop as a whole. */
const QUORUM_LOOK_MS = 250
/** A broker that stops does not wait longer for a controller that nobody reaches. */
const UNREACHABLE_MS = 5000

/**
 * Registers this broker, keeps it alive with heartbeats, and takes it out of the cluster in order (KIP-631). It stays fenced until it is
 * ready. A controller that does not know it any more, or knows another incarnation, has it registered again.
 */
export class BrokerLifecycle {
  readonly #options: LifecycleOptions
  readonly #deps: LifecycleDeps
  readonly #registered = Promise.withResolvers<number>()
  readonly #unfenced = Promise.withResolvers<void>()
  readonly #released = Promise.withResolvers<void>()
  #timer: Timer | undefined
  #lookTimer: Timer | undefined
  #epoch = -1
  #isRegistered = false
  #isFenced = true
  /** It has been unfenced once. */
  #wasUnfenced = false
  #isReady = false
  #wantsShutdown = false
  /** Before that a broker that stops does not ask again to be let go; undefined before the controller has moved its leaderships. */
  #noticeEndMs: number | undefined
  #stopped = false
  /** Since when the controller has not been reached; undefined while it is. */
  #unreachedSinceMs: number | undefined
  /** Why the last registration was refused; the log tells it once. */
  #refusal: number = ErrorCode.NONE
  #isAsking = false
  /** Something changed while a request was under way: the next one follows at once. */
  #isPressing = false

  constructor(options: LifecycleOptions, deps: LifecycleDeps) {
    this.#options = options
    this.#deps = deps
  }

  /** -1 before the registration. */
  get epoch(): number {
    return this.#epoch
  }
  get isFenced(): boolean {
    return this.#isFenced
  }
  /** The number of Kafka's BrokerState; who is fenced later on is still RUNNING. */
  get state(): number {
    if (this.#stopped) return SHUTTING_DOWN
    if (this.#wantsShutdown) return PENDING_CONTROLLED_SHUTDOWN
    if (this.#wasUnfenced) return RUNNING
    return this.#epoch < 0 ? STARTING : RECOVERY
  }

  /** Resolves with the broker's epoch when it is registered: the offset of its registration in the metadata log. */
  start(): Promise<number> {
    void this.#communicate()
    return this.#registered.promise
  }

  /** Everything is there that clients need. Resolves when the broker is unfenced. */
  ready(): Promise<void> {
    this.#isReady = true
    this.#communicateNow()
    return this.#unfenced.promise
  }

  /** What this broker tells of itself has changed. */
  registerAgain(): void {
    if (!this.#isRegistered) return
    this.#isRegistered = false
    this.#communicateNow()
  }

  /**
   * Somebody waits for what the next heartbeat tells (how far this broker follows the metadata, which log dirs it has): the controller
   * hears it at once. While this one stops, with its next request.
   */
  tellProgress(): void {
    if (this.#isRegistered && !this.#wantsShutdown) this.#communicateNow()
  }

  /** Asks to be let go; resolves when the controller has moved all leadership away, after `timeoutMs`, or where no controller is reached. */
  async controlledShutdown(timeoutMs: number): Promise<void> {
    if (!this.#isRegistered || this.#stopped) return this.stop()
    this.#wantsShutdown = true
    this.#communicateNow()
    const giveUp = this.#deps.clock.setTimer(timeoutMs, () => this.#released.resolve())
    this.#lookForQuorum()
    await this.#released.promise
    giveUp.cancel()
    this.stop()
  }

  #lookForQuorum(): void {
    this.#lookTimer = this.#deps.clock.setTimer(QUORUM_LOOK_MS, () => {
      void this.#deps.isQuorumLost().then((isLost) => {
        if (this.#stopped) return
        if (isLost) this.#giveUp('no quorum of controllers is heard of that could let this broker go; it stops without')
        else this.#lookForQuorum()
      })
    })
  }

  #giveUp(reason: string): void {
    this.#deps.logger.warn({}, reason)
    this.#released.resolve()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    this.#lookTimer?.cancel()
    this.#released.resolve()
  }

  #communicateNow(): void {
    this.#timer?.cancel()
    this.#isPressing = this.#isAsking
    void this.#communicate()
  }

  /** One request to the controller, and the next when it is due. */
  async #communicate(): Promise<void> {
    if (this.#stopped || this.#isAsking) return
    this.#isAsking = true
    const wasReached = await this.#ask()
    this.#isAsking = false
    if (wasReached) this.#unreachedSinceMs = undefined
    else this.#unreached()
    this.#schedule(wasReached)
  }

  /** False where the controller gave no answer. */
  async #ask(): Promise<boolean> {
    try {
      if (this.#isRegistered) await this.#beat()
      else await this.#register()
      return true
    } catch (error) {
      if (this.#unreachedSinceMs === undefined && !this.#stopped) {
        this.#deps.logger.warn({ err: error }, 'the controller is not reached; trying again')
      }
      return false
    }
  }

  async #register(): Promise<void> {
    const { controller, logger, registration } = this.#deps
    const { requestTimeoutMs } = this.#options
    const answer = await controller.request(ApiKey.BrokerRegistration, registration(), requestTimeoutMs)
    if (answer.errorCode === ErrorCode.NOT_CONTROLLER) throw new Error('another node is the active controller')
    const isNew = answer.errorCode !== this.#refusal
    this.#refusal = answer.errorCode
    if (answer.errorCode !== ErrorCode.NONE) {
      const error = errorName(answer.errorCode)
      if (isNew) logger.warn({ error }, 'the controller refuses the registration; trying again and again')
      return
    }
    this.#epoch = Number(answer.brokerEpoch)
    this.#isRegistered = true
    logger.info({ brokerEpoch: this.#epoch }, 'registered with the controller')
    this.#registered.resolve(this.#epoch)
  }

  async #beat(): Promise<void> {
    const { controller, logger, metadataOffset, offlineLogDirs, cordonedLogDirs } = this.#deps
    const { brokerId, requestTimeoutMs } = this.#options
    const heartbeat = {
      brokerId,
      brokerEpoch: BigInt(this.#epoch),
      currentMetadataOffset: BigInt(metadataOffset()),
      wantFence: !this.#isReady,
      wantShutDown: this.#wantsShutdown,
      offlineLogDirs: [...offlineLogDirs()],
      // Before, the metadata that says which is not followed.
      cordonedLogDirs: this.#isReady ? (cordonedLogDirs()?.slice() ?? null) : null,
    }
    const answer = await controller.request(ApiKey.BrokerHeartbeat, heartbeat, requestTimeoutMs)
    if (answer.errorCode === ErrorCode.NONE) return this.#heard(answer)
    if (answer.errorCode === ErrorCode.NOT_CONTROLLER) throw new Error('another node is the active controller')
    logger.warn({ error: errorName(answer.errorCode) }, 'the controller refused a heartbeat')
    if (REGISTER_AGAIN.has(answer.errorCode)) {
      this.#isRegistered = false
      this.#isFenced = true
    }
  }

  #heard({ isFenced, shouldShutDown }: HeartbeatResponse): void {
    const { logger } = this.#deps
    if (this.#isFenced && !isFenced) logger.info({}, 'unfenced: clients are served')
    else if (!this.#isFenced && isFenced && !this.#wantsShutdown) logger.warn({}, 'fenced by the controller')
    this.#isFenced = isFenced
    this.#wasUnfenced ||= !isFenced
    if (!isFenced) this.#unfenced.resolve()
    if (shouldShutDown) this.#released.resolve()
    else if (this.#wantsShutdown) this.#noticeEndMs ??= this.#nowMs + (this.#deps.hasSuccessors() ? NOTICE_MS : 0)
  }

  get #nowMs(): number {
    return this.#deps.clock.monotonicMs()
  }

  #unreached(): void {
    this.#unreachedSinceMs ??= this.#nowMs
    if (this.#wantsShutdown && this.#nowMs - this.#unreachedSinceMs >= UNREACHABLE_MS) {
      this.#giveUp('no controller is reached that could let this broker go; it stops without')
    }
  }

  #schedule(wasReached: boolean): void {
    if (this.#stopped) return
    const { clock } = this.#deps
    const delayMs = this.#isPressing ? 0 : this.#delayMs(wasReached)
    this.#isPressing = false
    this.#timer = clock.setTimer(delayMs, () => void this.#communicate())
  }

  #delayMs(wasReached: boolean): number {
    if (!wasReached || !this.#isRegistered) return RETRY_MS
    if (this.#wantsShutdown) return Math.max(EAGER_HEARTBEAT_MS, (this.#noticeEndMs ?? 0) - this.#nowMs)
    return this.#isReady && this.#isFenced ? EAGER_HEARTBEAT_MS : this.#options.heartbeatIntervalMs
  }
}

const REGISTER_AGAIN = new Set<number>([ErrorCode.STALE_BROKER_EPOCH, ErrorCode.BROKER_ID_NOT_REGISTERED])
