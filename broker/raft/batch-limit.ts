import { inRuns } from '../lib/runs.ts'
import { HEADER_BYTES } from '../records/batch.ts'

/** Bytes of a batch of metadata records, as Kafka limits them (`KafkaRaftClient.MAX_BATCH_SIZE_BYTES`): one fits into any segment of the log. */
const BATCH_BYTES_MAX = 8 * 1024 * 1024
/** Lengths, deltas and attributes of a record without key and headers, at most. */
const RECORD_BYTES = 20

/** Records that are one change, and more than a batch can hold. */
export class RecordsTooLargeError extends Error {
  readonly code = 'RECORD_BATCH_TOO_LARGE'
}

/** Throws RecordsTooLargeError where the records may not fit into one batch. */
export function checkBatch(records: readonly Uint8Array[]): void {
  const bytes = records.reduce((sum, record) => sum + record.length + RECORD_BYTES, HEADER_BYTES)
  if (bytes <= BATCH_BYTES_MAX) return
  throw new RecordsTooLargeError(
    `The total record(s) size of ${bytes} exceeds the maximum allowed batch size of ${BATCH_BYTES_MAX}`,
  )
}

/** Records that need not stay together, as batches of at most `countMax` that fit. */
export function inBatches(records: readonly Uint8Array[], countMax: number): Uint8Array[][] {
  return inRuns(records, ({ length }) => length + RECORD_BYTES, { bytesMax: BATCH_BYTES_MAX - HEADER_BYTES, countMax })
}
