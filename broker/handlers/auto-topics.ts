import type { ServerConfig } from '../config/server-config.ts'
import type { Clock } from '../env/clock.ts'
import { ApiKey } from '../protocol/api-key.ts'
import type { ResponseOf } from '../protocol/apis.ts'
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
  readonly clock: Pick<Clock, 'monotonicMs' | 'defer'>
  readonly logger: Logger
}

type Answer = Pick<ResponseOf<typeof ApiKey.CreateTopics>['topics'][number], 'errorCode' | 'errorMessage'>

interface Shape {
  readonly numPartitions: number
  readonly replicationFactor: number
  readonly configs: Readonly<Record<string, string>>
}

interface Wanted extends Shape {
  readonly name: string
  readonly resolve: (error: ErrorCode) => void
}

/** Of one CreateTopics request; more partitions the controller refuses, all of them. */
const REQUEST_TOPICS_MAX = 1000
const REQUEST_PARTITIONS_MAX = 10_000
/** A client may name as many topics as fit in a request: of more than these it has to ask again when they are there. */
const CREATING_MAX = 4000

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
  /** Of this tick: what one client asks for at once is asked of the controller at once. */
  #gathered: Wanted[] = []
  /** Clients ask again and again for what cannot be created. */
  readonly #pace = new WarningPace()

  constructor(deps: AutoTopicsDeps) {
    this.#deps = deps
  }

  /** Begins to create a topic as the broker's settings want it, where auto.create.topics.enable says so; gives the answer meanwhile. */
  onUnknown(name: string): ErrorCode {
    if (this.#deps.server().autoCreateTopicsEnable && this.#creating.size < CREATING_MAX) void this.#create(name)
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
    const { promise, resolve } = Promise.withResolvers<ErrorCode>()
    this.#creating.set(name, promise)
    if (this.#gathered.length === 0) this.#deps.clock.defer(() => this.#flush())
    this.#gathered.push({ name, ...shape, resolve })
    return promise
  }

  #flush(): void {
    const gathered = this.#gathered
    this.#gathered = []
    for (const some of requestsOf(gathered)) void this.#ask(some)
  }

  async #ask(wanted: readonly Wanted[]): Promise<void> {
    const { controller, server, settled } = this.#deps
    try {
      const { topics } = await controller.request(ApiKey.CreateTopics, {
        topics: wanted.map(({ name, numPartitions, replicationFactor, configs }) => ({
          name,
          numPartitions,
          replicationFactor,
          configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
          assignments: [],
        })),
        // None at all is too little for the controllers of Apache Kafka.
        timeoutMs: server().requestTimeoutMs,
        validateOnly: false,
      })
      await settled()
      const answers = new Map(topics.map((answer) => [answer.name, answer]))
      for (const each of wanted) this.#answered(each, answers.get(each.name))
    } catch (error) {
      this.#warn({ topic: wanted[0]?.name, err: error }, 'a topic that was asked for cannot be created now')
      for (const each of wanted) this.#done(each, ErrorCode.COORDINATOR_NOT_AVAILABLE)
    }
  }

  #answered(wanted: Wanted, answer: Answer | undefined): void {
    const { errorCode, errorMessage } = answer ?? { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, errorMessage: null }
    const topic = wanted.name
    if (errorCode === ErrorCode.NONE) this.#deps.logger.info({ topic }, 'created a topic that was asked for')
    else if (errorCode !== ErrorCode.TOPIC_ALREADY_EXISTS)
      this.#warn({ topic, reason: errorMessage }, 'a topic that was asked for cannot be created')
    this.#done(wanted, errorCode as ErrorCode)
  }

  #done({ name, resolve }: Wanted, error: ErrorCode): void {
    this.#creating.delete(name)
    resolve(error)
  }

  #warn(fields: object, message: string): void {
    const { clock, logger } = this.#deps
    if (this.#pace.next(clock.monotonicMs()) !== undefined) logger.warn(fields, message)
  }
}

/** As few requests as their limits allow; a topic with more partitions than one may make goes alone, to be refused. */
function* requestsOf(wanted: readonly Wanted[]): Generator<readonly Wanted[]> {
  let some: Wanted[] = []
  let partitions = 0
  for (const each of wanted) {
    partitions += each.numPartitions
    if (some.length > 0 && (some.length === REQUEST_TOPICS_MAX || partitions > REQUEST_PARTITIONS_MAX)) {
      yield some
      some = []
      partitions = each.numPartitions
    }
    some.push(each)
  }
  if (some.length > 0) yield some
}
