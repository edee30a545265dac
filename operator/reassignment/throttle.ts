import { quantityBytes } from '../specs/quantity.ts'
import type { ReassignmentAdmin } from './admin.ts'

/** Bytes a second of `spec.rebalance.throttle`; null: no limit. */
export function throttleOf(rate: string | undefined): number | null {
  return rate === undefined ? null : quantityBytes(rate)
}

/**
 * Limits the copying of `topics` to `bytesPerSecond`. The rate is set first and taken off last: as long as it is there, topics may have to be
 * freed, whoever has died in between.
 */
export async function throttle(
  admin: ReassignmentAdmin,
  topics: readonly string[],
  bytesPerSecond: number | null,
): Promise<void> {
  if (bytesPerSecond === null) return unthrottle(admin)
  if ((await admin.limit()) !== bytesPerSecond) await admin.setLimit(bytesPerSecond)
  const throttled = await admin.throttledTopics()
  const missing = [...new Set(topics)].filter((topic) => !throttled.includes(topic))
  if (missing.length > 0) await admin.setThrottled(missing, true)
}

export async function unthrottle(admin: ReassignmentAdmin): Promise<void> {
  if ((await admin.limit()) === null) return
  const throttled = await admin.throttledTopics()
  if (throttled.length > 0) await admin.setThrottled(throttled, false)
  await admin.setLimit(null)
}
