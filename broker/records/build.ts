import type { CodecName, Compute } from '../env/compute.ts'
import { assert } from '../lib/assert.ts'
import { crc32c } from '../lib/crc32c.ts'
import { toInt64 } from '../lib/int64.ts'
import { sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from '../lib/varint.ts'
import {
  ATTRIBUTES,
  BASE_OFFSET,
  BASE_SEQUENCE,
  BASE_TIMESTAMP,
  BATCH_LENGTH,
  CONTROL_BIT,
  codecId,
  CRC,
  HEADER_BYTES,
  LAST_OFFSET_DELTA,
  LOG_OVERHEAD,
  MAGIC,
  MAX_TIMESTAMP,
  NO_PRODUCER_ID,
  PARTITION_LEADER_EPOCH,
  PRODUCER_EPOCH,
  PRODUCER_ID,
  RECORD_COUNT,
  TIMESTAMP_TYPE_BIT,
  TRANSACTIONAL_BIT,
} from './batch.ts'
import type { NewRecord, RecordHeader } from './record.ts'

export interface BatchOptions {
  /** At least one; offsets follow each other from `baseOffset`. */
  readonly records: readonly NewRecord[]
  /** ms since the epoch: of every record that names none, and what the others' timestamps are stored relative to. */
  readonly baseTimestampMs: number
  /** 0 when left out: a producer's batch. */
  readonly baseOffset?: number
  /** -1 (none) when left out. */
  readonly leaderEpoch?: number
  /** 'none' when left out; any other needs `compute`. */
  readonly codec?: CodecName
  /** The three are -1 (not idempotent) when left out. */
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly isTransactional?: boolean
  readonly isControl?: boolean
  /** The batch's maximum timestamp is then its records' append time. */
  readonly isLogAppendTime?: boolean
}

/** Each record's body size, headers' keys in UTF-8 included, so that the second pass writes into a buffer of the exact size. */
interface Layout {
  readonly bodySizes: readonly number[]
  readonly totalBytes: number
  readonly maxTimestampMs: number
}

/** One batch v2 in a buffer of its own, with its CRC. */
export function buildBatch(options: BatchOptions, compute?: Pick<Compute, 'compressSync'>): Uint8Array {
  const { records, baseTimestampMs, codec = 'none' } = options
  assert(records.length > 0, 'a batch has at least one record')
  const layout = layoutOf(records, baseTimestampMs)
  if (codec === 'none') {
    const bytes = new Uint8Array(HEADER_BYTES + layout.totalBytes)
    writeRecords(bytes, HEADER_BYTES, records, baseTimestampMs, layout)
    return sealBatch(bytes, options, layout.maxTimestampMs)
  }
  assert(compute !== undefined, `a ${codec} batch needs a Compute`)
  const plain = new Uint8Array(layout.totalBytes)
  writeRecords(plain, 0, records, baseTimestampMs, layout)
  const payload = compute.compressSync(codec, plain)
  const bytes = new Uint8Array(HEADER_BYTES + payload.length)
  bytes.set(payload, HEADER_BYTES)
  return sealBatch(bytes, options, layout.maxTimestampMs)
}

function layoutOf(records: readonly NewRecord[], baseTimestampMs: number): Layout {
  const bodySizes: number[] = []
  let totalBytes = 0
  let maxTimestampMs = -1
  for (const [index, record] of records.entries()) {
    const timestampMs = record.timestampMs ?? baseTimestampMs
    const size = bodySize(record, timestampMs - baseTimestampMs, index)
    bodySizes.push(size)
    totalBytes += sizeOfVarint(size) + size
    maxTimestampMs = Math.max(maxTimestampMs, timestampMs)
  }
  return { bodySizes, totalBytes, maxTimestampMs }
}

function bodySize(record: NewRecord, timestampDelta: number, offsetDelta: number): number {
  const headers = record.headers ?? []
  let size = 1 + sizeOfVarlong(timestampDelta) + sizeOfVarint(offsetDelta)
  size += sizeOfField(record.key?.length) + sizeOfField(record.value?.length) + sizeOfVarint(headers.length)
  for (const { key, value } of headers) size += sizeOfField(Buffer.byteLength(key)) + sizeOfField(value?.length)
  return size
}

function sizeOfField(length: number | undefined): number {
  return length === undefined ? 1 : sizeOfVarint(length) + length
}

function writeRecords(
  target: Uint8Array,
  start: number,
  records: readonly NewRecord[],
  baseTimestampMs: number,
  layout: Layout,
): void {
  let position = start
  for (const [index, record] of records.entries()) {
    position = writeVarint(target, position, layout.bodySizes[index] ?? 0)
    target[position++] = 0 // Attributes: no bit of them is in use.
    position = writeVarlong(target, position, (record.timestampMs ?? baseTimestampMs) - baseTimestampMs)
    position = writeVarint(target, position, index)
    position = writeField(target, position, record.key)
    position = writeField(target, position, record.value)
    position = writeHeaders(target, position, record.headers ?? [])
  }
  assert(position === target.length, 'the records fill the buffer that was sized for them')
}

function writeHeaders(target: Uint8Array, start: number, headers: readonly RecordHeader[]): number {
  let position = writeVarint(target, start, headers.length)
  for (const { key, value } of headers) {
    position = writeField(target, position, Buffer.from(key))
    position = writeField(target, position, value)
  }
  return position
}

function writeField(target: Uint8Array, start: number, field: Uint8Array | null): number {
  if (field === null) return writeVarint(target, start, -1)
  const position = writeVarint(target, start, field.length)
  target.set(field, position)
  return position + field.length
}

/** Writes the header in front of the payload. */
function sealBatch(bytes: Uint8Array, options: BatchOptions, maxTimestampMs: number): Uint8Array {
  const data = new DataView(bytes.buffer)
  data.setBigInt64(BASE_OFFSET, BigInt(options.baseOffset ?? 0))
  data.setInt32(BATCH_LENGTH, bytes.length - LOG_OVERHEAD)
  data.setInt32(PARTITION_LEADER_EPOCH, options.leaderEpoch ?? -1)
  data.setInt8(MAGIC, 2)
  data.setInt16(ATTRIBUTES, attributesOf(options))
  data.setInt32(LAST_OFFSET_DELTA, options.records.length - 1)
  data.setBigInt64(BASE_TIMESTAMP, toInt64(options.baseTimestampMs))
  data.setBigInt64(MAX_TIMESTAMP, toInt64(maxTimestampMs))
  data.setBigInt64(PRODUCER_ID, BigInt(options.producerId ?? NO_PRODUCER_ID))
  data.setInt16(PRODUCER_EPOCH, options.producerEpoch ?? -1)
  data.setInt32(BASE_SEQUENCE, options.baseSequence ?? -1)
  data.setInt32(RECORD_COUNT, options.records.length)
  data.setUint32(CRC, crc32c(bytes.subarray(ATTRIBUTES)))
  return bytes
}

function attributesOf(options: BatchOptions): number {
  let attributes = codecId(options.codec ?? 'none')
  if (options.isLogAppendTime === true) attributes |= TIMESTAMP_TYPE_BIT
  if (options.isTransactional === true) attributes |= TRANSACTIONAL_BIT
  if (options.isControl === true) attributes |= CONTROL_BIT
  return attributes
}
