/** What a follower tells of its log with each Fetch. */
export interface FollowerPosition {
  /** The end of its log: where it fetches from. */
  readonly fetchOffset: number
  /** -1: unknown. */
  readonly logStartOffset: number
  /** -1: it does not tell. */
  readonly brokerEpoch: number
}

/** Of a follower that has not fetched yet in this epoch. */
const UNKNOWN = -1

/** A follower as its leader sees it. Times are monotonic, in ms. */
export class RemoteReplica {
  readonly brokerId: number
  logEndOffset = UNKNOWN
  logStartOffset = UNKNOWN
  /** -1 until it has told. */
  brokerEpoch = UNKNOWN
  #lastFetchMs = -Infinity
  #leaderEndAtLastFetch = UNKNOWN
  #lastCaughtUpMs: number
  /** When it left the ISR last. */
  #outSinceMs = -Infinity

  /** One that is in sync when the epoch begins has all of `replica.lag.time.max.ms` to show that it still is. */
  constructor(brokerId: number, inSyncSinceMs: number | undefined) {
    this.brokerId = brokerId
    this.#lastCaughtUpMs = inSyncSinceMs ?? -Infinity
  }

  /**
   * It has everything below `fetchOffset`. It was caught up at a time when it had all that the leader had: now, or, where it has now
   * what the leader had when it fetched last, at that time, unless it has left the ISR since.
   */
  fetched(position: FollowerPosition, leaderEndOffset: number, nowMs: number): void {
    if (position.fetchOffset >= leaderEndOffset) this.#lastCaughtUpMs = nowMs
    else if (position.fetchOffset >= this.#leaderEndAtLastFetch && this.#lastFetchMs > this.#outSinceMs)
      this.#lastCaughtUpMs = Math.max(this.#lastCaughtUpMs, this.#lastFetchMs)
    this.logEndOffset = position.fetchOffset
    this.logStartOffset = position.logStartOffset
    this.brokerEpoch = position.brokerEpoch
    this.#leaderEndAtLastFetch = leaderEndOffset
    this.#lastFetchMs = nowMs
  }

  isAt({ fetchOffset, logStartOffset, brokerEpoch }: FollowerPosition): boolean {
    return (
      fetchOffset === this.logEndOffset && logStartOffset === this.logStartOffset && brokerEpoch === this.brokerEpoch
    )
  }

  /** It has fetched from `position`, where it had all that the leader had, until `atMs`. Passed over where it has told something else since. */
  fetchedUntil(position: FollowerPosition, atMs: number): void {
    if (this.isAt(position) && atMs > this.#outSinceMs) this.#lastCaughtUpMs = Math.max(this.#lastCaughtUpMs, atMs)
  }

  /** The controller has taken it out of the ISR: it may be fenced, or its log dir has failed. That it was caught up before says nothing any more. */
  leftIsr(nowMs: number): void {
    this.#lastCaughtUpMs = -Infinity
    this.#outSinceMs = nowMs
  }

  isCaughtUp(leaderEndOffset: number, nowMs: number, lagMaxMs: number): boolean {
    return this.logEndOffset === leaderEndOffset || nowMs - this.#lastCaughtUpMs <= lagMaxMs
  }
}
