/** Kafka's codecs by name; their ids are the low three bits of a batch's attributes: none 0, gzip 1, snappy 2, lz4 3, zstd 4. */
export type CodecName = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** A payload that does not decode, or that decodes to more than the limit. */
export class CodecError extends Error {
  readonly code = 'CORRUPT_PAYLOAD'
}

/**
 * CPU-heavy pure functions. The asynchronous ones run on the thread pool and complete in any order; the synchronous ones are for
 * start-up and for payloads so small that the hop would cost more.
 */
export interface Compute {
  /** `level` undefined takes the codec's default. */
  compress(codec: CodecName, data: Uint8Array, level?: number): Promise<Uint8Array>
  /** Rejects with CodecError when the result would exceed `maxBytes` or the payload is malformed. */
  decompress(codec: CodecName, data: Uint8Array, maxBytes: number): Promise<Uint8Array>
  compressSync(codec: CodecName, data: Uint8Array, level?: number): Uint8Array
  decompressSync(codec: CodecName, data: Uint8Array, maxBytes: number): Uint8Array
  /** As `decompressSync`, for one look: the next call may use the memory of the result again. */
  decompressBriefly(codec: CodecName, data: Uint8Array, maxBytes: number): Uint8Array
  /** For work that holds what it decompresses while something else computes: a few go on at a time, the rest waits, in order. */
  inTurn<T>(work: () => Promise<T>): Promise<T>
}
