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

/**
 * Walks the `count` records that fill `bytes` from `start` to `end`, uncompressed, without building any: that the lengths add up, that
 * the offset deltas are 0, 1, 2, … and that nothing is left over. Throws MalformedBatchError or VarintError.
 */
export function walkRecords(bytes: Uint8Array, start: number, end: number, count: number, visit?: RecordVisitor): Walk {
  let position = start
  let minTimestampDelta = Infinity
  let maxTimestampDelta = -Infinity
  let keyless = 0
  for (let index = 0; index < count; index++) {
    const size = varintAt(bytes, position)
    position = varintEnd(bytes, position)
    const recordEnd = position + size
    // The one check of the bounds: positions only grow, and the last one has to be this.
    if (size < 0 || recordEnd > end) throw misfit(index, size)
    position++ // Attributes: no bit of them is in use.
    const timestampDelta = varlongAt(bytes, position)
    position = varintEnd(bytes, position)
    if (timestampDelta < minTimestampDelta) minTimestampDelta = timestampDelta
    if (timestampDelta > maxTimestampDelta) maxTimestampDelta = timestampDelta
    if (varintAt(bytes, position) !== index)
      throw new MalformedBatchError(`the offset delta of record ${index} is not that`)
    position = varintEnd(bytes, position)
    const keySize = varintAt(bytes, position)
    position = varintEnd(bytes, position)
    if (keySize < 0) keyless++
    else position += keySize
    position = fieldEnd(bytes, position)
    position = headersEnd(bytes, position, recordEnd)
    if (position !== recordEnd) throw misfit(index, size)
    visit?.(index, timestampDelta, keySize >= 0)
  }
  if (position !== end) throw new MalformedBatchError(`${end - position} bytes behind the last record`)
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
