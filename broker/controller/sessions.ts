import type { Clock } from '../env/clock.ts'
import type { BrokerImage } from '../metadata/image.ts'

interface Session {
  lastContactMs: number
  /** Where in the metadata log the broker is; -1 before its first heartbeat. */
  metadataOffset: number
  /** The end of the records that took it from the lead; undefined where it does not shut down. */
  shutdownOffset: number | undefined
  /** No other incarnation may register meanwhile. */
  isExclusive: boolean
}

/** What is known of brokers by their heartbeats. Only the active controller keeps this, and only in memory. */
export class Sessions {
  readonly #timeoutMs: number
  readonly #clock: Clock
  readonly #sessions = new Map<number, Session>()
  #lastLookMs: number

  constructor(options: { readonly timeoutMs: number }, deps: { readonly clock: Clock }) {
    this.#timeoutMs = options.timeoutMs
    this.#clock = deps.clock
    this.#lastLookMs = deps.clock.monotonicMs()
  }

  /** A broker that another controller knew: it has the time-out to be heard. */
  presume(brokerId: number, { isExclusive }: { readonly isExclusive: boolean }): void {
    this.#begin(brokerId).isExclusive = isExclusive
  }

  touch(
    brokerId: number,
    { metadataOffset, isFenced }: { readonly metadataOffset: number; readonly isFenced: boolean },
  ) {
    const session = this.#sessions.get(brokerId) ?? this.#begin(brokerId)
    session.lastContactMs = this.#clock.monotonicMs()
    session.metadataOffset = metadataOffset
    session.isExclusive = true
    if (isFenced) session.shutdownOffset = undefined
  }

  /** The broker's leaders have moved; only the first offset counts. */
  shutDown(brokerId: number, offset: number): void {
    const session = this.#sessions.get(brokerId)
    if (session !== undefined) session.shutdownOffset ??= offset
  }

  end(brokerId: number): void {
    this.#sessions.delete(brokerId)
  }

  /** Whether another incarnation must not register. */
  isExclusive(brokerId: number): boolean {
    return this.#sessions.get(brokerId)?.isExclusive === true && !this.#isExpired(brokerId)
  }

  shutdownOffset(brokerId: number): number | undefined {
    return this.#sessions.get(brokerId)?.shutdownOffset
  }

  /** Up to where all unfenced brokers but those that shut down have read the metadata; Infinity without such a broker. */
  lowestActiveOffset(brokers: Iterable<BrokerImage>): number {
    let lowest = Infinity
    for (const { id, isFenced } of brokers) {
      if (isFenced || this.shutdownOffset(id) !== undefined) continue
      lowest = Math.min(lowest, this.#sessions.get(id)?.metadataOffset ?? -1)
    }
    return lowest
  }

  /**
   * Brokers whose time is over. Called every `intervalMs`: where it comes much later, this process stood still, and could not hear anybody
   * meanwhile.
   */
  expired(intervalMs: number): number[] {
    const nowMs = this.#clock.monotonicMs()
    const lateMs = nowMs - this.#lastLookMs - intervalMs
    this.#lastLookMs = nowMs
    if (lateMs > intervalMs) {
      for (const session of this.#sessions.values())
        session.lastContactMs = Math.min(nowMs, session.lastContactMs + lateMs)
    }
    return [...this.#sessions.keys()].filter((id) => this.#isExpired(id))
  }

  /** Since when a broker has not been heard of, ms; undefined without a session. */
  silentMs(brokerId: number): number | undefined {
    const session = this.#sessions.get(brokerId)
    return session === undefined ? undefined : this.#clock.monotonicMs() - session.lastContactMs
  }

  clear(): void {
    this.#lastLookMs = this.#clock.monotonicMs()
    this.#sessions.clear()
  }

  #isExpired(brokerId: number): boolean {
    return (this.silentMs(brokerId) ?? 0) >= this.#timeoutMs
  }

  #begin(brokerId: number): Session {
    const session: Session = {
      lastContactMs: this.#clock.monotonicMs(),
      metadataOffset: -1,
      shutdownOffset: undefined,
      isExclusive: false,
    }
    this.#sessions.set(brokerId, session)
    return session
  }
}
