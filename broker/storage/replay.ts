import type { BatchView } from '../records/batch.ts'
import type { ProducerState } from './producer-state.ts'
import { scanBatches } from './scan.ts'
import type { LogSegment } from './segment.ts'
import type { LogSegments } from './segments.ts'

const TAIL_CHUNK_BYTES = 64 * 1024

export interface SegmentEnd {
  readonly nextOffset: number
  /** Less than the file's size where something follows that is no batch. */
  readonly validBytes: number
  /** Of the last batch; -1 where there is none. */
  readonly leaderEpoch: number
}

/** Finds the end of a segment from its last index entry on, and its largest timestamp if that lies there. */
export async function findEnd(segment: LogSegment): Promise<SegmentEnd> {
  let nextOffset = segment.baseOffset
  let leaderEpoch = -1
  const from = segment.positionBefore(Infinity)
  const validBytes = await scanBatches(
    segment,
    { from, to: segment.writtenBytes, chunkBytes: TAIL_CHUNK_BYTES },
    (view) => {
      nextOffset = view.nextOffset
      leaderEpoch = view.partitionLeaderEpoch
      segment.noteTimestamp(view.maxTimestamp, view.lastOffset)
      return true
    },
  )
  return { nextOffset, validBytes, leaderEpoch }
}

/** Between two batches of a segment. */
interface Boundary {
  /** Where the first batch begins that reaches to the offset or behind it; the end of the file where there is none. */
  readonly position: number
  /** Behind the last batch before that one; the segment's base where there is none. */
  readonly nextOffset: number
}

/** Finds it from the index on, or, where that is damaged, from the start. */
export async function boundaryAt(segment: LogSegment, offset: number, from?: number): Promise<Boundary> {
  const start = from ?? segment.positionBefore(offset - 1)
  let nextOffset = segment.baseOffset
  let isLed = start === 0
  const position = await scanBatches(
    segment,
    { from: start, to: segment.writtenBytes, chunkBytes: TAIL_CHUNK_BYTES },
    (view) => {
      if (view.lastOffset >= offset) return false
      nextOffset = view.nextOffset
      isLed = true
      return true
    },
  )
  // The index leads to a batch that ends before the offset: else it is damaged, or the batch is.
  return isLed ? { position, nextOffset } : boundaryAt(segment, offset, 0)
}

/**
 * Where a cut at `offset` begins: at the first batch that reaches to it or behind it. Where that one, or what only looks like it, is damaged,
 * at the first that is: what is kept must have no hole, and what is cut off can be fetched again. The log then ends where the batches do
 * that are kept: what seems to be a gap before `offset` may be where the offset of a batch is wrong.
 */
export async function cutOf(
  segment: LogSegment,
  offset: number,
  logEndOffset: number,
): Promise<{ position: number; offset: number }> {
  const to = segment.writtenBytes
  const { position, nextOffset } = await boundaryAt(segment, offset)
  let isSound = position >= to
  let behindFirst = -1
  await scanBatches(segment, { from: position, to, chunkBytes: TAIL_CHUNK_BYTES }, (view) => {
    // Its offset is outside the CRC: the batch behind it has to fit.
    if (behindFirst >= 0) isSound = view.baseOffset >= behindFirst
    else isSound = view.nextOffset <= logEndOffset && view.computeCrc() === view.crc
    if (behindFirst >= 0) return false
    behindFirst = view.nextOffset
    return isSound
  })
  if (isSound) return { position, offset: nextOffset }
  let next = segment.baseOffset
  const sound = await scanBatches(segment, { from: 0, to }, (view) => {
    const isNext = view.baseOffset >= next && view.lastOffset < offset && view.computeCrc() === view.crc
    if (isNext) next = view.nextOffset
    return isNext
  })
  return { position: sound, offset: next }
}

/** Opens a sealed segment for appends again. */
export async function reactivate(segment: LogSegment): Promise<void> {
  let firstTimestampMs: number | undefined
  await scanBatches(segment, { from: 0, to: segment.writtenBytes, chunkBytes: 64 }, (view) => {
    firstTimestampMs = view.maxTimestamp
    return false
  })
  segment.activate(firstTimestampMs)
}

/** Brings `producers` from where its snapshot ends up to `offset`. */
export async function replayProducers(segments: LogSegments, producers: ProducerState, offset: number): Promise<void> {
  const from = producers.endOffset
  if (from >= offset) return
  for (const segment of segments.from(from)) {
    if (segment.baseOffset >= offset) break
    const { position } = await boundaryAt(segment, from)
    await scanBatches(segment, { from: position, to: segment.writtenBytes }, (view) => takeIn(producers, view, offset))
  }
  producers.endOffset = offset
}

function takeIn(producers: ProducerState, view: BatchView, offset: number): boolean {
  if (view.baseOffset >= offset) return false
  if (view.hasProducerId) producers.append(view)
  return true
}
