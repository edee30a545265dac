const SIZE = 8000
const TIMES_LARGER = 4
const TRIES = 3
/** What takes less is as good as nothing: quadratic time at these sizes is tens of ms and more. */
const LEAST_NS = 1_000_000

/** How much longer `run` takes with a size that is four times as large: at most about 4 times where it is linear, 16 where it is quadratic. */
export function growth(run: (size: number) => void): number {
  const costNs = (size: number) => {
    const tries = Array.from({ length: TRIES }, () => {
      const before = process.hrtime.bigint()
      run(size)
      return Number(process.hrtime.bigint() - before)
    })
    return Math.min(...tries) + LEAST_NS
  }
  return costNs(SIZE * TIMES_LARGER) / costNs(SIZE)
}

/** Between linear and quadratic, far from both. */
export const GROWTH_MAX = 8
