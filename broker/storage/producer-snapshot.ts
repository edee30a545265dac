import { crc32c } from '../lib/crc32c.ts'
import { toInt64 } from '../lib/int64.ts'
import { StorageError } from './errors.ts'
import { ProducerEntry } from './producer-entry.ts'

/** ProducerSnapshot v1: version int16, CRC-32C of all behind it, an array of entries. Big endian. */
const VERSION = 1
const CRC_POSITION = 2
const BODY_POSITION = 6
const HEADER_BYTES = 10
const ENTRY_BYTES = 46

/** The content of a `.snapshot` file. Of each producer only the last batch is kept, as in Kafka. */
export function encodeProducerSnapshot(entries: Iterable<ProducerEntry>): Uint8Array {
  const list = [...entries]
  const bytes = new Uint8Array(HEADER_BYTES + list.length * ENTRY_BYTES)
  const data = new DataView(bytes.buffer)
  data.setInt16(0, VERSION)
  data.setInt32(BODY_POSITION, list.length)
  let at = HEADER_BYTES
  for (const entry of list) {
    const last = entry.batches.at(-1)
    data.setBigInt64(at, BigInt(entry.producerId))
    data.setInt16(at + 8, entry.epoch)
    data.setInt32(at + 10, last?.lastSequence ?? -1)
    data.setBigInt64(at + 14, BigInt(last?.lastOffset ?? -1))
    data.setInt32(at + 22, last?.offsetDelta ?? 0)
    data.setBigInt64(at + 26, toInt64(entry.lastTimestampMs))
    data.setInt32(at + 34, entry.coordinatorEpoch)
    data.setBigInt64(at + 38, BigInt(entry.currentTxnFirstOffset ?? -1))
    at += ENTRY_BYTES
  }
  data.setUint32(CRC_POSITION, crc32c(bytes.subarray(BODY_POSITION)))
  return bytes
}

/** Throws StorageError CORRUPT_FILE; `path` is for its message. */
export function decodeProducerSnapshot(bytes: Uint8Array, path: string): ProducerEntry[] {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < HEADER_BYTES || data.getInt16(0) !== VERSION) throw corrupt(path, 'no snapshot of version 1')
  if (data.getUint32(CRC_POSITION) !== crc32c(bytes.subarray(BODY_POSITION))) throw corrupt(path, 'wrong CRC')
  const count = data.getInt32(BODY_POSITION)
  if (bytes.length !== HEADER_BYTES + count * ENTRY_BYTES) throw corrupt(path, `no room for ${count} entries`)
  return Array.from({ length: count }, (_, index) => decodeEntry(data, HEADER_BYTES + index * ENTRY_BYTES))
}

function decodeEntry(data: DataView, at: number): ProducerEntry {
  const entry = new ProducerEntry(Number(data.getBigInt64(at)))
  entry.epoch = data.getInt16(at + 8)
  entry.lastTimestampMs = Number(data.getBigInt64(at + 26))
  entry.coordinatorEpoch = data.getInt32(at + 34)
  const txnFirstOffset = Number(data.getBigInt64(at + 38))
  if (txnFirstOffset >= 0) entry.currentTxnFirstOffset = txnFirstOffset
  const lastOffset = Number(data.getBigInt64(at + 14))
  if (lastOffset >= 0) {
    entry.batches.push({
      lastSequence: data.getInt32(at + 10),
      lastOffset,
      offsetDelta: data.getInt32(at + 22),
      timestampMs: entry.lastTimestampMs,
    })
  }
  return entry
}

function corrupt(path: string, why: string): StorageError {
  return new StorageError('CORRUPT_FILE', `${path}: ${why}`)
}
