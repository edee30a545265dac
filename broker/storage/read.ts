import { BatchView, HEADER_BYTES } from '../records/batch.ts'
import { DamagedBatchError, StorageError } from './errors.ts'
import type { LogSegments } from './segments.ts'
import type { LogTail } from './tail-cache.ts'
import type { LogSegment } from './segment.ts'

/** Whole batches, in order. */
export interface LogSlice {
  readonly buffers: readonly Uint8Array[]
  readonly sizeInBytes: number
  /** Of the first batch, which may begin before the offset that was asked for; that offset where there is no batch. */
  readonly baseOffset: number
  /** There are more below the limit of offsets: that of the size has ended the read, or the end of a file. */
  readonly hasMore: boolean
}

export interface ReadRequest {
  readonly offset: number
  readonly maxBytes: number
  /** Only batches that end before it. */
  readonly limitOffset: number
  /** The first batch is given even where it is larger than `maxBytes` (KIP-74). */
  readonly minOneBatch: boolean
}

interface Selection {
  /** Where the selected batches begin and end; equal where there are none. */
  readonly start: number
  readonly end: number
  readonly baseOffset: number
  /** The batches ended because the buffer did. */
  readonly atEnd: boolean
  /** The batch at `end` is wanted and not whole: its size, as far as known. */
  readonly wantedBytes: number
  /** The batch at `end` is not what was written. */
  readonly isDamaged: boolean
  /** Behind the last whole batch; -1 where there is none. */
  readonly nextOffset: number
  /** The batch at `end` is wanted, as far as can be told. */
  readonly hasMore: boolean
}

/** Whether a batch is what was written. */
type Verify = (view: BatchView, previousNextOffset: number) => boolean
const TRUST: Verify = () => true

/** A batch's offsets lie outside the CRC, but follow those of the one before, and the log ends behind them. */
function verifyBefore(logEndOffset: number): Verify {
  return (view, previousNextOffset) =>
    view.baseOffset >= previousNextOffset && view.lastOffset < logEndOffset && view.computeCrc() === view.crc
}

/** Bytes read beyond those asked for: the index leads to a batch somewhat before the offset. */
const SLACK_BYTES = 8192

export function emptySlice(offset: number): LogSlice {
  return { buffers: [], sizeInBytes: 0, baseOffset: offset, hasMore: false }
}

/** Picks from consecutive batches those that answer `request`, from the first that reaches behind its offset. */
function select(
  bytes: Uint8Array,
  request: ReadRequest,
  room: number,
  minOneBatch: boolean,
  verify: Verify,
): Selection {
  const view = new BatchView(bytes)
  let start = -1
  let at = 0
  let baseOffset = request.offset
  let nextOffset = -1
  const done = (atEnd: boolean, wantedBytes = 0, isDamaged = false, isOutside = false): Selection => ({
    start: start < 0 ? at : start,
    end: at,
    baseOffset,
    atEnd,
    wantedBytes,
    isDamaged,
    nextOffset,
    hasMore: !isOutside && nextOffset < request.limitOffset,
  })
  while (at + HEADER_BYTES <= bytes.length) {
    const { lastOffset, sizeInBytes } = view.at(at)
    if (sizeInBytes < HEADER_BYTES) return done(false, 0, true)
    const isWhole = at + sizeInBytes <= bytes.length
    // Also what is passed over, or not given yet: an offset that is wrong would hide records, or all that follow.
    if (isWhole && verify !== TRUST && !verify(view, nextOffset)) return done(false, 0, true)
    if (start >= 0 || lastOffset >= request.offset) {
      const taken = start < 0 ? 0 : at - start
      const fits = taken + sizeInBytes <= room || (minOneBatch && taken === 0)
      const isBeyond = lastOffset >= request.limitOffset && (isWhole || verify === TRUST || taken > 0)
      if (!fits || isBeyond) return done(false, 0, false, lastOffset >= request.limitOffset)
    }
    if (!isWhole) return done(true, sizeInBytes)
    if (start < 0 && lastOffset >= request.offset) {
      start = at
      baseOffset = view.baseOffset
    }
    nextOffset = lastOffset + 1
    at += sizeInBytes
  }
  return done(true, HEADER_BYTES)
}

