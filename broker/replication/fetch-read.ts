import type { AnswerBudget } from '../lib/answer-budget.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { DamagedBatchError, StorageError, type StorageErrorCode } from '../storage/errors.ts'
import type { LogSlice } from '../storage/log.ts'
import type { FetchTarget, SessionPartition } from './fetch-target.ts'
import type { Partition } from './partition.ts'
import type { FollowerPosition } from './remote-replica.ts'

/** A follower that fetches; its broker epoch is -1 where it does not tell. */
export interface FetchingReplica {
  readonly brokerId: number
  readonly brokerEpoch: number
}

export interface FetchLimits {
  readonly minBytes: number
  readonly maxBytes: number
  readonly maxWaitMs: number
  readonly readCommitted: boolean
  /** Undefined for a consumer. A follower reads to the end of the log, and only from the leader. */
  readonly replica?: FetchingReplica
  /** The consumer also reads from a follower (KIP-392). */
  readonly mayFollow?: boolean
  /** The follower from which this consumer had better read on (KIP-392); -1 for none. */
  readonly preferredReplica?: (partition: Partition, fetchOffset: number) => number
  /** True where a follower gets nothing for now (KIP-73). */
  readonly isThrottled?: (partition: Partition) => boolean
  /** What is read counts there until the fetch is over, and may be no more than it allows. */
  readonly budget?: AnswerBudget
  /** What the client has taken so far; counts where there is a budget. */
  readonly takenBytes?: number
}

