import type { Timer } from '../env/clock.ts'
import type { PartitionLog } from '../storage/log.ts'
import type { AskedPartition } from './fetcher-session.ts'
import type { Partition } from './partition.ts'
import type { PartitionEvent, PartitionWatcher } from './waiters.ts'

/** First delay after a refusal that passes as soon as both brokers have the same metadata; it doubles up to replica.fetch.backoff.ms. */
const FIRST_DELAY_MS = 10

/** One partition that is fetched from its leader, in one leader epoch. */
export class Followed implements PartitionWatcher {
  readonly partition: Partition
  readonly leaderEpoch: number
  /** The leader has it in the session. */
  inSession = false
  /** The request that is under way asks for it as it is now: an answer to an earlier one must not be taken. */
  isAsked = false
  /** Not fetched for now: the log is being cut, or a delay is running. */
  isParked = false
  /** Records behind the leader's high watermark; undefined before the first answer. */
  lag: number | undefined
  /** The leader's last answer was an error. */
  isFailed = false
  #timer: Timer | undefined
  #delayMs = FIRST_DELAY_MS
  #logStartOffset: number
  #onTrimmed: (() => void) | undefined

  constructor(partition: Partition, leaderEpoch: number) {
    this.partition = partition
    this.leaderEpoch = leaderEpoch
    this.#logStartOffset = partition.log.logStartOffset
  }

  /** Until `end`, `trimmed` is called when the log begins elsewhere: retention is each replica's own affair, and the leader is to know. */
  begin(trimmed: () => void): void {
    this.#onTrimmed = trimmed
    this.partition.watchers.add(this)
  }

  changed(event: PartitionEvent): void {
    const { logStartOffset } = this.partition.log
    if (event !== 'state' || logStartOffset === this.#logStartOffset) return
    this.#logStartOffset = logStartOffset
    this.#onTrimmed?.()
  }

  /** It is not followed any more. */
  end(): void {
    this.unpark()
    this.partition.watchers.delete(this)
  }

  get key(): string {
    return followedKey(this.partition.topicId, this.partition.log.partition)
  }

  get isCaughtUp(): boolean {
    return this.lag === 0
  }

  /** What to ask of the leader next: the log goes on where it ends. */
  asked(): AskedPartition {
    const { log, topicId } = this.partition
    return {
      topic: log.topic,
      topicId,
      index: log.partition,
      currentLeaderEpoch: this.leaderEpoch,
      fetchOffset: log.logEndOffset,
      lastFetchedEpoch: log.leaderEpochs.latestEpoch,
      logStartOffset: log.logStartOffset,
    }
  }

  /** The next of the delays that grow. */
  nextDelayMs(maxMs: number): number {
    const delayMs = Math.min(this.#delayMs, maxMs)
    this.#delayMs *= 2
    return delayMs
  }

  /** All is well again. */
  recovered(): void {
    this.isFailed = false
    this.#delayMs = FIRST_DELAY_MS
  }

  park(timer?: Timer): void {
    this.#timer?.cancel()
    this.#timer = timer
    this.isParked = true
    this.isAsked = false
  }

  unpark(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.isParked = false
  }
}

export function followedKey(topicId: string, index: number): string {
  return `${topicId}:${index}`
}

/**
 * Where to cut a log so that it can go on as the leader's does (KIP-101, KIP-279, KIP-595). `diverging` is the largest epoch of the
 * leader's that is not beyond the follower's last one, and where the leader's records of it end. Where this log does not have that epoch,
 * the cut is at the end of the one before, and the leader has to be asked again.
 */
export function divergencePoint(
  log: PartitionLog,
  diverging: { readonly epoch: number; readonly endOffset: number },
): number {
  const mine = log.leaderEpochs.endOffsetFor(diverging.epoch, log.logEndOffset)
  if (mine.endOffset < 0) return Math.min(diverging.endOffset, log.logEndOffset)
  if (mine.epoch !== diverging.epoch) return Math.min(mine.endOffset, log.logEndOffset)
  return Math.min(mine.endOffset, diverging.endOffset, log.logEndOffset)
}

/** Where records begin that claim an epoch in which nobody has led yet: no leader knows it, and what has it was never written by one. */
export function impossibleFrom({ leaderEpochs }: PartitionLog, leaderEpoch: number): number | undefined {
  return leaderEpochs.entries.find(({ epoch }) => epoch > leaderEpoch)?.startOffset
}

/** Whether all of it is in the file, and synced where `flush.messages` asks for it: what a leader takes a Fetch from its end for. */
export function isSaved(log: PartitionLog): boolean {
  log.writeStaged()
  return log.acknowledgeableOffset >= log.logEndOffset
}
