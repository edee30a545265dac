import type { Clock, Timer } from '../env/clock.ts'
import type { WaitingBatch } from '../lib/answer-budget.ts'
import { ErrorCode } from '../protocol/errors.ts'
import {
  emptyFetch,
  type FetchedPartition,
  type FetchLimits,
  noteReplica,
  readAll,
  type ReadInto,
  upToDate,
} from './fetch-read.ts'
import type { FetchTarget, FindPartition } from './fetch-target.ts'
import { type FetchTargets, type FetchUnderWay, inOrder } from './fetch-targets.ts'

/** What was due, in the order of the client's partitions. */
export type Fetched = ReadonlyMap<FetchTarget, FetchedPartition>

export interface FetchDeps {
  readonly clock: Clock
  readonly find: FindPartition
}

const NOTHING: Fetched = new Map()

/** A Fetch in progress: reads what is due, and each that moves on, until there is enough or time is up. */
class Fetch implements FetchUnderWay, ReadInto {
  readonly #targets: FetchTargets
  readonly #limits: FetchLimits
  readonly fetched = new Map<FetchTarget, FetchedPartition>()
  /** Those that have moved on since they were read. */
  readonly #moved = new Set<FetchTarget>()
  #answer: { readonly resolve: (fetched: Fetched) => void; readonly reject: (error: unknown) => void } | undefined
  #result: Fetched | undefined
  #timer: Timer | undefined
  #isReading = false
  #heldBytes = 0
  #waiting: WaitingBatch | undefined
  #isFinal: boolean

  constructor(targets: FetchTargets, limits: FetchLimits) {
    this.#targets = targets
    this.#limits = limits
    this.#isFinal = limits.maxWaitMs <= 0
  }

  /** Nothing that happens from here on goes unnoticed: what is read is watched, and what rests has been. */
  run(deps: FetchDeps, onAbandoned: (gone: () => void) => void): Fetched | Promise<Fetched> {
    const first = this.#begin(deps)
    if (!(first instanceof Promise)) this.#consider()
    if (this.#result !== undefined) return this.#result
    return new Promise((resolve, reject) => {
      this.#answer = { resolve, reject }
      if (!this.#isFinal) this.#timer = deps.clock.setTimer(this.#limits.maxWaitMs, () => this.#expire())
      onAbandoned(() => this.abandon())
      if (first instanceof Promise) this.#follow(first)
    })
  }

  get isOver(): boolean {
    return this.#result !== undefined
  }

  hold(bytes: number): void {
    this.#limits.budget?.hold(bytes - this.#heldBytes)
    this.#heldBytes = bytes
  }

  holdFirst(target: FetchTarget, bytes: number): boolean {
    const { budget, takenBytes = 0 } = this.#limits
    this.hold(0)
    const batch = { bytes, takenBytes, wake: () => this.moved(target) }
    if (budget?.hasRoom(batch) === false) {
      this.#wait(batch)
      return false
    }
    this.hold(bytes)
    return true
  }

  /** For the last one that there was no room for. */
  #wait(batch: WaitingBatch | undefined): void {
    if (this.#waiting !== undefined) this.#limits.budget?.cancel(this.#waiting)
    this.#waiting = batch
    if (batch !== undefined) this.#limits.budget?.wait(batch)
  }

  moved(target: FetchTarget): void {
    this.#moved.add(target)
    this.#attempt()
  }

  /** Nobody hears of what was read: it is due again. */
  abandon(): void {
    if (this.#end(NOTHING)) this.#answer?.resolve(NOTHING)
  }

  #begin({ clock, find }: FetchDeps): void | Promise<void> {
    const { replica } = this.#limits
    this.#isReading = true
    try {
      const due = this.#targets.begin(this, this.#limits, clock.monotonicMs())
      for (const target of due) target.partition = find(target.asked)
      if (replica !== undefined) noteReplica(due, replica, this.#limits)
      return readAll(due, this.#limits, this)
    } catch (error) {
      this.#end(NOTHING)
      throw error
    }
  }

  #expire(): void {
    this.#isFinal = true
    for (const target of inOrder(this.#targets.due)) this.#moved.add(target)
    this.#attempt()
  }

  /** At most one read is under way; what moves on meanwhile is looked at after it. */
  #attempt(): void {
    if (this.isOver || this.#isReading) return
    const moved = [...this.#moved]
    this.#moved.clear()
    this.#isReading = true
    const read = readAll(moved, this.#limits, this)
    if (read instanceof Promise) this.#follow(read)
    else this.#consider()
  }

  #follow(read: Promise<void>): void {
    read.then(
      () => this.#consider(),
      (error: unknown) => {
        if (this.#end(NOTHING)) this.#answer?.reject(error)
      },
    )
  }

  #consider(): void {
    this.#isReading = false
    if (this.#isFinal || this.#isEnough()) this.#finish()
    else if (this.#moved.size > 0) this.#attempt()
  }

  #isEnough(): boolean {
    let bytes = 0
    let unknown = 0
    for (const { error, countedBytes, diverging, preferredReadReplica } of this.fetched.values()) {
      if (isUnknown(error)) unknown++
      else if (error !== ErrorCode.NONE || diverging !== undefined || preferredReadReplica !== -1) return true
      bytes += countedBytes
    }
    return bytes >= this.#limits.minBytes || unknown === this.#targets.size
  }

  /** Also tells what has come to pass in the meantime and was no reason to answer. */
  #finish(): void {
    const result = new Map<FetchTarget, FetchedPartition>()
    for (const target of inOrder(this.#targets.due)) {
      const fetched = this.fetched.get(target)
      if (fetched !== undefined) result.set(target, upToDate(fetched, target))
      else if (typeof target.partition !== 'number') result.set(target, emptyFetch(target.partition))
    }
    if (this.#end(result)) this.#answer?.resolve(result)
  }

  /** False where it has ended before. */
  #end(result: Fetched): boolean {
    if (this.isOver) return false
    this.#result = result
    this.hold(0)
    this.#wait(undefined)
    this.#timer?.cancel()
    this.#targets.end(this)
    if (result === NOTHING) for (const target of this.#targets.due) target.unwatch()
    return true
  }
}

/**
 * Reads up to the high watermark, the last stable offset for read_committed, or the end of the log for a follower, and waits for
 * `minBytes` at most `maxWaitMs`. An error in any partition that is there answers at once. `onAbandoned` ends the wait of a client that
 * has gone. Whoever is given the result tells `targets` what becomes of it.
 */
export function fetch(
  targets: FetchTargets,
  limits: FetchLimits,
  deps: FetchDeps,
  onAbandoned: (gone: () => void) => void,
): Fetched | Promise<Fetched> {
  return new Fetch(targets, limits).run(deps, onAbandoned)
}

/** A partition that is not there ends no wait: as in Apache Kafka, a consumer of a deleted topic must not spin on it. */
function isUnknown(error: ErrorCode): boolean {
  return error === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION || error === ErrorCode.UNKNOWN_TOPIC_ID
}
