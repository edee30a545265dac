import { assert } from '../lib/assert.ts'
import { BatchView } from '../records/batch.ts'
import { batches } from '../records/read.ts'
import { StorageError } from './errors.ts'
import type { LeaderEpochCache } from './leader-epochs.ts'
import type { LogCutter } from './log-cutter.ts'
import type { LogOffsets } from './log-offsets.ts'
import { type AppendResult, refused } from './log-types.ts'
import type { LogWriter } from './log-writer.ts'
import type { AppendOrigin, ProducerBatch } from './producer-entry.ts'
import type { ProducerState } from './producer-state.ts'
import { intactPrefix } from './scan.ts'
import { type AppendSize, RELATIVE_OFFSET_MAX } from './segment.ts'
import type { LogSegments } from './segments.ts'

export interface LogAppenderDeps {
  readonly writer: LogWriter
  readonly segments: LogSegments
  readonly producers: ProducerState
  readonly leaderEpochs: LeaderEpochCache
  readonly offsets: LogOffsets
  readonly cutter: LogCutter
}

/** Decides whether batches may be appended, and hands them to the writer with all that the log has to know of them. */
export class LogAppender {
  readonly #name: string
  readonly #writer: LogWriter
  readonly #segments: LogSegments
  readonly #producers: ProducerState
  readonly #leaderEpochs: LeaderEpochCache
  readonly #offsets: LogOffsets
  readonly #cutter: LogCutter

  /** `name` is for messages. */
  constructor(options: { name: string }, deps: LogAppenderDeps) {
    this.#name = options.name
    this.#writer = deps.writer
    this.#segments = deps.segments
    this.#producers = deps.producers
    this.#leaderEpochs = deps.leaderEpochs
    this.#offsets = deps.offsets
    this.#cutter = deps.cutter
  }

  /** Gives the batches the next offsets; refuses what the producer's epoch or sequence does not allow. */
  appendAsLeader(bytes: Uint8Array, leaderEpoch: number, origin: AppendOrigin): AppendResult {
    if (this.#writer.isFailed) return this.#offline()
    const view = new BatchView(bytes)
    if (view.hasProducerId) {
      assert(view.sizeInBytes === bytes.length, 'a batch with a producer id comes alone')
      const check = this.#producers.check(view, origin)
      if (check !== undefined) {
        return 'refusal' in check ? { ok: false, ...check.refusal } : this.#duplicate(check.duplicate)
      }
    }
    const tooLarge = this.#firstTooLarge(view, bytes)
    if (tooLarge !== undefined) return tooLarge
    let offset = this.#writer.logEndOffset
    for (let at = 0; at < bytes.length; at += view.sizeInBytes) {
      view.at(at).baseOffset = offset
      view.partitionLeaderEpoch = leaderEpoch
      offset = view.nextOffset
    }
    return this.#append(view, bytes)
  }

  /**
   * Takes the offsets as they are, and what the leader has, however large: `segment.bytes` may be less than when it was appended. A batch that is
   * larger than a segment has one for itself.
   */
  appendAsFollower(bytes: Uint8Array, leaderEpoch: number): AppendResult {
    if (this.#writer.isFailed) return this.#offline()
    const { sizeInBytes, corrupt, isLater } = intactPrefix(bytes, leaderEpoch)
    if (corrupt) return refused('CORRUPT_MESSAGE', `A batch for ${this.#name} has the wrong CRC`)
    if (isLater && sizeInBytes === 0) {
      const message = `The batch is of a later leader epoch than ${leaderEpoch}, in which it was fetched`
      return refused('CORRUPT_MESSAGE', message)
    }
    const view = new BatchView(bytes)
    const reachesBack = sizeInBytes > 0 && this.#reachesBack(view)
    let expected = reachesBack ? view.baseOffset : this.#writer.logEndOffset
    for (let at = 0; at < sizeInBytes; at += view.sizeInBytes) {
      const { baseOffset, lastOffsetDelta, nextOffset } = view.at(at)
      if (baseOffset < expected || lastOffsetDelta < 0) {
        return refused('OFFSET_OUT_OF_RANGE', `The batch at ${baseOffset} does not continue the log at ${expected}`)
      }
      expected = nextOffset
    }
    try {
      if (reachesBack) this.#cutter.truncateFullyAndStartAt(view.at(0).baseOffset, this.#offsets.logStartOffset)
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
      return refused('KAFKA_STORAGE_ERROR', error.message)
    }
    return this.#append(view, bytes.subarray(0, sizeInBytes))
  }

  /** Whether the log is empty, and its start in the midst of the batch: where records are deleted, batches stay whole (KIP-107). */
  #reachesBack({ baseOffset, lastOffset }: BatchView): boolean {
    const { logEndOffset } = this.#writer
    return logEndOffset === this.#offsets.logStartOffset && baseOffset < logEndOffset && lastOffset >= logEndOffset
  }

  #append(view: BatchView, bytes: Uint8Array): AppendResult {
    const baseOffset = bytes.length === 0 ? this.#writer.logEndOffset : view.at(0).baseOffset
    try {
      // Batches of one append stay in one segment, unless they fill more than one.
      const size = sizeOf(view, bytes)
      if (this.#isOfOneSegment(size)) this.#stage(view, bytes, size)
      else for (const batch of batches(bytes)) this.#stageAlone(batch.slice)
    } catch (error) {
      return refused('KAFKA_STORAGE_ERROR', this.#writer.fail(error).message)
    }
    const lastOffset = this.#writer.logEndOffset - 1
    const { logStartOffset } = this.#offsets
    return { ok: true, baseOffset, lastOffset, duplicate: false, logStartOffset }
  }

  #isOfOneSegment({ sizeInBytes, baseOffset, lastOffset }: AppendSize): boolean {
    return sizeInBytes <= this.#writer.config.segmentBytes && lastOffset - baseOffset <= RELATIVE_OFFSET_MAX
  }

  #firstTooLarge(view: BatchView, bytes: Uint8Array): AppendResult | undefined {
    const { segmentBytes } = this.#writer.config
    if (bytes.length <= segmentBytes) return undefined
    for (let at = 0; at < bytes.length; at += view.sizeInBytes) {
      const { sizeInBytes } = view.at(at)
      if (sizeInBytes <= segmentBytes) continue
      return refused(
        'RECORD_LIST_TOO_LARGE',
        `A batch of ${sizeInBytes} bytes exceeds the segment size of ${segmentBytes}`,
      )
    }
    return undefined
  }

