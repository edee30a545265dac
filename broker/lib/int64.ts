const MAX = 2n ** 63n - 1n
const MIN = -(2n ** 63n)

/** The integer `value` as an int64; the nearest one where it is none. The largest int64 is one itself as a number: that is 2^63. */
export function toInt64(value: number): bigint {
  if (value >= 2 ** 63) return MAX
  return value <= -(2 ** 63) ? MIN : BigInt(value)
}
