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

interface Shape {
  readonly numPartitions: number
  readonly replicationFactor: number
  readonly configs: Readonly<Record<string, string>>
}

interface Wanted extends Shape {
  readonly name: string
}

/**
 * What coordinators keep their state in, each with settings of its own, as in Apache Kafka; also where no coordinator here writes it yet: made
 * as an ordinary topic, it would be of no use to one that comes later.
 */
const INTERNAL_TOPICS: ReadonlyMap<string, (server: ServerConfig) => Shape> = new Map([
  [
    OFFSETS_TOPIC,
    (server: ServerConfig): Shape => ({
      numPartitions: server.offsetsTopicNumPartitions,
      replicationFactor: server.offsetsTopicReplicationFactor,
      configs: {
        'cleanup.policy': 'compact',
        'compression.type': 'producer',
        'segment.bytes': String(server.offsetsTopicSegmentBytes),
      },
    }),
  ],
  [
    '__transaction_state',
    (server): Shape => ({
      numPartitions: server.transactionStateLogNumPartitions,
      replicationFactor: server.transactionStateLogReplicationFactor,
      configs: {
        'cleanup.policy': 'compact',
        'compression.type': 'uncompressed',
        'min.insync.replicas': String(server.transactionStateLogMinIsr),
        'segment.bytes': String(server.transactionStateLogSegmentBytes),
        'unclean.leader.election.enable': 'false',
      },
    }),
  ],
  [
    '__share_group_state',
    (server): Shape => ({
      numPartitions: server.shareCoordinatorStateTopicNumPartitions,
      replicationFactor: server.shareCoordinatorStateTopicReplicationFactor,
      configs: {
        'cleanup.policy': 'delete',
        'compression.type': 'producer',
        'min.insync.replicas': String(server.shareCoordinatorStateTopicMinIsr),
        'retention.ms': '-1',
        'segment.bytes': String(server.shareCoordinatorStateTopicSegmentBytes),
      },
    }),
  ],
])

/** What the broker makes of topics that a client names. */
function ordinary(server: ServerConfig): Shape {
  return { numPartitions: server.numPartitions, replicationFactor: server.defaultReplicationFactor, configs: {} }
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

  /** Begins to create a topic as the broker's settings want it, where auto.create.topics.enable says so; gives the answer meanwhile. */
  onUnknown(name: string): ErrorCode {
    if (this.#deps.server().autoCreateTopicsEnable) void this.#create(name)
    return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  }

  /** Creates `__consumer_offsets` as the broker's settings want it. */
  createOffsetsTopic(): Promise<ErrorCode> {
    return this.#create(OFFSETS_TOPIC)
  }

  #create(name: string): Promise<ErrorCode> {
    const creating = this.#creating.get(name)
    if (creating !== undefined) return creating
    const shape = (INTERNAL_TOPICS.get(name) ?? ordinary)(this.#deps.server())
    const created = this.#ask({ name, ...shape }).finally(() => this.#creating.delete(name))
    this.#creating.set(name, created)
    return created
  }

  async #ask(wanted: Wanted): Promise<ErrorCode> {
    const { controller, server, settled, logger } = this.#deps
    const { name } = wanted
    const configs = Object.entries(wanted.configs).map(([key, value]) => ({ name: key, value }))
    try {
      const { topics } = await controller.request(ApiKey.CreateTopics, {
        topics: [{ ...wanted, configs, assignments: [] }],
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
