/**
 * What a broker checks in the records of one partition of a Produce request, in Kafka's order: framing and magic (ProduceRequest v3 and
 * later), base offset, size, CRC, the header's counts (KIP-98), then each record. Stricter than Kafka where it would store a log that
 * readers trip over: bytes behind the batch, offset deltas out of order, a transaction without a producer id.
 */
import { type CodecName, CodecError, type Compute } from '../env/compute.ts'
import { VarintError } from '../lib/varint.ts'
import { BATCH_LENGTH, BatchView, HEADER_BYTES, LOG_OVERHEAD, MAGIC, NO_TIMESTAMP } from './batch.ts'
import { MAX_DECOMPRESSED_BYTES } from './read.ts'
import { recompress } from './recompress.ts'
import { MalformedBatchError } from './record.ts'
import { type Walk, walkRecords } from './walk.ts'

const MAGIC_V2 = 2
/** The smallest record that any message format had; a length below it is no length. */
const SMALLEST_RECORD_BYTES = 14
/** Records of a batch that are named as refused: a small batch may hold millions when it is decompressed, each with an answer. */
const RECORD_ERRORS_MAX = 1000
const KIB = 1024
/**
 * Up to these sizes, compressed and not, a batch is decompressed here: the hop to the thread pool takes 20 us of CPU time or more, and
 * this at most some hundred.
 */
const SYNC_BYTES: Readonly<Record<CodecName, { readonly compressed: number; readonly plain: number }>> = {
  none: { compressed: 0, plain: 0 },
  gzip: { compressed: 4 * KIB, plain: 64 * KIB },
  snappy: { compressed: 32 * KIB, plain: 128 * KIB },
  lz4: { compressed: 256 * KIB, plain: 512 * KIB },
  zstd: { compressed: 16 * KIB, plain: 128 * KIB },
}

/** The topic's rules for what producers send, and the time of the append. */
export interface ProduceRules {
  /** `max.message.bytes`: of a whole batch, as sent and as stored. */
  readonly maxMessageBytes: number
  /** `cleanup.policy` contains `compact`: records need keys. */
  readonly compacted: boolean
  /** `message.timestamp.type`. */
  readonly timestampType: 'CreateTime' | 'LogAppendTime'
  /** `message.timestamp.before.max.ms` and `.after.max.ms`: how far a CreateTime may lie from `nowMs`. */
  readonly timestampBeforeMaxMs: number
  readonly timestampAfterMaxMs: number
  /** `compression.type` and the codec's level; left out for `producer`: stored as sent. */
  readonly compression?: { readonly codec: CodecName; readonly level?: number }
  /** Wall-clock time of the append, ms since the epoch. */
  readonly nowMs: number
}

/** Kafka's names of the errors that a batch can be refused with. */
type ProduceErrorName =
  | 'CORRUPT_MESSAGE'
  | 'INVALID_RECORD'
  | 'INVALID_TIMESTAMP'
  | 'MESSAGE_TOO_LARGE'
  | 'UNSUPPORTED_COMPRESSION_TYPE'

/** Why one record of a batch is refused (KIP-467). */
interface RecordError {
  readonly batchIndex: number
  readonly message: string
}

interface AcceptedBatch {
  readonly ok: true
  /** The batch to store: the bytes received, stamped in place, or a new buffer where it was compressed anew. */
  readonly bytes: Uint8Array
  readonly maxTimestampMs: number
  readonly recordCount: number
  /** -1 for CreateTime. */
  readonly logAppendTimeMs: number
}

/** What was wrong with a batch, of that for which Kafka has counts; `keyless` counts records, the others are of the batch. */
export type BatchFlaw = 'crc' | 'offsetOrSequence' | { readonly keyless: number }

interface RefusedBatch {
  readonly ok: false
  readonly error: ProduceErrorName
  readonly message: string
  readonly recordErrors: readonly RecordError[]
  readonly flaw?: BatchFlaw
}

export type ProduceVerdict = AcceptedBatch | RefusedBatch

/**
 * Whether and how the batch in `records` is stored. Synchronous unless the thread pool is needed: for large compressed batches, and for
 * a topic whose `compression.type` differs. Owns `records` from here on: stamps them in place.
 */
export function validateProduce(
  records: Uint8Array,
  rules: ProduceRules,
  compute: Compute,
): ProduceVerdict | Promise<ProduceVerdict> {
  const unframed = checkFraming(records)
  if (unframed !== undefined) return unframed
  const view = new BatchView(records)
  const refused = checkHeader(view, rules)
  if (refused !== undefined) return refused
  const codec = view.codec
  if (codec === undefined)
    return refuse('UNSUPPORTED_COMPRESSION_TYPE', `unknown codec in attributes ${view.attributes}`)
  // A batch of a few KB may be 100 MB that wait to be compressed anew.
  return isStoredAs(codec, rules)
    ? checkPayload(view, codec, rules, compute)
    : compute.inTurn(async () => checkPayload(view, codec, rules, compute))
}

