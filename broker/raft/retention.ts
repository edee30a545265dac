import type { SnapshotId } from './snapshot-file.ts'

export interface StoredSnapshot {
  readonly id: SnapshotId
  readonly sizeInBytes: number
  /** When it was written, in ms since the epoch. */
  readonly timestampMs: number
}

export interface SnapshotRetention {
  /** metadata.max.retention.bytes, of log and snapshots together; negative: without limit. */
  readonly maxBytes: number
  /** metadata.max.retention.ms; negative: for ever. */
  readonly maxAgeMs: number
}

/**
 * How many of the oldest snapshots go, with the log before the one that is then the oldest: those older than allowed, and those above the
 * size. The newest stays in any case, since a restart needs it.
 */
export function expiredSnapshots(
  snapshots: readonly StoredSnapshot[],
  logBytes: number,
  retention: SnapshotRetention,
  nowMs: number,
): number {
  let bytes = snapshots.reduce((sum, { sizeInBytes }) => sum + sizeInBytes, logBytes)
  let count = 0
  for (const snapshot of snapshots.slice(0, -1)) {
    const isOld = retention.maxAgeMs >= 0 && nowMs - snapshot.timestampMs > retention.maxAgeMs
    const isExcess = retention.maxBytes >= 0 && bytes > retention.maxBytes
    if (!isOld && !isExcess) break
    bytes -= snapshot.sizeInBytes
    count++
  }
  return count
}
