import { BatchView, HEADER_BYTES } from '../records/batch.ts'
import { DamagedBatchError, StorageError } from './errors.ts'
import type { LogSegment } from './segment.ts'
import type { LogSegments } from './segments.ts'
import { type Found, type ReadRequest, select, type Selection, TRUST, type Verify } from './selection.ts'
import type { LogTail } from './tail-cache.ts'

/** Whole batches, in order. */
export interface LogSlice {
  readonly buffers: readonly Uint8Array[]
  readonly sizeInBytes: number
  /** Of the first batch, which may begin before the offset that was asked for; that offset where there is no batch. */
  readonly baseOffset: number
  /** There are more below the limit of offsets: that of the size has ended the read, or the end of a file. */
  readonly hasMore: boolean
  /** The size of the first batch, where it is the size that has ended the read before it; else 0. */
  readonly wantedBytes: number
}

const NO_EPOCH = -1

/** What no batch of a log goes beyond at the moment. */
export interface LogBounds {
  readonly endOffset: number
  /** -1 where it is not known. */
  readonly latestEpoch: number
}

/** Offsets and the leader epoch of a batch lie outside of the CRC. */
function verifyWithin({ endOffset, latestEpoch }: LogBounds): Verify {
  return (view) =>
    view.lastOffset < endOffset &&
    view.partitionLeaderEpoch >= NO_EPOCH &&
    (latestEpoch === NO_EPOCH || view.partitionLeaderEpoch <= latestEpoch) &&
    view.computeCrc() === view.crc
}

/** Bytes read beyond those asked for: the index leads to a batch somewhat before the offset. */
const SLACK_BYTES = 8192

export function emptySlice(offset: number): LogSlice {
  return { buffers: [], sizeInBytes: 0, baseOffset: offset, hasMore: false, wantedBytes: 0 }
}

/** Reads from memory, without a copy; undefined where `offset` is older than what is there. */
export function readTail(tail: LogTail, request: ReadRequest): LogSlice | undefined {
  const first = tail.find(request.offset)
  if (first === undefined) return undefined
  const buffers: Uint8Array[] = []
  let sizeInBytes = 0
  let baseOffset = request.offset
  let hasMore = false
  let wantedBytes = 0
  for (let position = first; ; position++) {
    const entry = tail.at(position)
    if (entry === undefined || entry.baseOffset >= request.limitOffset) break
    const room = request.maxBytes - sizeInBytes
    if (sizeInBytes > 0 && entry.nextOffset <= request.limitOffset && entry.bytes.length <= room) {
      buffers.push(entry.bytes)
      sizeInBytes += entry.bytes.length
      continue
    }
    const { bytes } = entry
    const found = { bytes, expectedOffset: -1, bytesLeft: bytes.length, verify: TRUST }
    const minOneBatch = request.minOneBatch && sizeInBytes === 0
    const { start, end, atEnd, ...selected } = select(found, request, room, minOneBatch)
    if (end > start) {
      if (sizeInBytes === 0) baseOffset = selected.baseOffset
      buffers.push(bytes.subarray(start, end))
      sizeInBytes += end - start
    }
    if (atEnd) continue
    hasMore = selected.hasMore
    if (sizeInBytes === 0) wantedBytes = selected.wantedBytes
    break
  }
  return { buffers, sizeInBytes, baseOffset, hasMore, wantedBytes }
}

/** Reads from the files, usually with one read. The request's offset is in `segments`; `bounds` are those of the log at the moment. */
export async function readSegments(
  segments: LogSegments,
  request: ReadRequest,
  bounds: () => LogBounds,
): Promise<LogSlice> {
  const list = segments.from(request.offset)
  for (const [index, segment] of list.entries()) {
    if (segment.baseOffset >= request.limitOffset) break
    const limit = list[index + 1]?.baseOffset ?? Infinity
    const slice = await readSegment(segment, request, () => {
      const { endOffset, latestEpoch } = bounds()
      return { endOffset: Math.min(endOffset, limit), latestEpoch }
    })
    if (slice !== undefined) return slice
  }
  return emptySlice(request.offset)
}

