import type { Clock, Timer } from '../env/clock.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { type AppendOutcome, refusedAppend } from './append-outcome.ts'
import type { Partition } from './partition.ts'
import type { Wait } from './waiters.ts'

/** One partition of a Produce request; `partition` is an error where this broker cannot serve it. */
export interface ProduceEntry {
  readonly partition: Partition | ErrorCode
  readonly records: Uint8Array | null
}

/** How long an answer waits: not at all, for the leader's own file, or for all in-sync replicas. */
export type RequiredAcks = 0 | 1 | -1

/** The delayed produce of Kafka's purgatory: one object a request, complete when its last partition is. */
class DelayedProduce {
  /** In the order of the entries; undefined where one is not decided yet. */
  readonly #outcomes: AppendOutcome[] = []
  readonly #waits: Wait[] = []
  readonly #size: number
  readonly #acks: RequiredAcks
  #pending: number
  #isExpired = false
  #timer: Timer | undefined
  #resolve: ((outcomes: AppendOutcome[]) => void) | undefined

  constructor(size: number, acks: RequiredAcks) {
    this.#size = size
    this.#pending = size
    this.#acks = acks
  }

  appended(index: number, partition: Partition, outcome: AppendOutcome): void {
    if (this.#isExpired) {
      this.refused(index, ErrorCode.REQUEST_TIMED_OUT)
      return
    }
    this.#outcomes[index] = outcome
    if (outcome.error !== ErrorCode.NONE || this.#acks === 0) {
      this.#done()
      return
    }
    const reached = (error: ErrorCode): void => {
      if (error !== ErrorCode.NONE) this.#outcomes[index] = refusedAppend(error)
      this.#done()
    }
    const wait =
      this.#acks === 1
        ? partition.awaitLocal(outcome.nextOffset, reached)
        : partition.awaitCommitted(outcome.nextOffset, reached)
    this.#waits.push(wait)
  }

  refused(index: number, error: ErrorCode): void {
    this.#outcomes[index] = refusedAppend(error)
    this.#done()
  }

  #done(): void {
    this.#pending--
    if (this.#pending === 0) this.#finish()
  }

  #finish(): void {
    this.#timer?.cancel()
    this.#resolve?.(this.#outcomes)
  }

  result(clock: Clock, timeoutMs: number): AppendOutcome[] | Promise<AppendOutcome[]> {
    if (this.#pending === 0) return this.#outcomes
    return new Promise((resolve) => {
      this.#resolve = resolve
      this.#timer = clock.setTimer(timeoutMs, () => this.#expire())
    })
  }

  /**
   * What was appended stays appended; the client learns that it may not be replicated yet. What a codec still works on is waited for:
   * with the answer, the memory of the request is used again.
   */
  #expire(): void {
    this.#isExpired = true
    this.#pending = 1
    for (const wait of this.#waits) wait.cancel()
    for (let index = 0; index < this.#size; index++) {
      const outcome = this.#outcomes[index]
      if (outcome === undefined) this.#pending++
      else if (outcome.error === ErrorCode.NONE) this.#outcomes[index] = refusedAppend(ErrorCode.REQUEST_TIMED_OUT)
    }
    this.#done()
  }
}

/** Appends to every partition of a request and waits as `acks` asks, at most `timeoutMs`. Outcomes come in the order of `entries`. */
export function produce(
  entries: readonly ProduceEntry[],
  acks: RequiredAcks,
  timeoutMs: number,
  clock: Clock,
): AppendOutcome[] | Promise<AppendOutcome[]> {
  const delayed = new DelayedProduce(entries.length, acks)
  for (let index = 0; index < entries.length; index++) {
    const { partition, records } = entries[index] as ProduceEntry
    if (typeof partition === 'number') delayed.refused(index, partition)
    else if (records === null) delayed.refused(index, ErrorCode.INVALID_RECORD)
    else appendTo(delayed, index, partition, records, acks)
  }
  return delayed.result(clock, timeoutMs)
}

function appendTo(
  delayed: DelayedProduce,
  index: number,
  partition: Partition,
  records: Uint8Array,
  acks: RequiredAcks,
): void {
  const outcome = partition.append(records, acks === -1)
  if (outcome instanceof Promise) {
    outcome.then(
      (settled) => delayed.appended(index, partition, settled),
      () => delayed.refused(index, ErrorCode.UNKNOWN_SERVER_ERROR),
    )
  } else {
    delayed.appended(index, partition, outcome)
  }
}
