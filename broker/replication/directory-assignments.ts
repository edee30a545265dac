import type { Clock, Timer } from '../env/clock.ts'
import { ApiKey } from '../protocol/api-key.ts'
import type { RequestInputOf } from '../protocol/apis.ts'
import { ErrorCode, errorName } from '../protocol/errors.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { ControllerRequests } from './controller-requests.ts'

export interface DirectoryAssignmentsDeps {
  readonly controller: ControllerRequests
  /** Of this broker, as registered last; below 0 before that. */
  readonly brokerEpoch: () => number
  readonly clock: Clock
  readonly logger: Logger
}

/** A replica of this broker and the directory id that it has. */
export interface AssignedReplica {
  readonly topicId: string
  readonly partition: number
  readonly directoryId: string
}

/** As many as Kafka's brokers put in one request. */
const REQUEST_MAX = 2000
const RETRY_MS = 100

/** The replica is not this broker's any more: nobody needs to know where it was. */
const GONE: ReadonlySet<number> = new Set<number>([
  ErrorCode.UNKNOWN_TOPIC_ID,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
])

/** Tells the controller in which of this broker's log dirs its replicas are, so that it knows whom a failed one concerns (KIP-858). */
export class DirectoryAssignments {
  readonly #brokerId: number
  readonly #deps: DirectoryAssignmentsDeps
  /** The newest of each replica. */
  readonly #waiting = new Map<string, AssignedReplica>()
  #inFlight = false
  #retry: Timer | undefined
  #closed = false

  constructor(options: { readonly brokerId: number }, deps: DirectoryAssignmentsDeps) {
    this.#brokerId = options.brokerId
    this.#deps = deps
  }

  /** Replicas of which the controller has not been told yet. */
  get queued(): number {
    return this.#waiting.size
  }

  assign(replica: AssignedReplica): void {
    this.#waiting.set(keyOf(replica), replica)
    this.#deps.clock.defer(() => void this.#send())
  }

  close(): void {
    this.#closed = true
    this.#retry?.cancel()
  }

  async #send(): Promise<void> {
    if (this.#closed || this.#inFlight || this.#retry !== undefined || this.#waiting.size === 0) return
    this.#inFlight = true
    const sent = new Map([...this.#waiting].slice(0, REQUEST_MAX))
    const isDone =
      this.#deps.brokerEpoch() >= 0 && (await this.#ask([...sent.values()], (key) => this.#done(key, sent)))
    this.#inFlight = false
    if (isDone) void this.#send()
    else this.#sendLater()
  }

  #sendLater(): void {
    if (this.#closed) return
    this.#retry = this.#deps.clock.setTimer(RETRY_MS, () => {
      this.#retry = undefined
      void this.#send()
    })
  }

  /** Unless the replica has moved on meanwhile. */
  #done(key: string, sent: ReadonlyMap<string, AssignedReplica>): void {
    if (this.#waiting.get(key) === sent.get(key)) this.#waiting.delete(key)
  }

  /** False where some have to be told again. */
  async #ask(replicas: readonly AssignedReplica[], done: (key: string) => void): Promise<boolean> {
    try {
      const response = await this.#deps.controller.request(ApiKey.AssignReplicasToDirs, this.#request(replicas))
      if (response.errorCode !== ErrorCode.NONE) {
        const error = errorName(response.errorCode)
        this.#deps.logger.warn({ error }, 'the controller did not take the directories of replicas; trying again')
        return false
      }
      const unheard = new Set(replicas.map(keyOf))
      for (const { topics } of response.directories) {
        for (const { topicId, partitions } of topics) {
          for (const { partitionIndex: partition, errorCode } of partitions) {
            if (errorCode !== ErrorCode.NONE && !GONE.has(errorCode)) continue
            const key = keyOf({ topicId, partition })
            unheard.delete(key)
            done(key)
          }
        }
      }
      return unheard.size === 0
    } catch (error) {
      this.#deps.logger.warn({ err: error }, 'the directories of replicas did not reach the controller; trying again')
      return false
    }
  }

  #request(replicas: readonly AssignedReplica[]): RequestInputOf<typeof ApiKey.AssignReplicasToDirs> {
    const directories = Map.groupBy(replicas, ({ directoryId }) => directoryId)
    return {
      brokerId: this.#brokerId,
      brokerEpoch: BigInt(this.#deps.brokerEpoch()),
      directories: [...directories].map(([id, inDirectory]) => ({
        id,
        topics: [...Map.groupBy(inDirectory, ({ topicId }) => topicId)].map(([topicId, partitions]) => ({
          topicId,
          partitions: partitions.map(({ partition }) => ({ partitionIndex: partition })),
        })),
      })),
    }
  }
}

function keyOf({ topicId, partition }: Pick<AssignedReplica, 'topicId' | 'partition'>): string {
  return `${topicId}:${partition}`
}
