import type { Clock, Timer } from '../env/clock.ts'

/** Runs again and again while it is started. */
export class PeriodicTask {
  readonly #intervalMs: number
  readonly #clock: Clock
  readonly #run: () => Promise<number | null>
  #timer: Timer | undefined
  #isStarted = false

  /** `run` resolves to after how many ms it is to run again; null: after the interval. It must not reject. */
  constructor(
    options: { readonly intervalMs: number },
    deps: { readonly clock: Clock; readonly run: () => Promise<number | null> },
  ) {
    this.#intervalMs = options.intervalMs
    this.#clock = deps.clock
    this.#run = deps.run
  }

  start(): void {
    this.#isStarted = true
    this.#schedule(this.#intervalMs)
  }

  stop(): void {
    this.#isStarted = false
    this.#timer?.cancel()
  }

  /** Does not wait for the interval to pass. */
  soon(): void {
    if (this.#isStarted) this.#schedule(0)
  }

  #schedule(delayMs: number): void {
    this.#timer?.cancel()
    const timer = this.#clock.setTimer(delayMs, () => void this.#fire(timer))
    this.#timer = timer
  }

  async #fire(timer: Timer): Promise<void> {
    const nextMs = await this.#run()
    // It may have been scheduled anew meanwhile.
    if (this.#isStarted && this.#timer === timer) this.#schedule(nextMs ?? this.#intervalMs)
  }
}
