import type { Clock, Timer } from '../../broker/env/clock.ts'
import type { Random } from '../../broker/env/random.ts'
import { backoffMs } from './backoff.ts'
import type { BackoffOptions } from './backoff.ts'

/**
 * A level-triggered work queue, as controller-runtime's: a key is queued once however often it is added; no two workers have the same key; a
 * key added while it is worked on is queued again when that is done. Order is first come, first served.
 */
export class WorkQueue {
  readonly #options: BackoffOptions
  readonly #clock: Clock
  readonly #random: Random
  /** Keys that wait for a worker, in order. */
  readonly #ready: string[] = []
  /** Keys that need work: in `#ready`, or to be put there when their worker is done. */
  readonly #dirty = new Set<string>()
  /** By key: whether it was time alone that brought it. */
  readonly #processing = new Map<string, boolean>()
  /** Of `#dirty`: those that time has brought. */
  readonly #due = new Set<string>()
  readonly #failures = new Map<string, number>()
  readonly #delayed = new Map<string, { dueMs: number; timer: Timer }>()
  readonly #waiting: ((key: string | null) => void)[] = []
  #closed = false

  constructor(options: BackoffOptions, deps: { clock: Clock; random: Random }) {
    this.#options = options
    this.#clock = deps.clock
    this.#random = deps.random
  }

  /** Keys that wait for a worker. */
  get depth(): number {
    return this.#ready.length
  }

  add(key: string): void {
    if (this.#closed || this.#dirty.has(key)) return
    this.#dirty.add(key)
    if (!this.#processing.has(key)) this.#enqueue(key)
  }

  /** Adds `key` in `delayMs`; of several delayed additions of one key only the earliest happens. */
  addAfter(key: string, delayMs: number): void {
    if (this.#closed) return
    const dueMs = this.#clock.monotonicMs() + delayMs
    const earlier = this.#delayed.get(key)
    if (earlier !== undefined && earlier.dueMs <= dueMs) return
    earlier?.timer.cancel()
    const timer = this.#clock.setTimer(delayMs, () => {
      this.#delayed.delete(key)
      if (!this.#dirty.has(key)) this.#due.add(key)
      this.add(key)
    })
    this.#delayed.set(key, { dueMs, timer })
  }

  /** Adds `key` after its backoff, which grows with each call until `forget`. Returns the delay in ms. */
  addRateLimited(key: string): number {
    const failures = this.#failures.get(key) ?? 0
    this.#failures.set(key, failures + 1)
    const delayMs = backoffMs(failures, this.#options, this.#random)
    this.addAfter(key, delayMs)
    return delayMs
  }

  /** Ends the backoff of `key`: its work succeeded, or it is gone. */
  forget(key: string): void {
    this.#failures.delete(key)
  }

  /** The next key, which the caller then has until `done`; null once the queue is closed. */
  next(): Promise<string | null> {
    if (this.#closed) return Promise.resolve(null)
    const key = this.#ready.shift()
    if (key === undefined) return new Promise((resolve) => this.#waiting.push(resolve))
    return Promise.resolve(this.#take(key))
  }

  /** Whether the caller has `key` because its time had come, and not because anything had changed. */
  isPeriodical(key: string): boolean {
    return this.#processing.get(key) === true
  }

  done(key: string): void {
    this.#processing.delete(key)
    if (this.#dirty.has(key) && !this.#closed) this.#enqueue(key)
  }

  /** Drops what is queued; waiting workers get null. */
  close(): void {
    this.#closed = true
    this.#ready.length = 0
    this.#dirty.clear()
    this.#due.clear()
    for (const { timer } of this.#delayed.values()) timer.cancel()
    this.#delayed.clear()
    for (const resolve of this.#waiting.splice(0)) resolve(null)
  }

  #enqueue(key: string): void {
    const worker = this.#waiting.shift()
    if (worker === undefined) this.#ready.push(key)
    else worker(this.#take(key))
  }

  #take(key: string): string {
    this.#dirty.delete(key)
    this.#processing.set(key, this.#due.delete(key))
    return key
  }
}
