import type { Clock, Timer } from '../env/clock.ts'
import type { Disk } from '../env/disk.ts'

/** Removes files and directories some time after they got their `.deleted` or `-delete` name (`file.delete.delay.ms`). */
export class DelayedRemoval {
  readonly #disk: Disk
  readonly #clock: Clock
  readonly #onError: (error: unknown) => void
  readonly #timers = new Set<Timer>()

  constructor(deps: { disk: Disk; clock: Clock; onError: (error: unknown) => void }) {
    this.#disk = deps.disk
    this.#clock = deps.clock
    this.#onError = deps.onError
  }

  remove(paths: readonly string[], delayMs: number): void {
    const timer = this.#clock.setTimer(delayMs, () => {
      this.#timers.delete(timer)
      try {
        for (const path of paths) this.#disk.remove(path)
      } catch (error) {
        this.#onError(error)
      }
    })
    this.#timers.add(timer)
  }

  /** What is still waiting stays on disk until the next start, which clears it. */
  close(): void {
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
  }
}
