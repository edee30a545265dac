import { BatchView, HEADER_BYTES } from '../records/batch.ts'

const CHUNK_BYTES = 1 << 20
const MAGIC_V2 = 2

/** What a scan reads from: a segment. */
export interface ScanSource {
  read(target: Uint8Array, position: number): Promise<number>
}

/** Whether a batch can start at `start`, where at most `bytesLeft` follow: a length that is possible, the one magic. */
export function isFramed(view: BatchView, bytesLeft: number): boolean {
  if (bytesLeft < HEADER_BYTES || view.magic !== MAGIC_V2) return false
  return view.sizeInBytes >= HEADER_BYTES && view.sizeInBytes <= bytesLeft
}

/**
 * Calls `visit` for each whole batch in [`from`, `to`) until it returns false, and returns the position behind the last one for which it
 * returned true: `to`, or where the scan stopped or no batch begins. The view is only good during the call.
 */
export async function scanBatches(
  source: ScanSource,
  range: { from: number; to: number; chunkBytes?: number },
  visit: (view: BatchView, position: number) => boolean,
): Promise<number> {
  let position = range.from
  let buffer = new Uint8Array(Math.min(range.chunkBytes ?? CHUNK_BYTES, range.to - range.from))
  while (range.to - position >= HEADER_BYTES) {
    const wanted = Math.min(buffer.length, range.to - position)
    const read = await readFully(source, buffer.subarray(0, wanted), position)
    const chunk = visitChunk(new BatchView(buffer.subarray(0, read)), position, range.to, visit)
    position += chunk.bytes
    if (chunk.stopped || read < wanted) return position
    if (chunk.bytes === 0)
      buffer = new Uint8Array(Math.min(Math.max(chunk.nextBytes, HEADER_BYTES), range.to - position))
  }
  return position
}

/** Visits the whole batches of one chunk that lies at `position`; `nextBytes` is the size of the one that the chunk cuts off. */
function visitChunk(
  view: BatchView,
  position: number,
  to: number,
  visit: (view: BatchView, position: number) => boolean,
): { bytes: number; nextBytes: number; stopped: boolean } {
  let at = 0
  while (at + HEADER_BYTES <= view.bytes.length) {
    view.at(at)
    if (!isFramed(view, to - position - at)) return { bytes: at, nextBytes: 0, stopped: true }
    const { sizeInBytes } = view
    if (at + sizeInBytes > view.bytes.length) return { bytes: at, nextBytes: sizeInBytes, stopped: false }
    if (!visit(view, position + at)) return { bytes: at, nextBytes: 0, stopped: true }
    at += sizeInBytes
  }
  return { bytes: at, nextBytes: 0, stopped: false }
}

async function readFully(source: ScanSource, target: Uint8Array, position: number): Promise<number> {
  let total = 0
  while (total < target.length) {
    const read = await source.read(target.subarray(total), position + total)
    if (read === 0) break
    total += read
  }
  return total
}

/**
 * The bytes of the whole batches at the start of `bytes`, each with the right CRC, that no leader after `leaderEpoch` has written. `corrupt` where
 * one is damaged, not just cut off; `isLater` where a later leader's follows: one that is deposed while it reads may give what its successor has
 * written by then, of which a follower of its epoch knows nothing (KAFKA-18723).
 */
export function intactPrefix(
  bytes: Uint8Array,
  leaderEpoch: number,
): { sizeInBytes: number; corrupt: boolean; isLater: boolean } {
  const view = new BatchView(bytes)
  let at = 0
  const endsAs = (corrupt: boolean, isLater = false) => ({ sizeInBytes: at, corrupt, isLater })
  while (at + HEADER_BYTES <= bytes.length) {
    const { sizeInBytes, magic, partitionLeaderEpoch } = view.at(at)
    if (sizeInBytes < HEADER_BYTES) return endsAs(true)
    if (partitionLeaderEpoch > leaderEpoch) return endsAs(false, true)
    if (magic !== MAGIC_V2) return endsAs(true)
    if (at + sizeInBytes > bytes.length) break
    if (view.computeCrc() !== view.crc) return endsAs(true)
    at += sizeInBytes
  }
  return endsAs(false)
}
