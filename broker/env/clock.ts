/** A pending timer; `cancel` after it has fired does nothing. */
export interface Timer {
  cancel(): void
}

/** Time and timers. The only source of both outside `host/`. */
export interface Clock {
  /** Wall-clock time in ms since the epoch (integer). May jump in either direction. */
  wallMs(): number
  /** Monotonic time in ms, fractional; never goes back; unrelated to the epoch. */
  monotonicMs(): number
  /** Calls `callback` once, `delayMs` from now (>= 0). A timer does not keep the process alive. */
  setTimer(delayMs: number, callback: () => void): Timer
  /** Calls `callback` once after the I/O events that are already due: the end of this tick. */
  defer(callback: () => void): void
}
