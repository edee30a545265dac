const INTERVAL_MS = 10_000

/** Of a warning that clients could have written all the time: at most one every ten seconds. */
export class WarningPace {
  #nextMs = -Infinity
  #count = 0

  /** One more to warn of: how many there were since the last warning, where one may be written now; then the log rests. Else undefined. */
  next(nowMs: number): number | undefined {
    this.#count++
    if (nowMs < this.#nextMs) return undefined
    this.#nextMs = nowMs + INTERVAL_MS
    const count = this.#count
    this.#count = 0
    return count
  }
}