/** Whether batches of `codec` need not be compressed anew. */
function isStoredAs(codec: CodecName, { compression }: ProduceRules): boolean {
  return compression === undefined || compression.codec === codec
}

function checkPayload(
  view: BatchView,
  codec: CodecName,
  rules: ProduceRules,
  compute: Compute,
): ProduceVerdict | Promise<ProduceVerdict> {
  if (codec === 'none') return checkRecords(view, view.bytes, HEADER_BYTES, rules, compute)
  const brief = decompressSmall(view, codec, compute)
  if (brief === undefined) return checkLarge(view, codec, rules, compute)
  // A copy: what was decompressed for a look does not last as long as it takes to compress it.
  const plain = isStoredAs(codec, rules) ? brief : new Uint8Array(brief)
  return checkRecords(view, plain, 0, rules, compute)
}

function checkFraming(records: Uint8Array): ProduceVerdict | undefined {
  if (records.length <= MAGIC) return refuse('INVALID_RECORD', 'a Produce request has at least one record batch')
  const data = new DataView(records.buffer, records.byteOffset, records.byteLength)
  const length = data.getInt32(BATCH_LENGTH)
  if (length < SMALLEST_RECORD_BYTES) return refuse('CORRUPT_MESSAGE', `a record batch of length ${length}`)
  const magic = data.getInt8(MAGIC)
  if (magic < 0 || magic > MAGIC_V2) return refuse('CORRUPT_MESSAGE', `a record batch of magic ${magic}`)
  const size = length + LOG_OVERHEAD
  if (size > records.length) return refuse('INVALID_RECORD', 'a Produce request has at least one whole record batch')
  if (magic !== MAGIC_V2) return refuse('INVALID_RECORD', 'only record batches of magic 2 are accepted')
  if (size < records.length)
    return refuse('INVALID_RECORD', 'a partition of a Produce request has exactly one record batch')
  if (size < HEADER_BYTES) return refuse('CORRUPT_MESSAGE', `a record batch of ${size} bytes`)
  return undefined
}

function checkHeader(view: BatchView, rules: ProduceRules): ProduceVerdict | undefined {
  if (view.baseOffset !== 0) return refuse('INVALID_RECORD', `the base offset is ${view.baseOffset} instead of 0`)
  const oversized = checkSize(view, rules)
  if (oversized !== undefined) return oversized
  if (view.computeCrc() !== view.crc) return flawed('crc', 'the CRC of the record batch does not match')
  const { lastOffsetDelta, recordCount } = view
  if (lastOffsetDelta < 0 || recordCount !== lastOffsetDelta + 1) {
    return flawed('offsetOrSequence', `${recordCount} records for the last offset delta ${lastOffsetDelta}`)
  }
  if (view.isControl) return flawed('offsetOrSequence', 'clients may not write control records')
  if (view.hasProducerId && view.baseSequence < 0) {
    return flawed('offsetOrSequence', `sequence number ${view.baseSequence} with producer id ${view.producerId}`)
  }
  if (view.isTransactional && !view.hasProducerId)
    return refuse('INVALID_RECORD', 'a transaction without a producer id')
  return undefined
}

function checkSize(view: BatchView, { maxMessageBytes }: ProduceRules): ProduceVerdict | undefined {
  const size = view.sizeInBytes
  if (size <= maxMessageBytes) return undefined
  return refuse(
    'MESSAGE_TOO_LARGE',
    `the record batch has ${size} bytes, more than max.message.bytes of ${maxMessageBytes}`,
  )
}

/** The records of a small batch; undefined when they are many, and when they may not decompress at all. */
function decompressSmall(view: BatchView, codec: CodecName, compute: Compute): Uint8Array | undefined {
  const payload = view.payload
  const limit = SYNC_BYTES[codec]
  if (payload.length > limit.compressed) return undefined
  try {
    return compute.decompressBriefly(codec, payload, limit.plain)
  } catch (error) {
    if (error instanceof CodecError) return undefined
    throw error
  }
}

async function checkLarge(
  view: BatchView,
  codec: CodecName,
  rules: ProduceRules,
  compute: Compute,
): Promise<ProduceVerdict> {
  try {
    const plain = await compute.decompress(codec, view.payload, MAX_DECOMPRESSED_BYTES)
    return await checkRecords(view, plain, 0, rules, compute)
  } catch (error) {
    if (error instanceof CodecError) return refuse('INVALID_RECORD', `the records do not decompress: ${error.message}`)
    throw error
  }
}

