import type { AnswerBudget } from '../lib/answer-budget.ts'
import type { RequestMetrics } from '../telemetry/request-metrics.ts'
import type { Answer } from './connection.ts'

/**
 * One request on its way through the broker, and when it passed what, in monotonic ms: received whole, taken up, handled, answered, sent. It ends
 * up in the metrics of its API once the answer is gone, as in Apache Kafka.
 */
export class Exchange implements Answer {
  bytes: readonly Uint8Array[] = []
  readonly #metrics: RequestMetrics
  readonly #answers: AnswerBudget
  readonly #version: number
  readonly #receivedMs: number
  readonly #startedMs: number
  #handledMs = Number.NaN
  #answeredMs = 0
  #leftMs = 0
  #throttleMs = 0
  sizeInBytes = 0

  constructor(
    deps: { readonly metrics: RequestMetrics; readonly answers: AnswerBudget },
    version: number,
    receivedMs: number,
    startedMs: number,
  ) {
    this.#metrics = deps.metrics
    this.#answers = deps.answers
    this.#version = version
    this.#receivedMs = receivedMs
    this.#startedMs = startedMs
  }

  /** The handler has done what it can by itself: from here on it waits for others. */
  handled(nowMs: number): void {
    this.#handledMs = nowMs
  }

  /** `throttleMs`: for how long the client is asked to be quiet. */
  answered(nowMs: number, throttleMs: number): void {
    this.#answeredMs = nowMs
    this.#throttleMs = throttleMs
    if (Number.isNaN(this.#handledMs)) this.#handledMs = nowMs
  }

  /** There is nothing to be sent. */
  endWithout<Outcome>(outcome: Outcome, nowMs: number): Outcome {
    this.answered(nowMs, 0)
    this.leaves(nowMs)
    this.sent(nowMs)
    return outcome
  }

  leaves(nowMs: number): void {
    this.#leftMs = nowMs
    for (const { length } of this.bytes) this.sizeInBytes += length
    this.#answers.hold(this.sizeInBytes)
  }

  sent(nowMs: number): void {
    this.#answers.release(this.sizeInBytes)
    const metrics = this.#metrics
    metrics.requestQueueTime.observe(this.#startedMs - this.#receivedMs)
    metrics.localTime.observe(this.#handledMs - this.#startedMs)
    metrics.remoteTime.observe(this.#answeredMs - this.#handledMs)
    metrics.throttleTime.observe(this.#throttleMs)
    metrics.responseQueueTime.observe(this.#leftMs - this.#answeredMs)
    metrics.responseSendTime.observe(nowMs - this.#leftMs)
    metrics.totalTime.observe(nowMs - this.#receivedMs)
    metrics.count(this.#version)
  }
}
