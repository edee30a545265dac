import type { Clock } from '../env/clock.ts'

/** When each unfenced broker was last heard of. Only the active controller keeps this, and only in memory. */
export class Sessions {
  readonly #timeoutMs: number
  readonly #clock: Clock
  readonly #lastContactMs = new Map<number, number>()

  constructor(options: { readonly timeoutMs: number }, deps: { readonly clock: Clock }) {
    this.#timeoutMs = options.timeoutMs
    this.#clock = deps.clock
  }

  touch(brokerId: number): void {
    this.#lastContactMs.set(brokerId, this.#clock.monotonicMs())
  }

  end(brokerId: number): void {
    this.#lastContactMs.delete(brokerId)
  }

  isValid(brokerId: number): boolean {
    const lastMs = this.#lastContactMs.get(brokerId)
    return lastMs !== undefined && this.#clock.monotonicMs() - lastMs < this.#timeoutMs
  }

  /** Brokers whose time is over. */
  expired(): number[] {
    return [...this.#lastContactMs.keys()].filter((id) => !this.isValid(id))
  }

  clear(): void {
    this.#lastContactMs.clear()
  }
}
