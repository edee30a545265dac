import type { CodecName, Compute } from '../env/compute.ts'
import { ATTRIBUTES, BATCH_LENGTH, BatchView, codecId, COMPRESSION_MASK, HEADER_BYTES, LOG_OVERHEAD } from './batch.ts'

/**
 * The batch `view` with its uncompressed records `plain` stored by another codec: producer, sequence, timestamps and flags stay.
 * Compresses on the thread pool. The CRC is set.
 */
export async function recompress(
  view: BatchView,
  plain: Uint8Array,
  target: { readonly codec: CodecName; readonly level?: number },
  compute: Pick<Compute, 'compress'>,
): Promise<BatchView> {
  const payload = target.codec === 'none' ? plain : await compute.compress(target.codec, plain, target.level)
  const bytes = new Uint8Array(HEADER_BYTES + payload.length)
  bytes.set(view.bytes.subarray(view.start, view.start + HEADER_BYTES))
  bytes.set(payload, HEADER_BYTES)
  const data = new DataView(bytes.buffer)
  data.setInt32(BATCH_LENGTH, bytes.length - LOG_OVERHEAD)
  data.setInt16(ATTRIBUTES, (view.attributes & ~COMPRESSION_MASK) | codecId(target.codec))
  const stored = new BatchView(bytes)
  stored.stampMaxTimestamp(view.maxTimestamp)
  return stored
}
