import { ErrorCode } from '../protocol/errors.ts'
import { type FetchedPartition, type FetchLimits, hasEverything, positionOf } from './fetch-read.ts'
import { FetchTarget, type SessionPartition } from './fetch-target.ts'
import type { PartitionEvent } from './waiters.ts'

/** A fetch that is being served. */
export interface FetchUnderWay {
  /** Something has happened that its reader waits for. */
  moved(target: FetchTarget): void
  /** Its client has begun another one. */
  abandon(): void
}

/** What a client was given of a partition. */
export type FetchResult = Pick<
  FetchedPartition,
  'error' | 'highWatermark' | 'logStartOffset' | 'sizeInBytes' | 'diverging' | 'preferredReadReplica'
>

/**
 * The partitions that one client fetches, from one fetch to the next. Those that are due are looked at with the next fetch; the others
 * rest: the client has all of them and knows all about them, and they become due as soon as anything happens. So a fetch costs what has
 * changed. Of a follower each fetch says that it still has all of what rests; its leader is told so when that ends.
 */
export class FetchTargets {
  readonly #targets = new Map<string, FetchTarget>()
  readonly #due = new Set<FetchTarget>()
  readonly #restingByTopic = new Map<string, number>()
  readonly #onChanged = (target: FetchTarget, event: PartitionEvent): void => this.#changed(target, event)
  /** Whether there will be another fetch. */
  #isKept: boolean
  /** The fetch before, or under way: how, and when. */
  #limits: FetchLimits | undefined
  #fetchedMs = -Infinity
  #underWay: FetchUnderWay | undefined
  #lastPlace = 0

  constructor(options: { readonly isKept: boolean }) {
    this.#isKept = options.isKept
  }

  get size(): number {
    return this.#targets.size
  }
  /** In no order. */
  get due(): Iterable<FetchTarget> {
    return this.#due
  }
  /** How many rest, by the name of the topic. */
  get restingByTopic(): ReadonlyMap<string, number> {
    return this.#restingByTopic
  }

  /** The client wants a partition, a new one behind all others, or wants it otherwise. */
  ask(key: string, asked: SessionPartition): void {
    const known = this.#targets.get(key)
    if (known !== undefined) {
      this.#rouse(known)
      known.asked = asked
      return
    }
    const target = new FetchTarget({ key, asked, place: ++this.#lastPlace }, this.#onChanged)
    this.#targets.set(key, target)
    this.#due.add(target)
  }

  /** The client wants a partition no more. */
  forget(key: string): void {
    const target = this.#targets.get(key)
    if (target === undefined) return
    this.#rouse(target)
    this.#due.delete(target)
    this.#targets.delete(key)
    target.unwatch()
  }

  /** A fetch begins; the targets to look at, in their order. One that is still under way is given up by its client. */
  begin(underWay: FetchUnderWay, limits: FetchLimits, nowMs: number): FetchTarget[] {
    this.#underWay?.abandon()
    this.#underWay = underWay
    if (this.#limits !== undefined && !isSameReader(this.#limits, limits))
      for (const target of this.#targets.values()) this.#rouse(target)
    this.#limits = limits
    this.#fetchedMs = nowMs
    return inOrder(this.#due)
  }

  end(underWay: FetchUnderWay): void {
    if (this.#underWay === underWay) this.#underWay = undefined
  }

  /** The client is told `result`, to which nothing has been added since. True where that is news to it. */
  told(target: FetchTarget, result: FetchResult): boolean {
    const { error, highWatermark, logStartOffset, sizeInBytes, diverging, preferredReadReplica } = result
    const hasMoved = target.highWatermark !== highWatermark || target.logStartOffset !== logStartOffset
    target.highWatermark = highWatermark
    target.logStartOffset = logStartOffset
    // An error is told again each time: the client may have missed why nothing comes.
    const isEmpty = error === ErrorCode.NONE && sizeInBytes === 0 && diverging === undefined && preferredReadReplica < 0
    if (isEmpty && this.#mayRest(target)) this.#rest(target)
    else target.unwatch()
    return hasMoved || !isEmpty
  }

  /** A partition that gave data goes behind the others, so that a limit on the answer's size starves nobody. */
  moveBack(target: FetchTarget): void {
    target.place = ++this.#lastPlace
  }

  /** There will be no more fetches. */
  close(): void {
    this.#isKept = false
    this.#underWay?.abandon()
    for (const target of this.#targets.values()) {
      this.#rouse(target)
      target.unwatch()
    }
  }

  #mayRest(target: FetchTarget): boolean {
    if (!this.#isKept || target.hasMoved || this.#targets.get(target.key) !== target) return false
    const { partition, asked } = target
    if (typeof partition === 'number' || this.#limits === undefined) return false
    return hasEverything(partition, asked, this.#limits)
  }

  #rest(target: FetchTarget): void {
    if (this.#due.delete(target)) this.#count(target, 1)
  }

  /** Makes it due; its leader is told until when a follower had all of it. */
  #rouse(target: FetchTarget): void {
    if (this.#due.has(target)) return
    this.#due.add(target)
    this.#count(target, -1)
    const { partition, asked } = target
    const replica = this.#limits?.replica
    if (replica === undefined || typeof partition === 'number') return
    partition.fetchedUntil(replica.brokerId, positionOf(replica, asked), this.#fetchedMs)
  }

  #count({ partition }: FetchTarget, change: 1 | -1): void {
    if (typeof partition === 'number') return
    const { topic } = partition.log
    const count = (this.#restingByTopic.get(topic) ?? 0) + change
    if (count === 0) this.#restingByTopic.delete(topic)
    else this.#restingByTopic.set(topic, count)
  }

  #changed(target: FetchTarget, event: PartitionEvent): void {
    const isReplica = this.#limits?.replica !== undefined
    // A consumer is not interested in what is not committed.
    if (event === 'written' && !isReplica) return
    this.#rouse(target)
    target.hasMoved = true
    if (this.#underWay === undefined) target.unwatch()
    else if (event === 'role' || event === (isReplica ? 'written' : 'committed')) this.#underWay.moved(target)
  }
}

/** As the client's partitions are read and told. */
export function inOrder(targets: Iterable<FetchTarget>): FetchTarget[] {
  return [...targets].sort((a, b) => a.place - b.place)
}

/** Whether a fetch may take for granted what one with other limits has found. */
function isSameReader(a: FetchLimits, b: FetchLimits): boolean {
  return (
    a.readCommitted === b.readCommitted &&
    a.mayFollow === b.mayFollow &&
    a.replica?.brokerId === b.replica?.brokerId &&
    a.replica?.brokerEpoch === b.replica?.brokerEpoch &&
    (a.preferredReplica === undefined) === (b.preferredReplica === undefined)
  )
}
