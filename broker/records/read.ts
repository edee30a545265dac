import type { Compute } from '../env/compute.ts'
import { VarintError, VarintReader } from '../lib/varint.ts'
import { BATCH_LENGTH, BatchView, HEADER_BYTES, LOG_OVERHEAD } from './batch.ts'
import { type KafkaRecord, MalformedBatchError, type RecordHeader } from './record.ts'

/**
 * The most that one batch may decompress to: what a request may hold (`socket.request.max.bytes`), since a client that did not compress
 * could not send more either.
 */
export const MAX_DECOMPRESSED_BYTES = 100 * 1024 * 1024

const NO_HEADERS: readonly RecordHeader[] = []

/**
 * The batches in `bytes`, in order, each with a view of its own. A batch cut short at the end (a fetch response, a crash) ends the scan,
 * or throws with `torn: 'throw'`. Throws MalformedBatchError for a length that no batch has. Checks framing only, no CRC.
 */
export function* batches(
  bytes: Uint8Array,
  options: { torn: 'stop' | 'throw' } = { torn: 'stop' },
): Generator<BatchView> {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let position = 0
  while (position < bytes.length) {
    const size =
      position + LOG_OVERHEAD <= bytes.length ? data.getInt32(position + BATCH_LENGTH) + LOG_OVERHEAD : undefined
    if (size !== undefined && size < HEADER_BYTES)
      throw new MalformedBatchError(`a batch of ${size} bytes at ${position}`)
    if (size === undefined || position + size > bytes.length) {
      if (options.torn === 'throw') throw new MalformedBatchError(`a batch is cut short at ${position}`)
      return
    }
    yield new BatchView(bytes, position)
    position += size
  }
}

/**
 * The records of one batch, decompressed on this thread: for start-up and for small batches. Throws MalformedBatchError, and CodecError
 * for a payload that does not decompress. The CRC is the caller's to check.
 */
export function readRecords(view: BatchView, compute: Pick<Compute, 'decompressSync'>): Iterable<KafkaRecord> {
  const codec = codecOf(view)
  if (codec === 'none') return parseRecords(view, view.payload)
  return parseRecords(view, compute.decompressSync(codec, view.payload, MAX_DECOMPRESSED_BYTES))
}

/** As `readRecords`, decompressing on the thread pool. */
export async function readRecordsAsync(
  view: BatchView,
  compute: Pick<Compute, 'decompress'>,
): Promise<Iterable<KafkaRecord>> {
  const codec = codecOf(view)
  if (codec === 'none') return parseRecords(view, view.payload)
  return parseRecords(view, await compute.decompress(codec, view.payload, MAX_DECOMPRESSED_BYTES))
}

function codecOf(view: BatchView) {
  const codec = view.codec
  if (codec === undefined) throw new MalformedBatchError(`unknown codec in attributes ${view.attributes}`)
  return codec
}

/** The records in the uncompressed `payload` of `view`. */
function* parseRecords(view: BatchView, payload: Uint8Array): Generator<KafkaRecord> {
  const { recordCount, baseOffset, baseTimestamp } = view
  const appendTimeMs = view.isLogAppendTime ? view.maxTimestamp : undefined
  const reader = new VarintReader(payload)
  for (let index = 0; index < recordCount; index++) {
    yield parseRecord(reader, baseOffset, baseTimestamp, appendTimeMs)
  }
  if (reader.remaining > 0) throw new MalformedBatchError(`${reader.remaining} bytes behind the last record`)
}

function parseRecord(
  reader: VarintReader,
  baseOffset: number,
  baseTimestamp: number,
  appendTimeMs: number | undefined,
): KafkaRecord {
  try {
    const size = reader.varint()
    const end = reader.position + size
    reader.position++ // Attributes: no bit of them is in use.
    const timestampDelta = reader.varlong()
    const offset = baseOffset + reader.varint()
    const key = readBytes(reader)
    const value = readBytes(reader)
    const headers = readHeaders(reader)
    if (reader.position !== end) throw new MalformedBatchError(`a record of ${size} bytes holds other than that`)
    return { offset, timestampMs: appendTimeMs ?? baseTimestamp + timestampDelta, key, value, headers }
  } catch (error) {
    if (error instanceof VarintError) throw new MalformedBatchError(error.message)
    throw error
  }
}

/** A length and as many bytes; null for a negative length. */
function readBytes(reader: VarintReader): Uint8Array | null {
  const size = reader.varint()
  if (size < 0) return null
  if (size > reader.remaining)
    throw new MalformedBatchError(`a field of ${size} bytes where ${reader.remaining} are left`)
  const start = reader.position
  reader.position += size
  return reader.bytes.subarray(start, start + size)
}

function readHeaders(reader: VarintReader): readonly RecordHeader[] {
  const count = reader.varint()
  if (count === 0) return NO_HEADERS
  // A header takes two bytes at least: a count beyond that must not size anything.
  if (count < 0 || count > reader.remaining) throw new MalformedBatchError(`a record with ${count} headers`)
  const headers: RecordHeader[] = []
  for (let index = 0; index < count; index++) {
    const key = readBytes(reader)
    if (key === null) throw new MalformedBatchError('a header without a key')
    headers.push({ key: Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString(), value: readBytes(reader) })
  }
  return headers
}
