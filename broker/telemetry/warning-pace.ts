const INTERVAL_MS = 10_000

/** Of a warning that clients could have written all the time: at most one every ten seconds. */
export class WarningPace {
  #nextMs = -Infinity

  /** Whether one may be written now; then the log rests. */
  isDue(nowMs: number): boolean {
    if (nowMs < this.#nextMs) return false
    this.#nextMs = nowMs + INTERVAL_MS
    return true
  }
}
