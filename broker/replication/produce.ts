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
  /** By the place of the entry: what is appended and not yet where `acks` wants it. */
  readonly #waits = new Map<number, Wait>()
  readonly #acks: RequiredAcks
  /** Appends that are still under way. */
  #undecided: number
  readonly #whenDecided: () => void
  #pending: number
  #isExpired = false
  #timer: Timer | undefined
  #resolve: ((outcomes: AppendOutcome[]) => void) | undefined

  constructor(size: number, acks: RequiredAcks, whenDecided: () => void) {
    this.#undecided = size
    this.#pending = size
    this.#acks = acks
    this.#whenDecided = whenDecided
  }

  appended(index: number, partition: Partition, outcome: AppendOutcome): void {
    this.#outcomes[index] = outcome
    this.#decided()
    if (outcome.error !== ErrorCode.NONE || this.#acks === 0) this.#done()
    else if (this.#isExpired) this.#unreached(index, ErrorCode.REQUEST_TIMED_OUT)
    else this.#await(index, partition, outcome.nextOffset)
  }

  #decided(): void {
    this.#undecided--
    if (this.#undecided === 0) this.#whenDecided()
  }

  #await(index: number, partition: Partition, offset: number): void {
    let isReached = false
    const reached = (error: ErrorCode): void => {
      isReached = true
      this.#waits.delete(index)
      if (error === ErrorCode.NONE) this.#done()
      else this.#unreached(index, error)
    }
    const wait = this.#acks === 1 ? partition.awaitLocal(offset, reached) : partition.awaitCommitted(offset, reached)
    if (!isReached) this.#waits.set(index, wait)
  }

  refused(index: number, error: ErrorCode): void {
    this.#outcomes[index] = refusedAppend(error)
    this.#decided()
    this.#done()
  }

  /** It is appended, and counts as such, but not where `acks` wants it. */
  #unreached(index: number, error: ErrorCode): void {
    const { recordCount } = this.#outcomes[index] as AppendOutcome
    this.#outcomes[index] = { ...refusedAppend(error), recordCount }
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
   * What was appended stays appended; the client learns what of it may not be replicated yet. What a codec still works on is waited for: what
   * becomes of it is not known.
   */
  #expire(): void {
    this.#isExpired = true
    for (const [index, wait] of this.#waits) {
      wait.cancel()
      this.#unreached(index, ErrorCode.REQUEST_TIMED_OUT)
    }
  }
}

/**
 * Appends to every partition of a request and waits as `acks` asks, at most `timeoutMs`. Outcomes come in the order of `entries`. `whenDecided` is
 * called once the last append is staged or refused: nobody looks at `entries` any more.
 */
export function produce(
  entries: readonly ProduceEntry[],
  acks: RequiredAcks,
  timeoutMs: number,
  clock: Clock,
  whenDecided = () => {},
): AppendOutcome[] | Promise<AppendOutcome[]> {
  const delayed = new DelayedProduce(entries.length, acks, whenDecided)
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
