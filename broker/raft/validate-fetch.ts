import type { LeaderEpochCache } from '../storage/leader-epochs.ts'
import type { SnapshotId } from './snapshot-file.ts'

/** What the leader has, as far as a fetch is about it. */
export interface FetchableLog {
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly leaderEpochs: Pick<LeaderEpochCache, 'endOffsetFor' | 'latestEpoch'>
}

/** How a replica goes on: from where it is, truncated to where the logs part, or with a snapshot. */
export type FetchVerdict =
  | { readonly type: 'valid' }
  | { readonly type: 'diverging'; readonly epoch: number; readonly endOffset: number }
  | { readonly type: 'snapshot'; readonly id: SnapshotId }

/** Compares a replica's log, which ends at `offset` with a record of `epoch`, to this one (KIP-595, KIP-630). */
export function validateFetch(
  log: FetchableLog,
  snapshots: { readonly oldest: SnapshotId | undefined; readonly newest: SnapshotId | undefined },
  offset: number,
  epoch: number,
): FetchVerdict {
  const { logStartOffset, logEndOffset, leaderEpochs } = log
  if (offset === 0 && epoch === 0 && logStartOffset === 0) return { type: 'valid' }
  const { oldest, newest } = snapshots
  if (newest !== undefined && newest.endOffset > 0 && logStartOffset > 0) {
    const isOther = offset === logStartOffset && oldest?.endOffset === logStartOffset && epoch !== oldest.epoch
    const isTooOld = offset < logStartOffset || epoch < (oldest?.epoch ?? 0)
    if (isOther || isTooOld) return { type: 'snapshot', id: newest }
  }
  const known = leaderEpochs.endOffsetFor(epoch, logEndOffset)
  const end = known.epoch < 0 ? { epoch: leaderEpochs.latestEpoch, endOffset: logEndOffset } : known
  if (end.epoch === epoch && offset <= end.endOffset) return { type: 'valid' }
  return { type: 'diverging', epoch: Math.max(0, end.epoch), endOffset: end.endOffset }
}