/** Reads from memory, without a copy; undefined where `offset` is older than what is there. */
export function readTail(tail: LogTail, request: ReadRequest): LogSlice | undefined {
  const first = tail.find(request.offset)
  if (first === undefined) return undefined
  const buffers: Uint8Array[] = []
  let sizeInBytes = 0
  let baseOffset = request.offset
  let hasMore = false
  for (let position = first; ; position++) {
    const entry = tail.at(position)
    if (entry === undefined || entry.baseOffset >= request.limitOffset) break
    const room = request.maxBytes - sizeInBytes
    if (sizeInBytes > 0 && entry.nextOffset <= request.limitOffset && entry.bytes.length <= room) {
      buffers.push(entry.bytes)
      sizeInBytes += entry.bytes.length
      continue
    }
    const { start, end, atEnd, ...selected } = select(
      entry.bytes,
      request,
      room,
      request.minOneBatch && sizeInBytes === 0,
      TRUST,
    )
    if (end > start) {
      if (sizeInBytes === 0) baseOffset = selected.baseOffset
      buffers.push(entry.bytes.subarray(start, end))
      sizeInBytes += end - start
    }
    if (atEnd) continue
    hasMore = selected.hasMore
    break
  }
  return { buffers, sizeInBytes, baseOffset, hasMore }
}

/** Reads from the files, usually with one read. The request's offset is in `segments`; `endOffset` tells where the log ends at the moment. */
export async function readSegments(
  segments: LogSegments,
  request: ReadRequest,
  endOffset: () => number,
): Promise<LogSlice> {
  const list = segments.from(request.offset)
  for (const segment of list) {
    if (segment.baseOffset >= request.limitOffset) break
    const slice = await readSegment(segment, request, endOffset)
    if (slice !== undefined) return slice
  }
  return emptySlice(request.offset)
}

/** Undefined where no batch of the segment reaches to the offset: compaction took it. */
async function readSegment(
  segment: LogSegment,
  request: ReadRequest,
  endOffset: () => number,
): Promise<LogSlice | undefined> {
  if (segment.isClosed) throw deleted(request)
  let position = segment.positionBefore(request.offset)
  let size = request.maxBytes + SLACK_BYTES
  let goodUntil = segment.baseOffset
  for (;;) {
    const bytesLeft = segment.writtenBytes - position
    if (bytesLeft <= 0) return undefined
    if (segment.isClosed) throw deleted(request)
    const asked = Math.min(size, bytesLeft)
    const bytes = await segment.readToSend(asked, position)
    // The file has less than was written to it: nothing would ever come of waiting for the rest.
    if (bytes.length < Math.min(asked, HEADER_BYTES)) throw new DamagedBatchError(Math.min(goodUntil, request.offset))
    if (bytes.length < HEADER_BYTES) return undefined
    // What was appended during the read may be in it.
    const verify = position >= segment.uncheckedFrom ? TRUST : verifyBefore(endOffset())
    const selection = select(bytes, request, request.maxBytes, request.minOneBatch, verify)
    const { start, end, baseOffset, atEnd, wantedBytes, hasMore } = selection
    // What is good before a damaged batch is still given.
    if (end > start) return { buffers: [bytes.subarray(start, end)], sizeInBytes: end - start, baseOffset, hasMore }
    goodUntil = Math.max(goodUntil, selection.nextOffset)
    if (selection.isDamaged) throw new DamagedBatchError(Math.min(goodUntil, request.offset))
    if (!atEnd) return { ...emptySlice(request.offset), hasMore }
    // The wanted batch begins behind the buffer, or does not end in it; unless the file has less than was written to it.
    if (end === 0 && (bytes.length === bytesLeft || bytes.length < asked))
      throw new DamagedBatchError(Math.min(goodUntil, request.offset))
    position += end
    size = Math.max(wantedBytes, request.maxBytes) + SLACK_BYTES
  }
}

function deleted({ offset }: ReadRequest): StorageError {
  return new StorageError('OFFSET_OUT_OF_RANGE', `Offset ${offset} has been deleted meanwhile`)
}
