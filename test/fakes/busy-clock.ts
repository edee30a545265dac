import { SimClock } from './clock.ts'

/** Its time passes whenever it is looked at, as where each look comes with some work; others have their turn at once. */
export class BusyClock extends SimClock {
  readonly #onTurn: () => void
  readonly #looksAMs: number
  #looks = 0

  /** `onTurn` is called whenever others have their turn. */
  constructor(onTurn: () => void, looksAMs = 100) {
    super()
    this.#onTurn = onTurn
    this.#looksAMs = looksAMs
  }

  override monotonicMs(): number {
    return this.#looks++ / this.#looksAMs
  }

  override defer(callback: () => void): void {
    this.#onTurn()
    queueMicrotask(callback)
  }
}
