import type { Clock } from '../env/clock.ts'
import { isTooManyFiles } from './errors.ts'

/** How long until what failed for want of a file descriptor is tried again. */
export const RETRY_MS = 100

/** Calls `work`, which may be done in part already, until it does not fail for want of a file descriptor. Rejects with whatever else it fails with. */
export async function patiently<T>(clock: Clock, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isTooManyFiles(error)) throw error
    }
    await new Promise<void>((resolve) => void clock.setTimer(RETRY_MS, resolve))
  }
}
