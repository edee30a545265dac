import type { Clock, Timer } from '../env/clock.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { StorageError, type StorageErrorCode } from '../storage/errors.ts'
import type { LogSlice } from '../storage/log.ts'
import type { Partition } from './partition.ts'
import type { Wait } from './waiters.ts'

/** One partition of a Fetch; `partition` is an error where this broker cannot serve it. */
export interface FetchEntry {
  readonly partition: Partition | ErrorCode
  readonly fetchOffset: number
  readonly maxBytes: number
  /** -1: the client does not track epochs. */
  readonly currentLeaderEpoch: number
  /** -1: none; else divergence from the leader's log is looked for (KIP-595). */
  readonly lastFetchedEpoch: number
}

export interface FetchLimits {
  readonly minBytes: number
  readonly maxBytes: number
  readonly maxWaitMs: number
  readonly readCommitted: boolean
}

export interface FetchedPartition {
  readonly error: ErrorCode
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly diverging: { readonly epoch: number; readonly endOffset: number } | undefined
  readonly buffers: readonly Uint8Array[]
  readonly sizeInBytes: number
}

const NO_EPOCH = -1

/** What a client hears of a log that cannot be read. */
const STORAGE_ERRORS: Readonly<Record<StorageErrorCode, ErrorCode>> = {
  OFFSET_OUT_OF_RANGE: ErrorCode.OFFSET_OUT_OF_RANGE,
  KAFKA_STORAGE_ERROR: ErrorCode.KAFKA_STORAGE_ERROR,
  CORRUPT_FILE: ErrorCode.CORRUPT_MESSAGE,
  INCONSISTENT_TOPIC_ID: ErrorCode.INCONSISTENT_TOPIC_ID,
  INCONSISTENT_CLUSTER_ID: ErrorCode.KAFKA_STORAGE_ERROR,
  LOG_DIR_NOT_FOUND: ErrorCode.KAFKA_STORAGE_ERROR,
}

const NO_BUFFERS: readonly Uint8Array[] = []

function refusedFetch(error: ErrorCode): FetchedPartition {
  return {
    error,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    diverging: undefined,
    buffers: NO_BUFFERS,
    sizeInBytes: 0,
  }
}

function emptyFetch(partition: Partition, diverging?: { epoch: number; endOffset: number }): FetchedPartition {
  const { highWatermark, lastStableOffset, logStartOffset } = partition.log
  const error = ErrorCode.NONE
  return { error, highWatermark, lastStableOffset, logStartOffset, diverging, buffers: NO_BUFFERS, sizeInBytes: 0 }
}

/** The point where the client's log leaves this leader's, or undefined where it does not. */
function divergence(partition: Partition, entry: FetchEntry): { epoch: number; endOffset: number } | undefined {
  if (entry.lastFetchedEpoch === NO_EPOCH) return undefined
  const end = partition.log.leaderEpochs.endOffsetFor(entry.lastFetchedEpoch, partition.log.logEndOffset)
  const diverges = end.epoch < entry.lastFetchedEpoch || end.endOffset < entry.fetchOffset
  return diverges ? { epoch: end.epoch, endOffset: end.endOffset } : undefined
}

/** A Fetch in progress: reads all partitions, and again each time that one of them moves on, until there is enough or time is up. */
class DelayedFetch {
  readonly #entries: readonly FetchEntry[]
  readonly #limits: FetchLimits
  readonly #resolve: (fetched: FetchedPartition[]) => void
  readonly #reject: (error: unknown) => void
  readonly #waits: Wait[] = []
  #timer: Timer | undefined
  #reading = false
  #movedOn = false
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
    for (const { partition } of this.#entries) {
      if (typeof partition !== 'number') this.#waits.push(partition.onProgress(() => this.#attempt()))
    }
    this.#final = this.#limits.maxWaitMs <= 0
    if (!this.#final) this.#timer = clock.setTimer(this.#limits.maxWaitMs, () => this.#expire())
    onAbandoned(() => this.#finish([]))
    this.#follow(first)
  }

  #expire(): void {
    this.#final = true
    this.#attempt()
  }

  /** At most one read is under way; what moves on meanwhile is looked at after it. */
  #attempt(): void {
    if (this.#done) return
    if (this.#reading) this.#movedOn = true
    else this.#follow(readAll(this.#entries, this.#limits))
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
        const again = this.#movedOn
        this.#movedOn = false
        this.#consider(fetched)
        if (again) this.#attempt()
      },
      (error: unknown) => {
        this.#release()
        this.#reject(error)
      },
    )
  }

  #consider(fetched: FetchedPartition[]): void {
    if (this.#final || isEnough(fetched, this.#limits.minBytes)) this.#finish(fetched)
  }

  #finish(fetched: FetchedPartition[]): void {
    if (this.#done) return
    this.#release()
    this.#resolve(fetched)
  }

  #release(): void {
    this.#done = true
    this.#timer?.cancel()
    for (const wait of this.#waits) wait.cancel()
  }
}

