import type { CodecName } from '../env/compute.ts'
import { crc32c } from '../lib/crc32c.ts'

/**
 * Record batch v2 (KIP-98), the only format written: the 61-byte header, big endian.
 * Everything before `attributes` is outside the CRC, so that offsets and the leader epoch can be stamped without a new one.
 */
export const BASE_OFFSET = 0
export const BATCH_LENGTH = 8
export const PARTITION_LEADER_EPOCH = 12
export const MAGIC = 16
export const CRC = 17
export const ATTRIBUTES = 21
export const LAST_OFFSET_DELTA = 23
export const BASE_TIMESTAMP = 27
export const MAX_TIMESTAMP = 35
export const PRODUCER_ID = 43
export const PRODUCER_EPOCH = 51
export const BASE_SEQUENCE = 53
export const RECORD_COUNT = 57
export const HEADER_BYTES = 61
/** Base offset and length: what stands before the bytes that `batchLength` counts. */
export const LOG_OVERHEAD = 12

export const NO_PRODUCER_ID = -1
export const NO_TIMESTAMP = -1

const CODECS: readonly CodecName[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
export const COMPRESSION_MASK = 0x07
export const TIMESTAMP_TYPE_BIT = 0x08
export const TRANSACTIONAL_BIT = 0x10
export const CONTROL_BIT = 0x20

/**
 * A view of one batch inside a buffer: reads and stamps header fields in place, copies nothing. Re-targetable with `at`, so a scan
 * over many batches allocates one view. 64-bit fields are numbers: offsets and timestamps stay below 2^53.
 */
export class BatchView {
  bytes: Uint8Array
  start: number
  #data: DataView

  constructor(bytes: Uint8Array, start = 0) {
    this.bytes = bytes
    this.start = start
    this.#data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Moves the view to the batch that starts at `start` of the same buffer. */
  at(start: number): this {
    this.start = start
    return this
  }

  #int64(offset: number): number {
    const position = this.start + offset
    return this.#data.getInt32(position) * 0x1_0000_0000 + this.#data.getUint32(position + 4)
  }

  #setInt64(offset: number, value: number): void {
    const position = this.start + offset
    // As a number the largest int64 is 2^63, which is none.
    const isTooLarge = value >= 2 ** 63
    this.#data.setInt32(position, isTooLarge ? 0x7fff_ffff : Math.floor(value / 0x1_0000_0000))
    this.#data.setUint32(position + 4, isTooLarge ? 0xffff_ffff : value >>> 0)
  }

  get baseOffset(): number {
    return this.#int64(BASE_OFFSET)
  }
  set baseOffset(value: number) {
    this.#setInt64(BASE_OFFSET, value)
  }
  /** Size of the whole batch, header included. */
  get sizeInBytes(): number {
    return this.#data.getInt32(this.start + BATCH_LENGTH) + LOG_OVERHEAD
  }
  get partitionLeaderEpoch(): number {
    return this.#data.getInt32(this.start + PARTITION_LEADER_EPOCH)
  }
  set partitionLeaderEpoch(value: number) {
    this.#data.setInt32(this.start + PARTITION_LEADER_EPOCH, value)
  }
  get magic(): number {
    return this.#data.getInt8(this.start + MAGIC)
  }
  get crc(): number {
    return this.#data.getUint32(this.start + CRC)
  }
  get attributes(): number {
    return this.#data.getInt16(this.start + ATTRIBUTES)
  }
  get lastOffsetDelta(): number {
    return this.#data.getInt32(this.start + LAST_OFFSET_DELTA)
  }
  get lastOffset(): number {
    return this.baseOffset + this.lastOffsetDelta
  }
  get nextOffset(): number {
    return this.lastOffset + 1
  }
  get baseTimestamp(): number {
    return this.#int64(BASE_TIMESTAMP)
  }
  get maxTimestamp(): number {
    return this.#int64(MAX_TIMESTAMP)
  }
  get producerId(): number {
    return this.#int64(PRODUCER_ID)
  }
  get producerEpoch(): number {
    return this.#data.getInt16(this.start + PRODUCER_EPOCH)
  }
  get baseSequence(): number {
    return this.#data.getInt32(this.start + BASE_SEQUENCE)
  }
  get recordCount(): number {
    return this.#data.getInt32(this.start + RECORD_COUNT)
  }
  /** Undefined for the ids 5 to 7, which no codec has. */
  get codec(): CodecName | undefined {
    return CODECS[this.attributes & COMPRESSION_MASK]
  }
  get isLogAppendTime(): boolean {
    return (this.attributes & TIMESTAMP_TYPE_BIT) !== 0
  }
  get isTransactional(): boolean {
    return (this.attributes & TRANSACTIONAL_BIT) !== 0
  }
  get isControl(): boolean {
    return (this.attributes & CONTROL_BIT) !== 0
  }
  get hasProducerId(): boolean {
    return this.producerId > NO_PRODUCER_ID
  }
  /** The whole batch. */
  get slice(): Uint8Array {
    return this.bytes.subarray(this.start, this.start + this.sizeInBytes)
  }
  /** The records, compressed or not, behind the header. */
  get payload(): Uint8Array {
    return this.bytes.subarray(this.start + HEADER_BYTES, this.start + this.sizeInBytes)
  }
  /** CRC-32C of the attributes and everything behind them. */
  computeCrc(): number {
    return crc32c(this.bytes.subarray(this.start + ATTRIBUTES, this.start + this.sizeInBytes))
  }
  /** Sets the LogAppendTime type and time, and the CRC that this changes. */
  stampLogAppendTime(timeMs: number): void {
    this.#data.setInt16(this.start + ATTRIBUTES, this.attributes | TIMESTAMP_TYPE_BIT)
    this.stampMaxTimestamp(timeMs)
  }
  /** Takes the LogAppendTime type back to CreateTime, and the CRC that this changes. */
  clearLogAppendTime(): void {
    this.#data.setInt16(this.start + ATTRIBUTES, this.attributes & ~TIMESTAMP_TYPE_BIT)
    this.#data.setUint32(this.start + CRC, this.computeCrc())
  }
  /** Sets the maximum timestamp, and the CRC that this changes. */
  stampMaxTimestamp(timeMs: number): void {
    this.#setInt64(MAX_TIMESTAMP, timeMs)
    this.#data.setUint32(this.start + CRC, this.computeCrc())
  }
}

/** The id of a codec in a batch's attributes. */
export function codecId(codec: CodecName): number {
  return CODECS.indexOf(codec)
}
