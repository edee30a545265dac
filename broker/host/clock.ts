import type { Clock, Timer } from '../env/clock.ts'

/** Longer delays overflow setTimeout, which then fires at once. */
const DELAY_MAX_MS = 0x7fff_ffff

/** The machine's time and Node's timers. */
export class NodeClock implements Clock {
  wallMs(): number {
    return Date.now()
  }

  monotonicMs(): number {
    return performance.now()
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    if (delayMs > DELAY_MAX_MS) return this.#setLongTimer(delayMs, callback)
    const timeout = setTimeout(callback, delayMs)
    timeout.unref()
    return { cancel: () => clearTimeout(timeout) }
  }

  defer(callback: () => void): void {
    setImmediate(callback)
  }

  #setLongTimer(delayMs: number, callback: () => void): Timer {
    let current = this.setTimer(DELAY_MAX_MS, () => {
      current = this.setTimer(delayMs - DELAY_MAX_MS, callback)
    })
    return { cancel: () => current.cancel() }
  }
}
