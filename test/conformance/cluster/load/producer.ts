import { setTimeout as sleep } from 'node:timers/promises'
import { KafkaError } from '../../../../broker/client/kafka-error.ts'
import { ApiKey } from '../../../../broker/protocol/api-key.ts'
import { ErrorCode } from '../../../../broker/protocol/errors.ts'
import { buildBatch } from '../../../../broker/records/build.ts'
import type { Entry } from './audit.ts'
import { type ClusterView, type Leader, patiently } from './view.ts'

export interface ProducerOptions {
  /** Tells its records from those of others. */
  readonly producer: number
  readonly topic: string
  readonly partitions: number
  readonly recordsPerBatch?: number
  /** Between an acknowledgement and the next batch of the partition. */
  readonly pauseMs?: number
  /** How long an answer is waited for before the batch is sent again, to whoever leads then. */
  readonly requestTimeoutMs?: number
}

/** A batch that was acknowledged, or an attempt that failed. */
export interface Outcome {
  readonly partition: number
  /** As `performance.now()`. */
  readonly atMs: number
  readonly brokerId: number
  /** `NONE`, or the name of Kafka's error code; what fails on this side has the name that Kafka's clients give. */
  readonly code: string
  /** False for what failed on this side. */
  readonly isAnswer: boolean
}

/** As Kafka's clients by default. */
const RETRY_BACKOFF_MS = 100
const BROKER_TIMEOUT_MS = 30_000

/** What no producer gets over: its records are not where they should be. */
const FATAL: ReadonlySet<string> = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
  'CORRUPT_MESSAGE',
  'INVALID_RECORD',
  'UNKNOWN_SERVER_ERROR',
])

/**
 * An idempotent producer with acks=all that writes numbered records to every partition, one batch at a time each, and sends each batch
 * until it is acknowledged. Says of each attempt what became of it.
 */
export class NumberedProducer {
  readonly #options: Required<ProducerOptions>
  readonly #view: ClusterView
  readonly #encoder = new TextEncoder()
  #producerId = -1
  #isStopping = false
  #isAbandoned = false
  #failure: unknown
  #loops: Promise<void>[] = []
  readonly acknowledged: Entry[] = []
  readonly outcomes: Outcome[] = []

  constructor(options: ProducerOptions, view: ClusterView) {
    this.#options = { recordsPerBatch: 5, pauseMs: 5, requestTimeoutMs: 2000, ...options }
    this.#view = view
  }

  async start(): Promise<void> {
    const answer = await patiently(async () => {
      const got = await this.#view.any(ApiKey.InitProducerId, { transactionalId: null, transactionTimeoutMs: 0 }, 5000)
      if (got.errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(got.errorCode)
      return got
    })
    this.#producerId = Number(answer.producerId)
    await this.#view.refresh()
    this.#loops = Array.from({ length: this.#options.partitions }, (_, partition) => this.#loop(partition))
    for (const loop of this.#loops) loop.catch((error: unknown) => (this.#failure ??= error))
  }

  /** Throws what the producer could not get over, if anything. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Resolves when what is on its way is acknowledged. Rejects with what no producer gets over. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await Promise.all(this.#loops)
  }

  /** Ends without waiting: what is not acknowledged yet may be written or not. */
  abandon(): void {
    this.#isStopping = true
    this.#isAbandoned = true
  }

  async #loop(partition: number): Promise<void> {
    const { recordsPerBatch, pauseMs } = this.#options
    for (let sequence = 0; !this.#isStopping; sequence += recordsPerBatch) {
      const offset = await this.#deliver(partition, this.#batch(sequence))
      for (let index = 0; index < recordsPerBatch; index++) {
        const entry = { partition, producer: this.#options.producer, sequence: sequence + index }
        this.acknowledged.push({ ...entry, offset: offset + index })
      }
      await sleep(pauseMs)
    }
  }

  /** The batch's base offset. */
  async #deliver(partition: number, batch: Uint8Array): Promise<number> {
    for (;;) {
      if (this.#isAbandoned) throw new Error('the producer was abandoned')
      const leader = this.#view.leaderOf(partition)
      if (leader !== undefined) {
        const { code, offset, isAnswer } = await this.#send(leader, partition, batch)
        this.outcomes.push({ partition, atMs: performance.now(), brokerId: leader.brokerId, code, isAnswer })
        if (code === 'NONE') return offset
        if (FATAL.has(code)) throw new Error(`partition ${partition} of broker ${leader.brokerId} said ${code}`)
      }
      await this.#view.refresh()
      // A leader that is new is worth asking at once.
      if (this.#view.leaderOf(partition)?.brokerId === leader?.brokerId) await sleep(RETRY_BACKOFF_MS)
    }
  }

  async #send(
    leader: Leader,
    partition: number,
    records: Uint8Array,
  ): Promise<Pick<Outcome, 'code' | 'isAnswer'> & { offset: number }> {
    const topicData = [
      { name: this.#options.topic, topicId: leader.topicId, partitionData: [{ index: partition, records }] },
    ]
    try {
      const body = { acks: -1, timeoutMs: BROKER_TIMEOUT_MS, topicData }
      const answer = await leader.peer.request(ApiKey.Produce, body, this.#options.requestTimeoutMs)
      const result = answer.responses[0]?.partitionResponses[0]
      if (result === undefined) return { code: 'UNKNOWN_SERVER_ERROR', offset: -1, isAnswer: true }
      const code = result.errorCode === ErrorCode.NONE ? 'NONE' : KafkaError.fromCode(result.errorCode).code
      return { code, offset: Number(result.baseOffset), isAnswer: true }
    } catch (error) {
      if (error instanceof KafkaError) return { code: error.code, offset: -1, isAnswer: false }
      throw error
    }
  }

  #batch(sequence: number): Uint8Array {
    const { producer, recordsPerBatch } = this.#options
    const records = Array.from({ length: recordsPerBatch }, (_, index) => ({
      key: null,
      value: this.#encoder.encode(`${producer} ${sequence + index}`),
    }))
    const identity = { producerId: this.#producerId, producerEpoch: 0, baseSequence: sequence }
    return buildBatch({ records, baseTimestampMs: Date.now(), ...identity })
  }
}
