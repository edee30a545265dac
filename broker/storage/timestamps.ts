import type { Compute } from '../env/compute.ts'
import { BatchView } from '../records/batch.ts'
import { readRecordsAsync } from '../records/read.ts'
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
    if (segment.isClosed || segment.maxTimestamp.timestampMs < timestampMs) continue
    const from = Math.max(segment.timeIndex.lookup(timestampMs), startOffset)
    const batch = await findBatch(
      segment,
      from,
      (view) => view.maxTimestamp >= timestampMs && view.lastOffset >= startOffset,
    )
    const found = await firstRecord(batch, compute, (time, offset) => time >= timestampMs && offset >= startOffset)
    if (found !== null) return found
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
  const batch = await findBatch(latest, offset, (view) => view.maxTimestamp >= timestampMs)
  return firstRecord(batch, compute, (time) => time >= timestampMs)
}

/** A copy of the first batch from `offset` on that is `wanted`. */
async function findBatch(
  segment: LogSegment,
  offset: number,
  wanted: (view: BatchView) => boolean,
): Promise<BatchView | undefined> {
  let found: BatchView | undefined
  const range = { from: segment.offsetIndex.lookup(offset), to: segment.writtenBytes, chunkBytes: CHUNK_BYTES }
  await scanBatches(segment, range, (view) => {
    if (!wanted(view)) return true
    found = new BatchView(view.slice.slice())
    return false
  })
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
