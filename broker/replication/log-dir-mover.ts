import type { Clock, Timer } from '../env/clock.ts'
import { type MetadataImage, ResourceType } from '../metadata/image.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { RateLimit, type RateLimitOptions } from '../quota/rate-limit.ts'
import { DamagedBatchError, StorageError } from '../storage/errors.ts'
import type { EpochEnd } from '../storage/leader-epochs.ts'
import type { PartitionLog } from '../storage/log.ts'
import type { LogManager } from '../storage/log-manager.ts'
import type { Logger } from '../telemetry/logger.ts'
import { divergencePoint } from './followed.ts'
import type { Fetchers } from './metadata-publisher.ts'
import type { Partition } from './partition.ts'
import { Turns } from './turns.ts'

export interface LogDirMoverDeps {
  readonly logs: LogManager
  readonly fetchers: Fetchers
  readonly clock: Clock
  readonly logger: Logger
  /** The replica is in another log dir. */
  readonly onMoved: (partition: Partition) => void
}

const RATE_KEY = 'replica.alter.log.dirs.io.max.bytes.per.second'
const CLUSTER_WIDE = ''
/** As much as is copied in one step. */
const STEP_BYTES = 1024 * 1024
/** How long a copy rests that is over its quota. */
const REST_MS = 100
/** The same after a failure, which may last: a damaged log may have its only replica here. */
const FAILED_REST_MS = 3000
/** A copy that lacks no more than this is made whole while appends wait. */
const LAST_STEP_BYTES = 256 * 1024

/** Moves replicas between the log dirs of this broker: a copy is made beside the log, and takes its place when it is whole (KIP-113). */
export class LogDirMover {
  readonly #deps: LogDirMoverDeps
  readonly #nodeId: number
  readonly #rate: RateLimit
  readonly #moving = new Map<Partition, PartitionLog>()
  readonly #rests = new Map<Partition, Timer>()
  /** Of moves that begin: each looks at what the one before has left. */
  readonly #turns = new Turns()
  #closed = false

  constructor(options: RateLimitOptions & { readonly nodeId: number }, deps: LogDirMoverDeps) {
    this.#nodeId = options.nodeId
    this.#deps = deps
    this.#rate = new RateLimit(options, deps)
  }

  configure(image: MetadataImage): void {
    const text =
      image.configsOf(ResourceType.BROKER, String(this.#nodeId)).get(RATE_KEY) ??
      image.configsOf(ResourceType.BROKER, CLUSTER_WIDE).get(RATE_KEY)
    this.#rate.limit = text === undefined ? Infinity : Number(text)
  }

  /** Begins to move a replica to the log dir `path`, online; another move of it ends. */
  async move(partition: Partition, path: string): Promise<ErrorCode> {
    return this.#turns.run(() => this.#begin(partition, path))
  }

  async #begin(partition: Partition, path: string): Promise<ErrorCode> {
    const { logs } = this.#deps
    // A copy that is about to be the log is not given up: it is moved on.
    while (partition.isBusy) await partition.settled()
    const { log } = partition
    const before = logs.future(log.topic, log.partition)
    if (before?.parentDirectory === path) return ErrorCode.NONE
    try {
      this.stop(partition)
      if (before !== undefined) await logs.deleteFuture(before)
      if (log.parentDirectory === path) return ErrorCode.NONE
      const future = await logs.createFuture(log, path)
      if (partition.isOffline) {
        await logs.deleteFuture(future)
        return ErrorCode.KAFKA_STORAGE_ERROR
      }
      this.#start(partition, future)
      return ErrorCode.NONE
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
      return ErrorCode.KAFKA_STORAGE_ERROR
    }
  }

  /** Goes on with a copy that an earlier run of the broker has begun. */
  resume(partition: Partition): void {
    const { topic, partition: index, parentDirectory } = partition.log
    const future = this.#deps.logs.future(topic, index)
    if (future === undefined || this.#moving.get(partition) === future) return
    // Its log was lost with a disk, and made anew where the copy is: it is where it was to be.
    if (future.parentDirectory === parentDirectory) void this.#deps.logs.deleteFuture(future)
    else this.#start(partition, future)
  }

  /** The replica is not here any more, and its copy is not needed: it is gone at once, and nothing tells of it when this resolves. */
  async abandon(partition: Partition): Promise<void> {
    this.stop(partition)
    const { logs } = this.#deps
    const { topic, partition: index } = partition.log
    const future = logs.future(topic, index)
    if (future !== undefined) await logs.deleteFuture(future)
  }

  /** The copy stays where it is. */
  stop(partition: Partition): void {
    this.#moving.delete(partition)
    this.#rests.get(partition)?.cancel()
    this.#rests.delete(partition)
  }

  close(): void {
    this.#closed = true
    for (const partition of this.#moving.keys()) this.stop(partition)
  }

  #start(partition: Partition, future: PartitionLog): void {
    const { topic, partition: index } = partition.log
    this.#deps.logger.info(
      { topic, partition: index, to: future.parentDirectory },
      'a replica moves to another log dir',
    )
    this.#moving.set(partition, future)
    void this.#copy(partition, future)
  }

  #isMoving(partition: Partition, future: PartitionLog): boolean {
    return !this.#closed && !partition.isOffline && this.#moving.get(partition) === future
  }

