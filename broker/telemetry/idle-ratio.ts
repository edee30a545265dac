import type { Clock, Timer } from '../env/clock.ts'

const SAMPLE_MS = 10_000

/** How idle the event loop is: looked at on a timer, so that any number of gauges and scrapes may ask. */
export class IdleRatio implements Disposable {
  readonly #sinceLast: () => number
  readonly #clock: Clock
  #value = 1
  #timer: Timer

  /** `sinceLast` gives the idle part, 0 to 1, of the time since it was last called. */
  constructor(sinceLast: () => number, deps: { readonly clock: Clock }) {
    this.#sinceLast = sinceLast
    this.#clock = deps.clock
    this.#timer = this.#sampleLater()
  }

  /** The idle part of the last ten seconds that are over; 1 before. */
  get value(): number {
    return this.#value
  }

  [Symbol.dispose](): void {
    this.#timer.cancel()
  }

  #sampleLater(): Timer {
    return this.#clock.setTimer(SAMPLE_MS, () => {
      this.#value = this.#sinceLast()
      this.#timer = this.#sampleLater()
    })
  }
}