  #stageAlone(batch: Uint8Array): void {
    const view = new BatchView(batch)
    this.#stage(view, batch, sizeOf(view, batch))
  }

  /** Takes in batches that go to one segment. Throws DiskError where a new one cannot be made. */
  #stage(view: BatchView, bytes: Uint8Array, size: AppendSize): void {
    if (bytes.length === 0) return
    this.#writer.makeRoom(size)
    const segment = this.#segments.active
    const start = segment.sizeInBytes
    for (let at = 0; at < bytes.length; at += view.sizeInBytes) {
      const { partitionLeaderEpoch } = view.at(at)
      // It may be a smaller one: that of a leader that wrote nothing was noted here, which led with less than its successor has.
      if (partitionLeaderEpoch >= 0 && partitionLeaderEpoch !== this.#leaderEpochs.latestEpoch) {
        this.#leaderEpochs.assign(partitionLeaderEpoch, view.baseOffset)
      }
      segment.indexBatch(view, start + at)
      const aborted = view.hasProducerId ? this.#producers.append(view) : undefined
      if (aborted !== undefined) segment.abortedTxns.append(aborted)
      this.#producers.endOffset = view.nextOffset
    }
    this.#writer.stage({ baseOffset: view.at(0).baseOffset, nextOffset: this.#producers.endOffset, bytes })
  }

  #duplicate({ lastOffset, offsetDelta, timestampMs }: ProducerBatch): AppendResult {
    const baseOffset = lastOffset - offsetDelta
    return {
      ok: true,
      baseOffset,
      lastOffset,
      duplicate: true,
      repeatedTimestampMs: timestampMs,
      logStartOffset: this.#offsets.logStartOffset,
    }
  }

  #offline(): AppendResult {
    return refused('KAFKA_STORAGE_ERROR', `The log directory of ${this.#name} is offline`)
  }
}

function sizeOf(view: BatchView, bytes: Uint8Array): AppendSize {
  const baseOffset = bytes.length === 0 ? -1 : view.at(0).baseOffset
  let maxTimestampMs = -1
  let lastOffset = -1
  for (let at = 0; at < bytes.length; at += view.sizeInBytes) {
    maxTimestampMs = Math.max(maxTimestampMs, view.at(at).maxTimestamp)
    lastOffset = view.lastOffset
  }
  return { sizeInBytes: bytes.length, baseOffset, lastOffset, maxTimestampMs }
}
