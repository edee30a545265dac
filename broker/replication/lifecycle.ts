import type { Clock, Timer } from '../env/clock.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestOf, ResponseInputOf } from '../protocol/apis.ts'
import { ErrorCode, errorName } from '../protocol/errors.ts'
import type { Logger } from '../telemetry/logger.ts'

type Registration = RequestOf<typeof ApiKey.BrokerRegistration>
type Heartbeat = RequestOf<typeof ApiKey.BrokerHeartbeat>

/** The way to the active controller. */
export interface ControllerChannel {
  registerBroker(request: Registration): Promise<ResponseInputOf<typeof ApiKey.BrokerRegistration>>
  brokerHeartbeat(request: Heartbeat): Promise<ResponseInputOf<typeof ApiKey.BrokerHeartbeat>>
}

export interface LifecycleOptions {
  readonly registration: Registration & { readonly brokerId: number }
  /** broker.heartbeat.interval.ms */
  readonly heartbeatIntervalMs: number
}

export interface LifecycleDeps {
  readonly controller: ControllerChannel
  readonly clock: Clock
  readonly logger: Logger
  /** The offset up to which this broker has applied the metadata log. */
  readonly metadataOffset: () => number
  /** Ids of log dirs that have failed. */
  readonly offlineLogDirs: () => readonly string[]
}

/** How long after a refused registration it is tried again. */
const REGISTRATION_RETRY_MS = 100
/** How soon an answer is asked for again while something is waited for: to be unfenced, or to be let go. */
const EAGER_HEARTBEAT_MS = 20

/** Registers this broker, keeps it alive with heartbeats, and takes it out of the cluster in order (KIP-631). */
export class BrokerLifecycle {
  readonly #options: LifecycleOptions
  readonly #deps: LifecycleDeps
  readonly #unfenced = Promise.withResolvers<void>()
  readonly #released = Promise.withResolvers<void>()
  #timer: Timer | undefined
  #epoch = -1
  #isFenced = true
  #wantsShutdown = false
  #stopped = false

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

  /** Resolves when the broker is registered and unfenced: clients may come. */
  async start(): Promise<void> {
    await this.#register()
    void this.#beat()
    await this.#unfenced.promise
  }

  async #register(): Promise<void> {
    while (!this.#stopped && !(await this.#registered())) {
      await new Promise<void>((resolve) => this.#deps.clock.setTimer(REGISTRATION_RETRY_MS, resolve))
    }
  }

  /** Whether the controller has taken the registration; one that is not reached may be elected yet. */
  async #registered(): Promise<boolean> {
    const { controller, logger } = this.#deps
    try {
      const { errorCode, brokerEpoch } = await controller.registerBroker(this.#options.registration)
      if (errorCode === ErrorCode.NONE) {
        this.#epoch = Number(brokerEpoch)
        logger.info({ brokerEpoch: this.#epoch }, 'registered with the controller')
        return true
      }
      const error = errorName(errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR)
      logger.warn({ error }, 'the controller refused the registration; trying again')
    } catch (error) {
      logger.warn({ err: error }, 'the registration did not reach the controller; trying again')
    }
    return false
  }

  /** Asks to be let go; resolves when the controller has moved all leadership away, or after `timeoutMs`. */
  async controlledShutdown(timeoutMs: number): Promise<void> {
    if (this.#epoch < 0 || this.#stopped) return
    this.#wantsShutdown = true
    this.#timer?.cancel()
    void this.#beat()
    const giveUp = this.#deps.clock.setTimer(timeoutMs, () => this.#released.resolve())
    await this.#released.promise
    giveUp.cancel()
    this.stop()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    this.#released.resolve()
  }

  async #beat(): Promise<void> {
    if (this.#stopped) return
    const { controller, logger, metadataOffset, offlineLogDirs } = this.#deps
    try {
      const answer = await controller.brokerHeartbeat({
        brokerId: this.#options.registration.brokerId,
        brokerEpoch: BigInt(this.#epoch),
        currentMetadataOffset: BigInt(metadataOffset()),
        wantFence: false,
        wantShutDown: this.#wantsShutdown,
        offlineLogDirs: [...offlineLogDirs()],
        cordonedLogDirs: null,
      })
      if (answer.errorCode === ErrorCode.NONE) this.#heard(answer)
      else
        logger.warn(
          { error: errorName(answer.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR) },
          'the controller refused a heartbeat',
        )
    } catch (error) {
      logger.warn({ err: error }, 'a heartbeat did not reach the controller')
    }
    this.#schedule()
  }

  #heard(answer: ResponseInputOf<typeof ApiKey.BrokerHeartbeat>): void {
    const wasFenced = this.#isFenced
    this.#isFenced = answer.isFenced ?? true
    if (wasFenced && !this.#isFenced) {
      this.#deps.logger.info({}, 'unfenced: clients are served')
      this.#unfenced.resolve()
    }
    if (answer.shouldShutDown === true) this.#released.resolve()
  }

  #schedule(): void {
    if (this.#stopped) return
    const isWaiting = this.#isFenced || this.#wantsShutdown
    const delayMs = isWaiting ? EAGER_HEARTBEAT_MS : this.#options.heartbeatIntervalMs
    this.#timer = this.#deps.clock.setTimer(delayMs, () => void this.#beat())
  }
}
