import type { ServerConfig } from '../config/server-config.ts'
import type { Clock, Timer } from '../env/clock.ts'
import { ApiKey } from '../protocol/api-key.ts'
import type { RequestInputOf, ResponseOf } from '../protocol/apis.ts'
import { ErrorCode, errorName } from '../protocol/errors.ts'
import type { FrameMemory } from '../protocol/frame-decoder.ts'
import type { PartitionLog } from '../storage/log.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { FetchPace } from './fetch-pace.ts'
import { FetchPlan } from './fetch-plan.ts'
import { fetchTopics, forgottenTopics } from './fetcher-session.ts'
import { divergencePoint, Followed, impossibleFrom, isSaved } from './followed.ts'
import type { LeaderLink } from './leader-link.ts'
import { leaderOffsets } from './leader-offsets.ts'
import type { Partition } from './partition.ts'
import type { FollowerThrottle } from './throttle.ts'

export interface ReplicaFetcherDeps {
  readonly link: LeaderLink
  readonly server: () => ServerConfig
  /** Of this broker; below 0 before it is registered. */
  readonly brokerEpoch: () => number
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly throttle: FollowerThrottle
  /** Of the leader's answers, whose batches are in the files when they have been dealt with. */
  readonly memory: FrameMemory
}

type FetchResponse = ResponseOf<typeof ApiKey.Fetch>
type FetchedPartition = FetchResponse['responses'][number]['partitions'][number]

/** How long after a lost connection the first attempt to make another; it doubles up to replica.fetch.backoff.ms. */
const FIRST_RETRY_MS = 20
/** How long a fetch may have waited before a partition that has come since is worth a new connection. */
const KICK_AFTER_MS = 20
/** A new session names all partitions: the more there are, the longer it has to be worth it. */
const KICK_AFTER_MS_PER_PARTITION = 0.02
/** How long a throttled partition rests before its quota is looked at again. */
const THROTTLED_MS = 100
const REGISTRATION_POLL_MS = 20

/** Both brokers will know the same in a moment. */
const TRANSIENT: ReadonlySet<number> = new Set<number>([
  ErrorCode.UNKNOWN_LEADER_EPOCH,
  ErrorCode.FENCED_LEADER_EPOCH,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.UNKNOWN_TOPIC_ID,
  ErrorCode.INCONSISTENT_TOPIC_ID,
  ErrorCode.REPLICA_NOT_AVAILABLE,
])

/**
 * Fetches from one leader, for all partitions that follow it: one request at a time, each a long poll over one session. What comes goes
 * to the logs as it is, and is in their files before the next request says so.
 */
export class ReplicaFetcher {
  readonly #brokerId: number
  readonly #deps: ReplicaFetcherDeps
  readonly #plan = new FetchPlan()
  readonly #pace: FetchPace
  #wake: (() => void) | undefined
  #sentMs: number | undefined
  #kick: Timer | undefined
  #retryMs = FIRST_RETRY_MS
  #closed = false

  constructor(options: { readonly brokerId: number }, deps: ReplicaFetcherDeps) {
    this.#brokerId = options.brokerId
    this.#deps = deps
    this.#pace = new FetchPace(deps)
    void this.#run()
  }

  get size(): number {
    return this.#plan.size
  }