export interface FetchedPartition {
  readonly error: ErrorCode
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly diverging: { readonly epoch: number; readonly endOffset: number } | undefined
  /** -1: none; else nothing was read. */
  readonly preferredReadReplica: number
  readonly buffers: readonly Uint8Array[]
  readonly sizeInBytes: number
  /**
   * What it counts for towards `minBytes`. As in Apache Kafka, where a limit has ended the read that is the limit: whole batches may never
   * come to as much, and waiting would not help.
   */
  readonly countedBytes: number
  /** Of `LogSlice`. */
  readonly wantedBytes: number
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

const NO_REPLICA = -1
const NO_BUFFERS: readonly Uint8Array[] = []

function refusedFetch(error: ErrorCode): FetchedPartition {
  return {
    error,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    diverging: undefined,
    preferredReadReplica: NO_REPLICA,
    buffers: NO_BUFFERS,
    sizeInBytes: 0,
    countedBytes: 0,
    wantedBytes: 0,
  }
}

/** Nothing but where the log begins and ends. */
export function emptyFetch(
  partition: Partition,
  diverging?: FetchedPartition['diverging'],
  preferredReadReplica = NO_REPLICA,
): FetchedPartition {
  const { highWatermark, lastStableOffset, logStartOffset } = partition.log
  return {
    error: ErrorCode.NONE,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    diverging,
    preferredReadReplica,
    buffers: NO_BUFFERS,
    sizeInBytes: 0,
    countedBytes: 0,
    wantedBytes: 0,
  }
}

/** The point where the client's log leaves this leader's, or undefined where it does not. */
function divergence(partition: Partition, asked: SessionPartition): { epoch: number; endOffset: number } | undefined {
  if (asked.lastFetchedEpoch === NO_EPOCH) return undefined
  const end = partition.log.leaderEpochs.endOffsetFor(asked.lastFetchedEpoch, partition.log.logEndOffset)
  const diverges = end.epoch < asked.lastFetchedEpoch || end.endOffset < asked.fetchOffset
  return diverges ? { epoch: end.epoch, endOffset: end.endOffset } : undefined
}

/** Where what is read goes. */
export interface ReadInto {
  readonly fetched: Map<FetchTarget, FetchedPartition>
  /** Told before a file is read how many bytes all of it may come to, and how many it has come to. */
  hold(bytes: number): void
  /** As `hold`, of the first batch, which is larger than the limits; false where it has to wait. */
  holdFirst(target: FetchTarget, bytes: number): boolean
  /** Nobody waits for it any more, and the targets are another fetch's. */
  readonly isOver: boolean
}

/**
 * Reads `targets`, each with what the others leave of `maxBytes` and of the budget, and puts what they give into `fetched`, where it takes the
 * place of what they gave before. Synchronous as long as the tail cache serves.
 */
export function readAll(targets: readonly FetchTarget[], limits: FetchLimits, into: ReadInto): void | Promise<void> {
  let bytes = 0
  for (const { sizeInBytes } of into.fetched.values()) bytes += sizeInBytes
  return readFrom(0, bytes, targets, limits, into)
}

function readFrom(
  first: number,
  bytesBefore: number,
  targets: readonly FetchTarget[],
  limits: FetchLimits,
  into: ReadInto,
): void | Promise<void> {
  const { fetched } = into
  let bytes = bytesBefore
  for (let index = first; index < targets.length; index++) {
    const target = targets[index] as FetchTarget
    const others = bytes - (fetched.get(target)?.sizeInBytes ?? 0)
    target.watch()
    target.hasMoved = false
    // KIP-74: the first non-empty partition gives at least one batch, whatever the limits say, so that consumers make progress.
    const bytesLeft = mostBytes(limits, others) - others
    const maxBytes = Math.max(Math.min(target.asked.maxBytes, bytesLeft), 0)
    const read = others === 0 ? readFirst(target, limits, maxBytes, into) : readOne(target, limits, maxBytes, false)
    if (read instanceof Promise) {
      into.hold(others + maxBytes)
      return read.then((slow) => {
        if (into.isOver) return
        fetched.set(target, slow)
        into.hold(others + slow.sizeInBytes)
        return readFrom(index + 1, others + slow.sizeInBytes, targets, limits, into)
      })
    }
    fetched.set(target, read)
    bytes = others + read.sizeInBytes
    into.hold(bytes)
  }
}

/** What nothing was given before: at least one batch, once there is room for it where the budget has to be kept. */
function readFirst(
  target: FetchTarget,
  limits: FetchLimits,
  maxBytes: number,
  into: ReadInto,
): FetchedPartition | Promise<FetchedPartition> {
  if (limits.budget === undefined) return readOne(target, limits, maxBytes, true)
  const read = readOne(target, limits, Math.max(1, maxBytes), false)
  if (read instanceof Promise) return read.then((slow) => readWhole(slow, target, limits, into))
  return readWhole(read, target, limits, into)
}

/** What was read, or the first batch where that is larger; nothing, which is no reason to answer, where that has to wait. */
function readWhole(
  fetched: FetchedPartition,
  target: FetchTarget,
  limits: FetchLimits,
  into: ReadInto,
): FetchedPartition | Promise<FetchedPartition> {
  const { wantedBytes } = fetched
  if (wantedBytes === 0 || into.isOver) return fetched
  const mayRead = into.holdFirst(target, wantedBytes)
  return mayRead ? readOne(target, limits, wantedBytes, true) : { ...fetched, countedBytes: 0 }
}

/** How large the whole answer may become that has `bytes` already. */
function mostBytes({ maxBytes, budget }: FetchLimits, bytes: number): number {
  return budget === undefined ? maxBytes : Math.min(maxBytes, budget.allowance(bytes))
}

/** The same, with the offsets that the log has now: they move without anybody being told. */
export function upToDate(fetched: FetchedPartition, { partition }: FetchTarget): FetchedPartition {
  if (typeof partition === 'number' || fetched.error !== ErrorCode.NONE) return fetched
  const { highWatermark, lastStableOffset, logStartOffset } = partition.log
  if (
    highWatermark === fetched.highWatermark &&
    lastStableOffset === fetched.lastStableOffset &&
    logStartOffset === fetched.logStartOffset
  )
    return fetched
  return { ...fetched, highWatermark, lastStableOffset, logStartOffset }
}

function readOne(
  { partition, asked }: FetchTarget,
  limits: FetchLimits,
  maxBytes: number,
  minOneBatch: boolean,
): FetchedPartition | Promise<FetchedPartition> {
  if (typeof partition === 'number') return refusedFetch(partition)
  const diverging = check(partition, asked, limits)
  if (typeof diverging === 'number') return refusedFetch(diverging)
  if (diverging !== undefined) return emptyFetch(partition, diverging)
  const { log } = partition
  const { fetchOffset } = asked
  const preferred = limits.preferredReplica?.(partition, fetchOffset) ?? NO_REPLICA
  if (preferred !== NO_REPLICA) return emptyFetch(partition, undefined, preferred)
  if (limits.isThrottled?.(partition) === true) return emptyFetch(partition)
  const limitOffset = limitOf(partition, limits)
  if (fetchOffset >= limitOffset || (maxBytes === 0 && !minOneBatch)) return emptyFetch(partition)
  const read = readLog(partition, maxBytes, () => log.read(fetchOffset, maxBytes, limitOffset, minOneBatch))
  if (!(read instanceof Promise)) return read
  // Meanwhile another may lead, and the log have been cut to be like that one's: it is no continuation of the client's then.
  return read.then((slow) => {
    const error = partition.checkReader(asked.currentLeaderEpoch, limits.mayFollow === true)
    return error === ErrorCode.NONE ? slow : refusedFetch(error)
  })
}

/** Followers get what is not committed yet: that is how it gets committed. */
function limitOf({ log }: Partition, limits: FetchLimits): number {
  if (limits.replica !== undefined) return log.logEndOffset
  return limits.readCommitted ? log.lastStableOffset : log.highWatermark
}

/** Why nothing may be read, or where the client's log leaves this one; undefined where all is well. */
function check(
  partition: Partition,
  asked: SessionPartition,
  limits: FetchLimits,
): ErrorCode | { epoch: number; endOffset: number } | undefined {
  const error = partition.checkReader(asked.currentLeaderEpoch, limits.mayFollow === true)
  if (error !== ErrorCode.NONE) return error
  const { logStartOffset, logEndOffset } = partition.log
  // As in Apache Kafka before it is looked at whether the logs have parted: there is nothing to go back to.
  if (asked.fetchOffset < logStartOffset) return ErrorCode.OFFSET_OUT_OF_RANGE
  const diverging = divergence(partition, asked)
  // This log knows nothing of the client's epoch: there is no common point to go back to (KIP-595).
  if (diverging?.epoch === NO_EPOCH) return ErrorCode.OFFSET_OUT_OF_RANGE
  if (diverging !== undefined) return diverging
  return asked.fetchOffset <= logEndOffset ? undefined : ErrorCode.OFFSET_OUT_OF_RANGE
}

export function positionOf({ brokerEpoch }: FetchingReplica, asked: SessionPartition): FollowerPosition {
  return { fetchOffset: asked.fetchOffset, logStartOffset: asked.logStartOffset, brokerEpoch }
}

/**
 * Whether a client can be given nothing, told nothing new, and, if it is a follower, brought nowhere else, until
 * something happens to the partition.
 */
export function hasEverything(partition: Partition, asked: SessionPartition, limits: FetchLimits): boolean {
  const { replica } = limits
  if (replica !== undefined) return partition.isEven(replica.brokerId, positionOf(replica, asked))
  if (asked.fetchOffset < limitOf(partition, limits)) return false
  // Nobody tells when another replica becomes the better one.
  return limits.preferredReplica === undefined || !partition.isLeader
}

/**
 * Tells the leaders where a follower is: it has all below what it fetches from, as far as its log is this one. Targets of which it is no
 * replica become errors, as in Apache Kafka; where it names an epoch, it may be one that the metadata log has not told of here yet.
 */
export function noteReplica(targets: readonly FetchTarget[], replica: FetchingReplica, limits: FetchLimits): void {
  for (const target of targets) {
    const { partition, asked } = target
    if (typeof partition === 'number' || check(partition, asked, limits) !== undefined) continue
    if (partition.fetchedBy(replica.brokerId, positionOf(replica, asked))) continue
    const namesEpoch = asked.currentLeaderEpoch !== NO_EPOCH
    target.partition = namesEpoch ? ErrorCode.UNKNOWN_LEADER_EPOCH : ErrorCode.NOT_LEADER_OR_FOLLOWER
  }
}

/** A log that was cut, retained away or lost its disk meanwhile is that partition's error, not the request's. */
function readLog(
  partition: Partition,
  maxBytes: number,
  read: () => LogSlice | Promise<LogSlice>,
): FetchedPartition | Promise<FetchedPartition> {
  const failed = (error: unknown): FetchedPartition => refusedFetch(readError(partition, error))
  try {
    const slice = read()
    return slice instanceof Promise
      ? slice.then((late) => withRecords(partition, maxBytes, late)).catch(failed)
      : withRecords(partition, maxBytes, slice)
  } catch (error) {
    return failed(error)
  }
}

/** What a client hears where a read of the partition's log has failed with `error`; throws what is no failure of a log. */
export function readError(partition: Partition, error: unknown): ErrorCode {
  if (error instanceof DamagedBatchError) return partition.damaged(error.offset)
  if (!(error instanceof StorageError)) throw error
  return STORAGE_ERRORS[error.code]
}

function withRecords(partition: Partition, maxBytes: number, slice: LogSlice): FetchedPartition {
  const { highWatermark, lastStableOffset, logStartOffset } = partition.log
  const { buffers, sizeInBytes, hasMore, wantedBytes } = slice
  return {
    error: ErrorCode.NONE,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    diverging: undefined,
    preferredReadReplica: NO_REPLICA,
    buffers,
    sizeInBytes,
    countedBytes: hasMore ? Math.max(sizeInBytes, maxBytes) : sizeInBytes,
    wantedBytes,
  }
}
