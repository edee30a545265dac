const SIZE = 8000
const TIMES_LARGER = 4
const TRIES = 3
/** What takes less is as good as nothing: quadratic time at these sizes is tens of ms and more. */
const LEAST_US = 1000

/**
 * How much more CPU time `run` takes with a size that is four times as large: at most about 4 times where it is linear, 16 where it is quadratic.
 * Of this thread alone: what else the machine does is none of its business.
 */
export function growth(run: (size: number) => void): number {
  const costUs = (size: number) => {
    const tries = Array.from({ length: TRIES }, () => {
      const before = process.threadCpuUsage()
      run(size)
      const { user, system } = process.threadCpuUsage(before)
      return user + system
    })
    return Math.min(...tries) + LEAST_US
  }
  return costUs(SIZE * TIMES_LARGER) / costUs(SIZE)
}

/** Between linear and quadratic, far from both. */
export const GROWTH_MAX = 8