/** Checks the records, which are uncompressed in `plain` from `start` on, and makes the batch ready to store. */
function checkRecords(
  view: BatchView,
  plain: Uint8Array,
  start: number,
  rules: ProduceRules,
  compute: Compute,
): ProduceVerdict | Promise<ProduceVerdict> {
  let walk: Walk
  try {
    walk = walkRecords(plain, start, plain.length, view.recordCount)
  } catch (error) {
    if (error instanceof MalformedBatchError || error instanceof VarintError) {
      return refuse('INVALID_RECORD', error.message)
    }
    throw error
  }
  if (breaksRules(view, walk, rules)) {
    const refused = refuseRecords(view, plain, start, rules)
    if (refused !== undefined) return refused
  }
  const { compression } = rules
  if (compression === undefined || compression.codec === view.codec) return accept(view, walk, rules)
  return recompress(view, plain.subarray(start), compression, compute).then(
    (stored) => checkSize(stored, rules) ?? accept(stored, walk, rules),
  )
}

/** Whether any record may have to be refused: what the fast path asks, in place of a check a record. */
function breaksRules(view: BatchView, walk: Walk, rules: ProduceRules): boolean {
  if (rules.compacted && walk.keyless > 0) return true
  if (view.isLogAppendTime) return true
  if (rules.timestampType === 'LogAppendTime') return false
  const base = view.baseTimestamp
  return (
    base + walk.minTimestampDelta < rules.nowMs - rules.timestampBeforeMaxMs ||
    base + walk.maxTimestampDelta > rules.nowMs + rules.timestampAfterMaxMs
  )
}

/** The error of each record that breaks a rule; undefined when none does. */
function refuseRecords(
  view: BatchView,
  plain: Uint8Array,
  start: number,
  rules: ProduceRules,
): ProduceVerdict | undefined {
  const recordErrors: RecordError[] = []
  let refused = 0
  let keyless = 0
  let error: ProduceErrorName = 'INVALID_RECORD'
  walkRecords(plain, start, plain.length, view.recordCount, (batchIndex, timestampDelta, hasKey) => {
    const isKeyless = rules.compacted && !hasKey
    const untimely = isKeyless ? undefined : timestampError(view, timestampDelta, rules)
    if (!isKeyless && untimely === undefined) return
    refused++
    if (isKeyless) keyless++
    if (untimely !== undefined) error = 'INVALID_TIMESTAMP'
    if (recordErrors.length === RECORD_ERRORS_MAX) return
    recordErrors.push({ batchIndex, message: untimely ?? 'a compacted topic cannot accept a record without a key' })
  })
  if (refused === 0) return undefined
  const verdict = refuse(error, `${refused} of ${view.recordCount} records are refused`, recordErrors)
  return keyless === 0 ? verdict : { ...verdict, flaw: { keyless } }
}

function timestampError(view: BatchView, timestampDelta: number, rules: ProduceRules): string | undefined {
  const timestampMs = view.isLogAppendTime ? view.maxTimestamp : view.baseTimestamp + timestampDelta
  // As in Apache Kafka, this is looked at only where the time itself does not count.
  if (rules.timestampType === 'LogAppendTime' || timestampMs === NO_TIMESTAMP)
    return view.isLogAppendTime ? 'a producer may not set the timestamp type to LogAppendTime' : undefined
  const earliestMs = rules.nowMs - rules.timestampBeforeMaxMs
  const latestMs = rules.nowMs + rules.timestampAfterMaxMs
  if (timestampMs >= earliestMs && timestampMs <= latestMs) return undefined
  return `the timestamp ${timestampMs} is outside [${earliestMs}, ${latestMs}]`
}

function accept(view: BatchView, walk: Walk, rules: ProduceRules): ProduceVerdict {
  const isLogAppendTime = rules.timestampType === 'LogAppendTime'
  const maxTimestampMs = isLogAppendTime ? rules.nowMs : latestOf(view, walk)
  if (isLogAppendTime) view.stampLogAppendTime(maxTimestampMs)
  else if (view.isLogAppendTime) view.clearLogAppendTime()
  else if (view.maxTimestamp !== maxTimestampMs) view.stampMaxTimestamp(maxTimestampMs)
  const logAppendTimeMs = isLogAppendTime ? rules.nowMs : NO_TIMESTAMP
  return { ok: true, bytes: view.bytes, maxTimestampMs, recordCount: view.recordCount, logAppendTimeMs }
}

/** In a batch that says LogAppendTime, the batch's time is that of every record. */
function latestOf(view: BatchView, walk: Walk): number {
  if (view.isLogAppendTime) return view.maxTimestamp
  return Math.max(NO_TIMESTAMP, view.baseTimestamp + walk.maxTimestampDelta)
}

function refuse(error: ProduceErrorName, message: string, recordErrors: readonly RecordError[] = []): RefusedBatch {
  return { ok: false, error, message, recordErrors }
}

function flawed(flaw: 'crc' | 'offsetOrSequence', message: string): RefusedBatch {
  return { ...refuse(flaw === 'crc' ? 'CORRUPT_MESSAGE' : 'INVALID_RECORD', message), flaw }
}