/**
 * Reads up to the high watermark, or the last stable offset for read_committed, and waits for `minBytes` at most `maxWaitMs`. An error
 * in any partition that is there answers at once. `onAbandoned` ends the wait of a client that has gone.
 */
export function fetch(
  entries: readonly FetchEntry[],
  limits: FetchLimits,
  clock: Clock,
  onAbandoned: (gone: () => void) => void,
): FetchedPartition[] | Promise<FetchedPartition[]> {
  const first = readAll(entries, limits)
  if (!(first instanceof Promise) && (limits.maxWaitMs <= 0 || isEnough(first, limits.minBytes))) return first
  return new Promise((resolve, reject) =>
    new DelayedFetch(entries, limits, resolve, reject).start(first, clock, onAbandoned),
  )
}

function isEnough(fetched: readonly FetchedPartition[], minBytes: number): boolean {
  let bytes = 0
  let unknown = 0
  for (const { error, sizeInBytes, diverging } of fetched) {
    if (isUnknown(error)) unknown++
    else if (error !== ErrorCode.NONE || diverging !== undefined) return true
    bytes += sizeInBytes
  }
  return bytes >= minBytes || unknown === fetched.length
}

/** A partition that is not there ends no wait: as in Apache Kafka, a consumer of a deleted topic must not spin on it. */
function isUnknown(error: ErrorCode): boolean {
  return error === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION || error === ErrorCode.UNKNOWN_TOPIC_ID
}

/** Synchronous as long as the tail cache serves; each partition takes from what its predecessors left of `maxBytes`. */
function readAll(
  entries: readonly FetchEntry[],
  limits: FetchLimits,
): FetchedPartition[] | Promise<FetchedPartition[]> {
  const fetched: FetchedPartition[] = []
  return readFrom(entries, limits, fetched, limits.maxBytes)
}

function readFrom(
  entries: readonly FetchEntry[],
  limits: FetchLimits,
  fetched: FetchedPartition[],
  bytesLeft: number,
): FetchedPartition[] | Promise<FetchedPartition[]> {
  let left = bytesLeft
  while (fetched.length < entries.length) {
    const entry = entries[fetched.length] as FetchEntry
    // KIP-74: the first non-empty partition gives at least one batch, whatever the limits say, so that consumers make progress.
    const read = readOne(entry, limits, left, left === limits.maxBytes)
    if (read instanceof Promise) {
      return read.then((slow) => {
        fetched.push(slow)
        return readFrom(entries, limits, fetched, left - slow.sizeInBytes)
      })
    }
    fetched.push(read)
    left -= read.sizeInBytes
  }
  return fetched
}

function readOne(
  entry: FetchEntry,
  limits: FetchLimits,
  bytesLeft: number,
  minOneBatch: boolean,
): FetchedPartition | Promise<FetchedPartition> {
  const { partition, fetchOffset } = entry
  if (typeof partition === 'number') return refusedFetch(partition)
  const error = partition.checkLeader(entry.currentLeaderEpoch)
  if (error !== ErrorCode.NONE) return refusedFetch(error)
  const diverging = divergence(partition, entry)
  // This log knows nothing of the client's epoch: there is no common point to go back to (KIP-595).
  if (diverging?.epoch === NO_EPOCH) return refusedFetch(ErrorCode.OFFSET_OUT_OF_RANGE)
  if (diverging !== undefined) return emptyFetch(partition, diverging)
  const { log } = partition
  if (fetchOffset < log.logStartOffset || fetchOffset > log.logEndOffset)
    return refusedFetch(ErrorCode.OFFSET_OUT_OF_RANGE)
  const limitOffset = limits.readCommitted ? log.lastStableOffset : log.highWatermark
  const maxBytes = Math.min(entry.maxBytes, bytesLeft)
  if (fetchOffset >= limitOffset || (maxBytes <= 0 && !minOneBatch)) return emptyFetch(partition)
  return readLog(partition, () => log.read(fetchOffset, Math.max(maxBytes, 0), limitOffset, minOneBatch))
}

/** A log that was cut, retained away or lost its disk meanwhile is that partition's error, not the request's. */
function readLog(
  partition: Partition,
  read: () => LogSlice | Promise<LogSlice>,
): FetchedPartition | Promise<FetchedPartition> {
  const failed = (error: unknown): FetchedPartition => {
    if (!(error instanceof StorageError)) throw error
    return refusedFetch(STORAGE_ERRORS[error.code])
  }
  try {
    const slice = read()
    return slice instanceof Promise
      ? slice.then((late) => withRecords(partition, late)).catch(failed)
      : withRecords(partition, slice)
  } catch (error) {
    return failed(error)
  }
}

function withRecords(partition: Partition, slice: LogSlice): FetchedPartition {
  const { highWatermark, lastStableOffset, logStartOffset } = partition.log
  return {
    error: ErrorCode.NONE,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    diverging: undefined,
    buffers: slice.buffers,
    sizeInBytes: slice.sizeInBytes,
  }
}
