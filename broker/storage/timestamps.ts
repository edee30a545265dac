import type { Compute } from '../env/compute.ts'
import { BatchView } from '../records/batch.ts'
import { readRecordsAsync } from '../records/read.ts'
import { DamagedBatchError, FileClosedError } from './errors.ts'
import { boundaryAt } from './replay.ts'
import { scanBatches } from './scan.ts'
import type { LogSegment } from './segment.ts'
import type { LogSegments } from './segments.ts'

/** A record found by its time. `leaderEpoch` is that of its batch, -1 where it has none. */
export interface FoundOffset {
  readonly timestampMs: number
  readonly offset: number
  readonly leaderEpoch: number
}

const CHUNK_BYTES = 128 * 1024

/** The first record at or behind `startOffset` whose timestamp is at least `timestampMs`; null where there is none. */
export async function offsetForTimestamp(
  segments: LogSegments,
  query: { timestampMs: number; startOffset: number },
  compute: Compute,
): Promise<FoundOffset | null> {
  const { timestampMs, startOffset } = query
  for (const segment of segments.from(startOffset)) {
    if (segment.maxTimestamp.timestampMs < timestampMs) continue
    if (segment.isClosed) throw new FileClosedError(segment.path)
    let batch = await findBatch(segment, Math.max(segment.timeIndex.lookup(timestampMs), startOffset), timestampMs)
    while (batch !== undefined) {
      const found = await firstRecord(batch, compute, (time, offset) => time >= timestampMs && offset >= startOffset)
      if (found !== null) return found
      // The record that is late enough lies before the start, or compaction took it.
      batch = await findBatch(segment, batch.nextOffset, timestampMs)
    }
  }
  return null
}

/** The first record that has the largest timestamp of the log (KIP-734); null where no record has a timestamp. */
export async function offsetOfMaxTimestamp(segments: LogSegments, compute: Compute): Promise<FoundOffset | null> {
  let latest: LogSegment | undefined
  for (const segment of segments) {
    if (segment.maxTimestamp.timestampMs > (latest?.maxTimestamp.timestampMs ?? -1)) latest = segment
  }
  if (latest === undefined) return null
  const { timestampMs, offset } = latest.maxTimestamp
  const batch = await findBatch(latest, offset, timestampMs)
  return firstRecord(batch, compute, (time) => time >= timestampMs)
}

/** A copy of the first batch that reaches to `offset` or behind it, and to `timestampMs`. Rejects with FileClosedError, DamagedBatchError. */
async function findBatch(segment: LogSegment, offset: number, timestampMs: number): Promise<BatchView | undefined> {
  if (segment.isClosed) throw new FileClosedError(segment.path)
  let found: BatchView | undefined
  const { position, nextOffset } = await boundaryAt(segment, offset)
  const range = { from: position, to: segment.writtenBytes, chunkBytes: CHUNK_BYTES }
  await scanBatches(segment, range, (view) => {
    if (view.maxTimestamp < timestampMs || view.lastOffset < offset) return true
    found = new BatchView(view.slice.slice())
    return false
  })
  if (found !== undefined && found.computeCrc() !== found.crc) throw new DamagedBatchError(nextOffset)
  return found
}

async function firstRecord(
  batch: BatchView | undefined,
  compute: Compute,
  wanted: (timestampMs: number, offset: number) => boolean,
): Promise<FoundOffset | null> {
  if (batch === undefined) return null
  for (const { timestampMs, offset } of await readRecordsAsync(batch, compute)) {
    if (wanted(timestampMs, offset)) return { timestampMs, offset, leaderEpoch: batch.partitionLeaderEpoch }
  }
  return null
}
