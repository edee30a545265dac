import type { Clock, Timer } from '../../env/clock.ts'

interface Pending {
  deadlineMs: number
  firesAtMs: number
  timer: Timer
}

/**
 * Timers by key. A session is put off with every heartbeat and hardly ever ends, so putting off only notes the new deadline; the
 * clock's timer looks at it when it fires.
 */
export class LazyTimers<K> {
  readonly #clock: Clock
  readonly #fire: (key: K) => void
  readonly #pending = new Map<K, Pending>()

  constructor(options: { readonly fire: (key: K) => void }, deps: { readonly clock: Clock }) {
    this.#fire = options.fire
    this.#clock = deps.clock
  }

  get size(): number {
    return this.#pending.size
  }

  /** Replaces the timer of the same key. */
  schedule(key: K, delayMs: number): void {
    const deadlineMs = this.#clock.monotonicMs() + delayMs
    const pending = this.#pending.get(key)
    if (pending !== undefined && pending.firesAtMs <= deadlineMs) {
      pending.deadlineMs = deadlineMs
      return
    }
    pending?.timer.cancel()
    this.#pending.set(key, { deadlineMs, firesAtMs: deadlineMs, timer: this.#start(key, delayMs) })
  }

  cancel(key: K): void {
    this.#pending.get(key)?.timer.cancel()
    this.#pending.delete(key)
  }

  cancelAll(): void {
    for (const { timer } of this.#pending.values()) timer.cancel()
    this.#pending.clear()
  }

  #start(key: K, delayMs: number): Timer {
    return this.#clock.setTimer(delayMs, () => this.#due(key))
  }

  #due(key: K): void {
    const pending = this.#pending.get(key)
    if (pending === undefined) return
    const leftMs = pending.deadlineMs - this.#clock.monotonicMs()
    if (leftMs > 0) {
      pending.firesAtMs = pending.deadlineMs
      pending.timer = this.#start(key, leftMs)
      return
    }
    this.#pending.delete(key)
    this.#fire(key)
  }
}