  async #copy(partition: Partition, future: PartitionLog): Promise<void> {
    try {
      while (this.#isMoving(partition, future)) {
        if (this.#rate.isExceeded) {
          this.#rest(partition, future, REST_MS)
          return
        }
        // Settings change meanwhile; of a copy that an earlier run of the broker has begun, this one knew none.
        if (future.config !== partition.log.config) future.updateConfig(partition.log.config)
        await agree(partition.log, future)
        const isClose = await this.#step(partition.log, future)
        if (isClose && this.#isMoving(partition, future)) {
          await this.#finish(partition, future)
          return
        }
      }
    } catch (error) {
      const { topic, partition: index } = future
      this.#deps.logger.error(
        { topic, partition: index, err: error },
        'the move of a replica to another log dir has failed',
      )
      // Where another replica has it, it is cut off and fetched again, and the copy goes on.
      if (error instanceof DamagedBatchError) partition.damaged(error.offset)
      if (!future.isFailed) this.#rest(partition, future, FAILED_REST_MS)
    }
  }

  #rest(partition: Partition, future: PartitionLog, ms: number): void {
    if (!this.#isMoving(partition, future)) return
    const timer = this.#deps.clock.setTimer(ms, () => void this.#copy(partition, future))
    this.#rests.set(partition, timer)
  }

  /** Copies some; true where only little is left. */
  async #step(log: PartitionLog, future: PartitionLog): Promise<boolean> {
    const sizeInBytes = await copyStep(log, future)
    this.#rate.record(sizeInBytes)
    return sizeInBytes <= LAST_STEP_BYTES
  }

  async #finish(partition: Partition, future: PartitionLog): Promise<void> {
    const { logs, fetchers, logger } = this.#deps
    fetchers.stop(partition)
    try {
      await partition.replaceLog(async (log) => {
        await agree(log, future)
        while (future.logEndOffset < log.logEndOffset) await copyStep(log, future)
        future.updateHighWatermark(log.highWatermark)
        if (log.logStartOffset <= future.highWatermark) future.incrementLogStartOffset(log.logStartOffset)
        if (!this.#isMoving(partition, future))
          throw new StorageError('KAFKA_STORAGE_ERROR', 'The move has ended before')
        // What fails before this is tried again; what fails from here on is done in part.
        this.stop(partition)
        const moved = await logs.promote(future)
        takeOverEpoch(log.leaderEpochs, moved)
        return moved
      })
    } finally {
      fetchers.follow(partition)
    }
    const { topic, partition: index, parentDirectory } = partition.log
    logger.info({ topic, partition: index, to: parentDirectory }, 'a replica has moved to another log dir')
    this.#deps.onMoved(partition)
  }
}

/** Cuts off what the copy has and the log does not; where nothing is left, or the log begins earlier than it did, it begins anew. */
async function agree(log: PartitionLog, future: PartitionLog): Promise<void> {
  for (let end = divergence(log, future); end !== undefined; end = divergence(log, future))
    await future.truncateTo(divergencePoint(future, end))
  const { logStartOffset } = log
  const isLeftBehind = future.logEndOffset <= logStartOffset && future.logStartOffset < logStartOffset
  if (isLeftBehind || future.logStartOffset > logStartOffset) future.truncateFullyAndStartAt(logStartOffset)
}

/** Up to where the log has what the copy has; undefined where that is all. */
function divergence({ leaderEpochs, logEndOffset }: PartitionLog, future: PartitionLog): EpochEnd | undefined {
  const { latestEpoch } = future.leaderEpochs
  const known = leaderEpochs.endOffsetFor(latestEpoch, logEndOffset)
  // All may have been cut off of an epoch that came after those that the log knows, which are none where it is empty.
  const end = known.epoch < 0 ? { epoch: leaderEpochs.latestEpoch, endOffset: logEndOffset } : known
  const isOlder = end.epoch >= 0 && end.epoch < latestEpoch
  return isOlder || end.endOffset < future.logEndOffset ? end : undefined
}

/** An epoch whose leader has written nothing is in no batch, and so not in the copy: clients and followers ask for it all the same. */
function takeOverEpoch(
  { latestEpoch }: { readonly latestEpoch: number },
  { leaderEpochs, logEndOffset }: PartitionLog,
): void {
  if (latestEpoch > leaderEpochs.latestEpoch) leaderEpochs.assign(latestEpoch, logEndOffset)
}

/** Copies batches from where the copy ends; how many bytes. */
async function copyStep(log: PartitionLog, future: PartitionLog): Promise<number> {
  const { buffers, sizeInBytes } = await log.read(future.logEndOffset, STEP_BYTES, log.logEndOffset, true)
  for (const bytes of buffers) {
    const result = future.appendAsFollower(bytes)
    if (!result.ok) throw new StorageError('KAFKA_STORAGE_ERROR', result.message)
  }
  future.writeStaged()
  return sizeInBytes
}
