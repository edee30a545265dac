/** A request passes through several turns of several brokers: each may wait for as long in each of them. */
const TURN_MS = 2

/** Of `env/clock.ts`. */
interface Ticks {
  monotonicMs(): number
  defer(callback: () => void): void
}

/** Work of which there is much gives way, again and again, to whatever else happens on the event loop. */
export class Turns {
  readonly #clock: Ticks
  #beganMs: number

  constructor(deps: { readonly clock: Ticks }) {
    this.#clock = deps.clock
    this.#beganMs = deps.clock.monotonicMs()
  }

  /** Whether `next` is due. */
  get isOver(): boolean {
    return this.#clock.monotonicMs() - this.#beganMs >= TURN_MS
  }

  /** Resolves when everybody else has had a turn. */
  async next(): Promise<void> {
    await new Promise<void>((resolve) => this.#clock.defer(resolve))
    this.#beganMs = this.#clock.monotonicMs()
  }
}
