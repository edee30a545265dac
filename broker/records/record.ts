/** A header: a UTF-8 name, not unique, and a value that may be null. */
export interface RecordHeader {
  readonly key: string
  readonly value: Uint8Array | null
}

/** One record as read. Key and value view the batch (or what it decompressed to): nothing is copied. */
export interface KafkaRecord {
  readonly offset: number
  /** ms since the epoch, or -1 for none; the batch's append time where the topic has LogAppendTime. */
  readonly timestampMs: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly RecordHeader[]
}

/** One record to write. */
export interface NewRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers?: readonly RecordHeader[]
  /** ms since the epoch; the batch's base timestamp when left out. */
  readonly timestampMs?: number
}

/** Bytes that are no batch: a length, a count or a field that cannot be. The stored ones are corrupt, the received ones invalid. */
export class MalformedBatchError extends Error {
  readonly code = 'MALFORMED_BATCH'
}
