import type { Clock } from '../env/clock.ts'

export interface RateLimitOptions {
  /** replication.quota.window.num */
  readonly windows: number
  /** replication.quota.window.size.seconds, in ms. */
  readonly windowMs: number
}

interface Window {
  readonly startMs: number
  amount: number
}

/**
 * The rate of something over the last windows, against a limit, as Kafka's replication quotas have it (KIP-73): what was counted since
 * the oldest window began, over the time since then, or over one window where it is shorter.
 */
export class RateLimit {
  /** A second; Infinity for none. */
  limit = Infinity
  readonly #options: RateLimitOptions
  readonly #clock: Clock
  #windows: Window[] = []

  constructor(options: RateLimitOptions, deps: { readonly clock: Clock }) {
    this.#options = options
    this.#clock = deps.clock
  }

  record(amount: number): void {
    const nowMs = this.#clock.monotonicMs()
    const last = this.#windows.at(-1)
    if (last !== undefined && nowMs - last.startMs < this.#options.windowMs) last.amount += amount
    else this.#windows.push({ startMs: nowMs, amount })
    this.#purge(nowMs)
  }

  /** A second. */
  get rate(): number {
    const nowMs = this.#clock.monotonicMs()
    this.#purge(nowMs)
    const [oldest] = this.#windows
    if (oldest === undefined) return 0
    const total = this.#windows.reduce((sum, { amount }) => sum + amount, 0)
    return (total * 1000) / Math.max(nowMs - oldest.startMs, this.#options.windowMs)
  }

  get isExceeded(): boolean {
    return this.limit !== Infinity && this.rate > this.limit
  }

  #purge(nowMs: number): void {
    const keptMs = this.#options.windows * this.#options.windowMs
    while (this.#windows[0] !== undefined && nowMs - this.#windows[0].startMs >= keptMs) this.#windows.shift()
  }
}