  /** Records behind the leader, of the partition that is furthest. */
  get maxLag(): number {
    let lag = 0
    for (const followed of this.#plan) lag = Math.max(lag, followed.lag ?? 0)
    return lag
  }

  get failedCount(): number {
    let count = 0
    for (const { isFailed } of this.#plan) if (isFailed) count++
    return count
  }

  follow(partition: Partition, leaderEpoch: number): void {
    this.#plan.add(new Followed(partition, leaderEpoch))
    this.#wakeUp()
    this.#kickSoon()
  }

  unfollow(partition: Partition): void {
    this.#plan.remove(partition.topicId, partition.log.partition)
  }

  close(): void {
    this.#closed = true
    this.#plan.close()
    this.#kick?.cancel()
    this.#deps.link.close()
    this.#wakeUp()
  }

  #wakeUp(): void {
    this.#wake?.()
  }

  /** A partition that has come should not wait for the end of a long poll that does not know it. */
  #kickSoon(): void {
    if (this.#sentMs === undefined || this.#kick !== undefined) return
    const waitedMs = this.#deps.clock.monotonicMs() - this.#sentMs
    const afterMs = KICK_AFTER_MS + this.#plan.size * KICK_AFTER_MS_PER_PARTITION
    this.#kick = this.#deps.clock.setTimer(Math.max(0, afterMs - waitedMs), () => {
      this.#kick = undefined
      if (this.#sentMs !== undefined && this.#plan.hasChanged) this.#deps.link.drop()
    })
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      if (this.#deps.brokerEpoch() < 0) await this.#sleep(REGISTRATION_POLL_MS)
      else if (!this.#plan.hasWork) await this.#sleep(undefined)
      else await this.#round()
    }
  }

  /** Until `delayMs` have passed, or somebody wakes it. */
  #sleep(delayMs: number | undefined): Promise<void> {
    if (this.#closed) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = delayMs === undefined ? undefined : this.#deps.clock.setTimer(delayMs, () => this.#wake?.())
      this.#wake = () => {
        this.#wake = undefined
        timer?.cancel()
        resolve()
      }
    })
  }

  async #round(): Promise<void> {
    const { link, clock, server } = this.#deps
    const request = this.#request()
    if (request === undefined) return
    this.#sentMs = clock.monotonicMs()
    try {
      const response = await link.request(ApiKey.Fetch, request, server().replicaSocketTimeoutMs)
      this.#sentMs = undefined
      this.#retryMs = FIRST_RETRY_MS
      link.takeDropped()
      if (!this.#closed) await this.#handle(response)
    } catch (error) {
      this.#sentMs = undefined
      await this.#lost(error)
    }
  }

  async #lost(error: unknown): Promise<void> {
    this.#plan.restart()
    if (this.#closed) return
    // A connection that was dropped here for a partition that had come is made anew at once.
    if (this.#deps.link.takeDropped()) return
    this.#deps.logger.info(
      { leader: this.#deps.link.leaderId, err: error },
      'a fetch from a leader failed; trying again',
    )
    await this.#pause(this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 2, this.#deps.server().replicaFetchBackoffMs)
  }

  /** As `sleep`, but only the end wakes it: new partitions do not make the leader come back. */
  async #pause(delayMs: number): Promise<void> {
    const untilMs = this.#deps.clock.monotonicMs() + delayMs
    for (let leftMs = delayMs; leftMs > 0 && !this.#closed; leftMs = untilMs - this.#deps.clock.monotonicMs())
      await this.#sleep(leftMs)
  }

  /** Undefined where nothing is left to be fetched. */
  #request(): RequestInputOf<typeof ApiKey.Fetch> | undefined {
    const { server, brokerEpoch } = this.#deps
    const told = this.#plan.next((followed) => this.#holdsBack(followed))
    if (told === undefined) return undefined
    const config = server()
    const { maxBytes, partitionMaxBytes } = this.#pace.limits(config)
    return {
      replicaId: this.#brokerId,
      replicaState: { replicaId: this.#brokerId, replicaEpoch: BigInt(brokerEpoch()) },
      maxWaitMs: config.replicaFetchWaitMaxMs,
      minBytes: config.replicaFetchMinBytes,
      maxBytes,
      isolationLevel: 0,
      rackId: '',
      ...this.#plan.header,
      topics: fetchTopics(told.changed, partitionMaxBytes),
      forgottenTopicsData: forgottenTopics(told.forgotten),
    }
  }

  #holdsBack(followed: Followed): boolean {
    if (!isSaved(followed.partition.log)) {
      this.#save(followed)
      return true
    }
    const holdsBack = this.#deps.throttle.holdsBack(followed.partition, followed.isCaughtUp)
    if (holdsBack) this.#rest(followed, THROTTLED_MS)
    return holdsBack
  }

  /** Leaves a partition out until its log is saved: one that another fetcher has filled may still be on its way to the disk. */
  #save(followed: Followed): void {
    this.#plan.leave(followed)
    followed.park()
    const { log } = followed.partition
    log.flush().then(
      () => this.#resume(followed),
      // Where the log dir has failed, nobody follows with it any more.
      () => void (!log.isFailed && this.#rest(followed, this.#deps.server().replicaFetchBackoffMs)),
    )
  }

  async #handle(response: FetchResponse): Promise<void> {
    if (response.errorCode !== ErrorCode.NONE) {
      this.#refused(response.errorCode)
      return
    }
    this.#plan.answered(response.sessionId)
    const written: PartitionLog[] = []
    const outOfRange: Followed[] = []
    let bytes = 0
    this.#pace.begin()
    for (const { topicId, partitions } of response.responses) {
      for (const data of partitions) {
        if (this.#pace.isTurnOver) await this.#pace.giveWay()
        if (this.#closed) return
        bytes += data.records?.length ?? 0
        const followed = this.#plan.get(topicId, data.partitionIndex)
        if (followed?.isAsked !== true || !followed.partition.isFollowing(followed.leaderEpoch)) continue
        if (data.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) outOfRange.push(followed)
        else this.#take(followed, data, written)
      }
    }
    this.#pace.end(bytes)
    await this.#write(written)
    this.#release(response)
    if (outOfRange.length > 0) await this.#comeIntoRange(outOfRange)
  }

  /** All records lie in the one frame that they came in, and nobody keeps a part of it. */
  #release(response: FetchResponse): void {
    for (const { partitions } of response.responses) {
      const found = partitions.find(({ records }) => records !== null && records.length > 0)
      if (found?.records === undefined || found.records === null) continue
      this.#deps.memory.giveBack(found.records)
      return
    }
  }

  #refused(errorCode: number): void {
    this.#deps.logger.info(
      { leader: this.#deps.link.leaderId, error: errorName(errorCode) },
      'a fetch session has ended',
    )
    this.#plan.forgetSession()
  }

  #take(followed: Followed, data: FetchedPartition, written: PartitionLog[]): void {
    const { partition } = followed
    if (data.errorCode !== ErrorCode.NONE) {
      this.#failed(followed, data.errorCode)
      return
    }
    followed.recovered()
    if (data.divergingEpoch.endOffset >= 0n) {
      const { epoch, endOffset } = data.divergingEpoch
      this.#cut(followed, (log) => log.truncateTo(divergencePoint(log, { epoch, endOffset: Number(endOffset) })))
      return
    }
    if (!this.#append(followed, data, written)) return
    partition.followed(Number(data.highWatermark), Number(data.logStartOffset))
    followed.lag = Math.max(0, Number(data.highWatermark) - partition.log.logEndOffset)
  }

  #append(followed: Followed, { records, logStartOffset }: FetchedPartition, written: PartitionLog[]): boolean {
    if (records === null || records.length === 0) return true
    const { partition, leaderEpoch } = followed
    const { log } = partition
    const result = partition.appendAsFollower(records, leaderEpoch)
    if (result?.ok !== true) {
      const startOffset = Number(logStartOffset)
      // The leader has deleted where they part, and begins in the midst of a batch: nothing of what is here is there.
      const isDeleted = log.logStartOffset < log.logEndOffset && log.logEndOffset <= startOffset
      if (result?.error === 'OFFSET_OUT_OF_RANGE' && isDeleted) {
        this.#cut(followed, (parted) => parted.truncateFullyAndStartAt(startOffset))
        return false
      }
      const why = { error: result?.error, reason: result?.message }
      this.#deps.logger.error({ ...this.#named(log), ...why }, 'what the leader gave is not appended')
      this.#rest(followed, this.#deps.server().replicaFetchBackoffMs)
      return false
    }
    written.push(log)
    this.#plan.changed(followed)
    this.#deps.throttle.received(partition, records.length)
    this.#deps.metrics.brokerTopic(log.topic).replicationBytesIn += records.length
    return true
  }

  /** What the leader will take for this replica's is in the file, and synced where `flush.messages` asks for it. */
  async #write(logs: readonly PartitionLog[]): Promise<void> {
    const flushes: Promise<void>[] = []
    for (const log of logs) {
      if (!isSaved(log) && !log.isFailed) flushes.push(log.flush().catch(() => undefined))
    }
    if (flushes.length > 0) await Promise.all(flushes)
  }

  #failed(followed: Followed, errorCode: number): void {
    const { log } = followed.partition
    const maxMs = this.#deps.server().replicaFetchBackoffMs
    followed.isFailed = true
    if (TRANSIENT.has(errorCode)) {
      this.#rest(followed, followed.nextDelayMs(maxMs))
      return
    }
    this.#deps.logger.warn(
      { ...this.#named(log), error: errorName(errorCode) },
      'the leader refused a fetch; trying again',
    )
    this.#rest(followed, maxMs)
  }

  /** For log lines. */
  #named({ topic, partition }: PartitionLog): { topic: string; partition: number; leader: number } {
    return { topic, partition, leader: this.#deps.link.leaderId }
  }

  /** Leaves a partition out for a while. */
  #rest(followed: Followed, delayMs: number): void {
    this.#plan.leave(followed)
    followed.park(this.#deps.clock.setTimer(delayMs, () => this.#resume(followed)))
  }

  #resume(followed: Followed): void {
    if (!this.#plan.resume(followed)) return
    this.#wakeUp()
    this.#kickSoon()
  }

  /** Leaves a partition out while its log is cut. */
  #cut(followed: Followed, cut: (log: PartitionLog) => Promise<void> | void): void {
    const { partition } = followed
    const { log } = partition
    const before = log.logEndOffset
    this.#plan.leave(followed)
    followed.park()
    partition.truncate(cut).then(
      () => {
        const { logEndOffset: to } = log
        if (to !== before) this.#deps.logger.info({ ...this.#named(log), from: before, to }, 'cut as the leader is')
        this.#resume(followed)
      },
      (error: unknown) => {
        this.#deps.logger.error({ ...this.#named(log), err: error }, 'a log could not be cut')
        this.#rest(followed, this.#deps.server().replicaFetchBackoffMs)
      },
    )
  }

  /** The log ends behind the leader's, or before the leader's begins: it goes on, or anew, where the leader has something. */
  async #comeIntoRange(outOfRange: readonly Followed[]): Promise<void> {
    const { link, server } = this.#deps
    const offsets = await leaderOffsets(
      outOfRange,
      { brokerId: this.#brokerId, timeoutMs: server().replicaSocketTimeoutMs },
      link,
    )
    for (const followed of outOfRange) {
      const { partition, leaderEpoch } = followed
      if (!this.#plan.has(followed) || !partition.isFollowing(leaderEpoch)) continue
      const leader = offsets.get(followed)
      const { logEndOffset } = partition.log
      const impossible = impossibleFrom(partition.log, leaderEpoch)
      if (leader === undefined) this.#rest(followed, followed.nextDelayMs(server().replicaFetchBackoffMs))
      else if (leader.endOffset < logEndOffset) this.#cut(followed, (log) => log.truncateTo(leader.endOffset))
      else if (leader.startOffset > logEndOffset)
        this.#cut(followed, (log) => log.truncateFullyAndStartAt(leader.startOffset))
      else if (impossible !== undefined) this.#cut(followed, (log) => log.truncateTo(impossible))
      else this.#rest(followed, followed.nextDelayMs(server().replicaFetchBackoffMs))
    }
  }
}
