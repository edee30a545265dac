import type { Clock, Timer } from '../env/clock.ts'
import { ErrorCode } from '../protocol/errors.ts'
import {
  type FetchedPartition,
  type FetchEntry,
  type FetchLimits,
  noteReplica,
  readAgain,
  readAll,
  upToDate,
} from './fetch-read.ts'
import type { Partition } from './partition.ts'
import type { Wait } from './waiters.ts'

/** A Fetch in progress: reads all partitions, and again each that moves on, until there is enough or time is up. */
class DelayedFetch {
  readonly #entries: readonly FetchEntry[]
  readonly #limits: FetchLimits
  readonly #resolve: (fetched: FetchedPartition[]) => void
  readonly #reject: (error: unknown) => void
  readonly #waits: Wait[] = []
  /** Those that have moved on since they were read. */
  readonly #moved = new Set<number>()
  #fetched: FetchedPartition[] = []
  #timer: Timer | undefined
  #reading = false
  #final = false
  #done = false

  constructor(
    entries: readonly FetchEntry[],
    limits: FetchLimits,
    resolve: (fetched: FetchedPartition[]) => void,
    reject: (error: unknown) => void,
  ) {
    this.#entries = entries
    this.#limits = limits
    this.#resolve = resolve
    this.#reject = reject
  }

  /** `first` is a read that began in this same tick, so that nothing can have moved on unnoticed. */
  start(
    first: FetchedPartition[] | Promise<FetchedPartition[]>,
    clock: Clock,
    onAbandoned: (gone: () => void) => void,
  ): void {
    for (const [index, { partition }] of this.#entries.entries()) {
      if (typeof partition !== 'number') this.#waits.push(this.#wakeOn(partition, index))
    }
    this.#final = this.#limits.maxWaitMs <= 0
    if (!this.#final) this.#timer = clock.setTimer(this.#limits.maxWaitMs, () => this.#expire())
    onAbandoned(() => this.#finish([]))
    this.#follow(first)
  }

  #wakeOn(partition: Partition, index: number): Wait {
    const moved = (): void => {
      this.#moved.add(index)
      this.#attempt()
    }
    return this.#limits.replica === undefined ? partition.onProgress(moved) : partition.onWritten(moved)
  }

  #expire(): void {
    this.#final = true
    for (const index of this.#entries.keys()) this.#moved.add(index)
    this.#attempt()
  }

  /** At most one read is under way; what moves on meanwhile is looked at after it. */
  #attempt(): void {
    if (this.#done || this.#reading) return
    const moved = [...this.#moved]
    this.#moved.clear()
    this.#follow(readAgain(this.#entries, this.#limits, this.#fetched, moved))
  }

  #follow(read: FetchedPartition[] | Promise<FetchedPartition[]>): void {
    if (!(read instanceof Promise)) {
      this.#consider(read)
      return
    }
    this.#reading = true
    read.then(
      (fetched) => {
        this.#reading = false
        this.#consider(fetched)
        if (this.#moved.size > 0) this.#attempt()
      },
      (error: unknown) => {
        this.#release()
        this.#reject(error)
      },
    )
  }

  #consider(fetched: FetchedPartition[]): void {
    this.#fetched = fetched
    if (this.#final || isEnough(fetched, this.#limits.minBytes)) this.#finish(fetched)
  }

  #finish(fetched: FetchedPartition[]): void {
    if (this.#done) return
    this.#release()
    this.#resolve(fetched.map((each, index) => upToDate(each, this.#entries[index] as FetchEntry)))
  }

  #release(): void {
    this.#done = true
    this.#timer?.cancel()
    for (const wait of this.#waits) wait.cancel()
  }
}

/**
 * Reads up to the high watermark, the last stable offset for read_committed, or the end of the log for a follower, and waits for `minBytes` at most `maxWaitMs`. An error
 * in any partition that is there answers at once. `onAbandoned` ends the wait of a client that has gone.
 */
export function fetch(
  asked: readonly FetchEntry[],
  limits: FetchLimits,
  clock: Clock,
  onAbandoned: (gone: () => void) => void,
): FetchedPartition[] | Promise<FetchedPartition[]> {
  const entries = limits.replica === undefined ? asked : noteReplica(asked, limits.replica, limits)
  const first = readAll(entries, limits)
  if (!(first instanceof Promise) && (limits.maxWaitMs <= 0 || isEnough(first, limits.minBytes))) return first
  return new Promise((resolve, reject) =>
    new DelayedFetch(entries, limits, resolve, reject).start(first, clock, onAbandoned),
  )
}

function isEnough(fetched: readonly FetchedPartition[], minBytes: number): boolean {
  let bytes = 0
  let unknown = 0
  for (const { error, sizeInBytes, diverging, preferredReadReplica } of fetched) {
    if (isUnknown(error)) unknown++
    else if (error !== ErrorCode.NONE || diverging !== undefined || preferredReadReplica !== -1) return true
    bytes += sizeInBytes
  }
  return bytes >= minBytes || unknown === fetched.length
}

/** A partition that is not there ends no wait: as in Apache Kafka, a consumer of a deleted topic must not spin on it. */
function isUnknown(error: ErrorCode): boolean {
  return error === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION || error === ErrorCode.UNKNOWN_TOPIC_ID
}
