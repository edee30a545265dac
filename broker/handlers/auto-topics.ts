import type { ServerConfig } from '../config/server-config.ts'
import type { Clock } from '../env/clock.ts'
import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { ControllerRequests } from '../replication/controller-requests.ts'
import type { Logger } from '../telemetry/logger.ts'
import { WarningPace } from '../telemetry/warning-pace.ts'

export const OFFSETS_TOPIC = '__consumer_offsets'

export interface AutoTopicsDeps {
  readonly controller: ControllerRequests
  readonly server: () => ServerConfig
  /** Resolves when this broker acts on everything that is committed. */
  readonly settled: () => Promise<void>
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly logger: Logger
}

interface Wanted {
  readonly name: string
  readonly numPartitions: number
  readonly replicationFactor: number
  readonly configs: readonly { readonly name: string; readonly value: string }[]
}

/** Topics that the broker creates by itself: those that clients name before they exist, and its own. */
export class AutoTopics {
  readonly #deps: AutoTopicsDeps
  readonly #creating = new Map<string, Promise<ErrorCode>>()
  /** Clients ask again and again for what cannot be created. */
  readonly #pace = new WarningPace()

  constructor(deps: AutoTopicsDeps) {
    this.#deps = deps
  }

  /** Begins to create a topic with the broker's defaults, where auto.create.topics.enable says so; gives the answer meanwhile. */
  onUnknown(name: string): ErrorCode {
    const server = this.#deps.server()
    if (name === OFFSETS_TOPIC) void this.createOffsetsTopic()
    else if (server.autoCreateTopicsEnable) {
      void this.#create({
        name,
        numPartitions: server.numPartitions,
        replicationFactor: server.defaultReplicationFactor,
        configs: [],
      })
    }
    return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  }

  /** Creates `__consumer_offsets` as the broker's settings want it. */
  createOffsetsTopic(): Promise<ErrorCode> {
    const server = this.#deps.server()
    return this.#create({
      name: OFFSETS_TOPIC,
      numPartitions: server.offsetsTopicNumPartitions,
      replicationFactor: server.offsetsTopicReplicationFactor,
      configs: [
        { name: 'cleanup.policy', value: 'compact' },
        { name: 'compression.type', value: 'producer' },
        { name: 'segment.bytes', value: String(server.offsetsTopicSegmentBytes) },
      ],
    })
  }

  #create(wanted: Wanted): Promise<ErrorCode> {
    const creating = this.#creating.get(wanted.name)
    if (creating !== undefined) return creating
    const created = this.#ask(wanted).finally(() => this.#creating.delete(wanted.name))
    this.#creating.set(wanted.name, created)
    return created
  }

  async #ask(wanted: Wanted): Promise<ErrorCode> {
    const { controller, server, settled, logger } = this.#deps
    const { name } = wanted
    try {
      const { topics } = await controller.request(ApiKey.CreateTopics, {
        topics: [{ ...wanted, configs: [...wanted.configs], assignments: [] }],
        // None at all is too little for the controllers of Apache Kafka.
        timeoutMs: server().requestTimeoutMs,
        validateOnly: false,
      })
      const { errorCode, errorMessage } = topics[0] ?? { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, errorMessage: null }
      await settled()
      if (errorCode === ErrorCode.NONE) logger.info({ topic: name }, 'created a topic that was asked for')
      else if (errorCode !== ErrorCode.TOPIC_ALREADY_EXISTS)
        this.#warn({ topic: name, reason: errorMessage }, 'a topic that was asked for cannot be created')
      return errorCode as ErrorCode
    } catch (error) {
      this.#warn({ topic: name, err: error }, 'a topic that was asked for cannot be created now')
      return ErrorCode.COORDINATOR_NOT_AVAILABLE
    }
  }

  #warn(fields: object, message: string): void {
    const { clock, logger } = this.#deps
    if (this.#pace.isDue(clock.monotonicMs())) logger.warn(fields, message)
  }
}
