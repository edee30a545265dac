import type { Clock, Timer } from '../env/clock.ts'
import type { Disk } from '../env/disk.ts'
import { isTooManyFiles } from './errors.ts'
import { RETRY_MS } from './patience.ts'

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
      const left = paths.filter((path) => !this.#isRemoved(path))
      if (left.length > 0) this.remove(left, RETRY_MS)
    })
    this.#timers.add(timer)
  }

  /** False where it is to be tried again: a directory is read before it is removed, which takes a descriptor. */
  #isRemoved(path: string): boolean {
    try {
      this.#disk.remove(path)
    } catch (error) {
      if (isTooManyFiles(error)) return false
      this.#onError(error)
    }
    return true
  }

  /** What is still waiting stays on disk until the next start, which clears it. */
  close(): void {
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
  }
}
