import type { LogConfig } from './log-config.ts'

/** What retention looks at of one segment; timestamps in ms. */
export interface SegmentFacts {
  readonly baseOffset: number
  readonly sizeInBytes: number
  readonly retentionTimestampMs: number
}

export interface RetentionBounds {
  readonly logStartOffset: number
  /** Nothing at or above it is deleted. */
  readonly highWatermark: number
  readonly logEndOffset: number
  readonly nowMs: number
}

/**
 * How many of the oldest segments go: those wholly before the log start offset, and with `cleanup.policy=delete` those whose youngest
 * record is older than `retention.ms`, and those above `retention.bytes`. All may go, unless the last is empty.
 */
export function expiredSegments(segments: readonly SegmentFacts[], config: LogConfig, bounds: RetentionBounds): number {
  let count = 0
  let excessBytes = excess(segments, config)
  for (const [index, segment] of segments.entries()) {
    const next = segments[index + 1]
    const endOffset = next?.baseOffset ?? bounds.logEndOffset
    if (endOffset > bounds.highWatermark || (next === undefined && segment.sizeInBytes === 0)) break
    const isBeforeStart = next !== undefined && endOffset <= bounds.logStartOffset
    const isExcess = excessBytes >= segment.sizeInBytes
    if (!isBeforeStart && !isExcess && !isTooOld(segment, config, bounds.nowMs)) break
    excessBytes -= segment.sizeInBytes
    count++
  }
  return count
}

function excess(segments: readonly SegmentFacts[], { cleanupPolicy, retentionBytes }: LogConfig): number {
  if (!cleanupPolicy.includes('delete') || retentionBytes < 0) return -1
  return segments.reduce((sum, { sizeInBytes }) => sum + sizeInBytes, 0) - retentionBytes
}

function isTooOld(segment: SegmentFacts, { cleanupPolicy, retentionMs }: LogConfig, nowMs: number): boolean {
  return cleanupPolicy.includes('delete') && retentionMs >= 0 && nowMs - segment.retentionTimestampMs > retentionMs
}
