/** Long, since nothing is done then. */
const TICK_MS = 3_600_000

/** Keeps the process alive until `work` is over: the timers of clock.ts do not, and who waits for one may have no socket that does. */
export async function keepAlive<T>(work: () => Promise<T>): Promise<T> {
  const timer = setInterval(() => undefined, TICK_MS)
  try {
    return await work()
  } finally {
    clearInterval(timer)
  }
}
