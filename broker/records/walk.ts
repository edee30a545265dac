import { varintAt, varintEnd, varlongAt } from '../lib/varint.ts'
import { MalformedBatchError } from './record.ts'

/** What a walk over a batch's records finds out. */
export interface Walk {
  /** Smallest and largest timestamp delta, in ms. */
  readonly minTimestampDelta: number
  readonly maxTimestampDelta: number
  readonly keyless: number
}

/** Called for each record; keeps the walk itself free of allocations. */
export type RecordVisitor = (index: number, timestampDelta: number, hasKey: boolean) => void

const MORE = 0x80
const GROUP = 0x7f
/** A zigzag-coded -1, the length of a null. */
const NULL = 1

/**
 * Walks the `count` records that fill `bytes` from `start` to `end`, uncompressed, without building any: that the lengths add up, that
 * the offset deltas are 0, 1, 2, … and that nothing is left over. Throws MalformedBatchError or VarintError.
 *
 * Every record of every producer comes by here: integers of one or two groups, which is nearly all, are decoded in place, since the calls
 * would take twice the time. Past the end there are zeros, as in `varintAt`; the record's end is the one check of the bounds.
 */
export function walkRecords(bytes: Uint8Array, start: number, end: number, count: number, visit?: RecordVisitor): Walk {
  let at = start
  let minTimestampDelta = Infinity
  let maxTimestampDelta = -Infinity
  let keyless = 0
  for (let index = 0; index < count; index++) {
    let byte = bytes[at++] ?? 0
    let value = byte & GROUP
    if (byte >= MORE) {
      byte = bytes[at++] ?? 0
      value |= byte << 7
    }
    let size = (value >>> 1) ^ -(value & 1)
    if (byte >= MORE) {
      size = varintAt(bytes, at - 2)
      at = varintEnd(bytes, at - 2)
    }
    const recordEnd = at + size
    if (size < 0 || recordEnd > end) throw misfit(index, size)

    // Behind the attributes, of which no bit is in use.
    at++
    byte = bytes[at++] ?? 0
    value = byte & GROUP
    if (byte >= MORE) {
      byte = bytes[at++] ?? 0
      value |= byte << 7
    }
    let timestampDelta = (value >>> 1) ^ -(value & 1)
    if (byte >= MORE) {
      timestampDelta = varlongAt(bytes, at - 2)
      at = varintEnd(bytes, at - 2)
    }
    if (timestampDelta < minTimestampDelta) minTimestampDelta = timestampDelta
    if (timestampDelta > maxTimestampDelta) maxTimestampDelta = timestampDelta

    byte = bytes[at++] ?? 0
    value = byte & GROUP
    if (byte >= MORE) {
      byte = bytes[at++] ?? 0
      value |= byte << 7
    }
    if (byte >= MORE) {
      value = varintAt(bytes, at - 2) * 2
      at = varintEnd(bytes, at - 2)
    }
    if (value !== index * 2) throw new MalformedBatchError(`the offset delta of record ${index} is not that`)

    const isNull = bytes[at] === NULL
    const keySize = isNull ? -1 : varintAt(bytes, at)
    at = isNull ? at + 1 : varintEnd(bytes, at)
    if (keySize < 0) keyless++
    else at += keySize

    byte = bytes[at++] ?? 0
    value = byte & GROUP
    if (byte >= MORE) {
      byte = bytes[at++] ?? 0
      value |= byte << 7
    }
    let valueSize = (value >>> 1) ^ -(value & 1)
    if (byte >= MORE) {
      valueSize = varintAt(bytes, at - 2)
      at = varintEnd(bytes, at - 2)
    }
    if (valueSize > 0) at += valueSize
    at = (bytes[at] ?? 0) === 0 ? at + 1 : headersEnd(bytes, at, recordEnd)
    if (at !== recordEnd) throw misfit(index, size)
    visit?.(index, timestampDelta, keySize >= 0)
  }
  if (at !== end) throw new MalformedBatchError(`${end - at} bytes behind the last record`)
  return { minTimestampDelta, maxTimestampDelta, keyless }
}

function misfit(index: number, size: number): MalformedBatchError {
  return new MalformedBatchError(`record ${index} of ${size} bytes does not fit`)
}

/** The position behind a length and as many bytes; a negative length is a null. */
function fieldEnd(bytes: Uint8Array, position: number): number {
  const size = varintAt(bytes, position)
  const start = varintEnd(bytes, position)
  return size > 0 ? start + size : start
}

function headersEnd(bytes: Uint8Array, position: number, recordEnd: number): number {
  const count = varintAt(bytes, position)
  let at = varintEnd(bytes, position)
  if (count === 0) return at
  // A header takes two bytes at least: a count beyond that must not be counted to.
  if (count < 0 || count > recordEnd - at) throw new MalformedBatchError(`a record with ${count} headers`)
  for (let index = 0; index < count; index++) {
    if (varintAt(bytes, at) < 0) throw new MalformedBatchError('a header without a key')
    at = fieldEnd(bytes, fieldEnd(bytes, at))
  }
  return at
}