/** Where a read of a segment has come to. */
interface Place {
  readonly position: number
  /** As of `Found`. */
  readonly expectedOffset: number
}

function ledBy(segment: LogSegment, offset: number, entriesBack: number): Place {
  const position = segment.positionBefore(offset, entriesBack)
  return { position, expectedOffset: position === 0 ? segment.baseOffset : -1 }
}

/**
 * The index leads to a batch that ends at the offset or before. Where it does not, or there is damage, or a gap where the offset should be, what is
 * before has to tell what is the matter: the index, a batch, or nothing.
 */
function isMisled(selection: Selection, { bytes, bytesLeft }: Found, offset: number): boolean {
  if (new BatchView(bytes).lastOffset > offset) return true
  const { isDamaged, goodBefore, baseOffset, start, end } = selection
  const isGap = baseOffset > offset || (start === end && end === bytesLeft)
  return (isDamaged || isGap) && goodBefore < 2
}

/** Undefined where no batch of the segment reaches to the offset: compaction took it. */
async function readSegment(
  segment: LogSegment,
  request: ReadRequest,
  bounds: () => LogBounds,
): Promise<LogSlice | undefined> {
  const { offset, maxBytes, minOneBatch } = request
  /** How many entries of the index before the one for the offset; undefined once that has been left behind. */
  let back: number | undefined = 0
  let place = ledBy(segment, offset, back)
  let size = maxBytes + SLACK_BYTES
  for (;;) {
    const { position, expectedOffset } = place
    const bytesLeft = segment.writtenBytes - position
    if (bytesLeft <= 0) return undefined
    if (segment.isClosed) throw deleted(request)
    const asked = Math.min(size, bytesLeft)
    const bytes = await segment.readToSend(asked, position)
    const isShort = bytes.length < asked
    // The file has less than was written to it: nothing would ever come of waiting for the rest.
    if (bytes.length < HEADER_BYTES) {
      if (isShort) throw damaged(segment, expectedOffset, offset)
      return undefined
    }
    // What was appended during the read may be in it.
    const verify = position >= segment.uncheckedFrom ? TRUST : verifyWithin(bounds())
    const found = { bytes, expectedOffset, bytesLeft, verify }
    const selection = select(found, request, maxBytes, minOneBatch)
    if (back !== undefined && position > 0 && verify !== TRUST && isMisled(selection, found, offset)) {
      back = back * 2 + 1
      place = ledBy(segment, offset, back)
      continue
    }
    back = undefined
    const slice = sliceOf(segment, found, selection, { offset, isShort })
    if (slice !== undefined) return slice
    const { end, nextOffset, wantedBytes } = selection
    place = { position: position + end, expectedOffset: nextOffset }
    size = Math.max(wantedBytes, maxBytes) + SLACK_BYTES
  }
}

/** What the selection answers; undefined where more is to be read for that. Throws where it never would be enough. */
function sliceOf(
  segment: LogSegment,
  { bytes, bytesLeft }: Found,
  { start, end, baseOffset, atEnd, wantedBytes, isDamaged, nextOffset, hasMore }: Selection,
  { offset, isShort }: { readonly offset: number; readonly isShort: boolean },
): LogSlice | undefined {
  // What is good before a damaged batch is still given.
  if (end > start)
    return { buffers: [bytes.subarray(start, end)], sizeInBytes: end - start, baseOffset, hasMore, wantedBytes: 0 }
  // The wanted batch begins behind the buffer, or does not end in it; unless the file has less than was written to it.
  const isMissing = atEnd && end === 0 && (isShort || bytes.length === bytesLeft)
  if (isDamaged || isMissing) throw damaged(segment, nextOffset, offset)
  return atEnd ? undefined : { ...emptySlice(offset), hasMore, wantedBytes }
}

function damaged(segment: LogSegment, goodUntil: number, offset: number): DamagedBatchError {
  return new DamagedBatchError(Math.min(Math.max(goodUntil, segment.baseOffset), offset))
}

function deleted({ offset }: ReadRequest): StorageError {
  return new StorageError('OFFSET_OUT_OF_RANGE', `Offset ${offset} has been deleted meanwhile`)
}
