import { VarintReader } from '../lib/varint.ts'
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
  const reader = new VarintReader(bytes, start, end)
  let minTimestampDelta = Infinity
  let maxTimestampDelta = -Infinity
  let keyless = 0
  for (let index = 0; index < count; index++) {
    const size = reader.varint()
    const recordEnd = reader.position + size
    if (size < 0 || recordEnd > end)
      throw new MalformedBatchError(`record ${index} of ${size} bytes does not fit its batch`)
    reader.position++ // Attributes: no bit of them is in use.
    const timestampDelta = reader.varlong()
    if (timestampDelta < minTimestampDelta) minTimestampDelta = timestampDelta
    if (timestampDelta > maxTimestampDelta) maxTimestampDelta = timestampDelta
    const offsetDelta = reader.varint()
    if (offsetDelta !== index) throw new MalformedBatchError(`record ${index} has the offset delta ${offsetDelta}`)
    const hasKey = skipField(reader, recordEnd)
    if (!hasKey) keyless++
    skipField(reader, recordEnd)
    skipHeaders(reader, recordEnd)
    if (reader.position !== recordEnd)
      throw new MalformedBatchError(`record ${index} holds other than its ${size} bytes`)
    visit?.(index, timestampDelta, hasKey)
  }
  if (reader.remaining > 0) throw new MalformedBatchError(`${reader.remaining} bytes behind the last record`)
  return { minTimestampDelta, maxTimestampDelta, keyless }
}

/** Steps over a length and as many bytes; false for a null (a negative length). */
function skipField(reader: VarintReader, recordEnd: number): boolean {
  const size = reader.varint()
  if (size < 0) return false
  if (size > recordEnd - reader.position) throw new MalformedBatchError(`a field of ${size} bytes leaves its record`)
  reader.position += size
  return true
}

function skipHeaders(reader: VarintReader, recordEnd: number): void {
  const count = reader.varint()
  if (count === 0) return
  if (count < 0 || count > recordEnd - reader.position) throw new MalformedBatchError(`a record with ${count} headers`)
  for (let index = 0; index < count; index++) {
    if (!skipField(reader, recordEnd)) throw new MalformedBatchError('a header without a key')
    skipField(reader, recordEnd)
  }
}
