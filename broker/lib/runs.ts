export interface RunLimits {
  /** What the items of a run may weigh together. */
  readonly bytesMax: number
  readonly countMax?: number
}

/** `items` in their order, cut into runs that are as long as `limits` allow; one that weighs more by itself is a run too. */
export function inRuns<T>(items: readonly T[], bytesOf: (item: T) => number, limits: RunLimits): T[][] {
  const { bytesMax, countMax = Infinity } = limits
  const runs: T[][] = []
  let bytes = 0
  for (const item of items) {
    const size = bytesOf(item)
    const last = runs.at(-1)
    bytes += size
    if (last !== undefined && last.length < countMax && bytes <= bytesMax) {
      last.push(item)
      continue
    }
    runs.push([item])
    bytes = size
  }
  return runs
}
