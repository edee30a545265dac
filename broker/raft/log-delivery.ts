import type { Clock } from '../env/clock.ts'
import type { Compute } from '../env/compute.ts'
import type { BatchView } from '../records/batch.ts'
import { batches, readRecords } from '../records/read.ts'
import { isTooManyFiles } from '../storage/errors.ts'
import type { LogSlice, PartitionLog } from '../storage/log.ts'
import { RETRY_MS } from '../storage/patience.ts'
import type { CommittedBatch } from './raft-types.ts'

const READ_BYTES = 1024 * 1024

/**
 * Hands out the log below the high watermark, once and in order. Records that were just appended come out of the log's tail cache within
 * the call that commits them; older ones are read, and what is committed meanwhile follows.
 */
export class LogDelivery {
  readonly #log: PartitionLog
  readonly #clock: Clock
  readonly #compute: Pick<Compute, 'decompressSync'>
  readonly #deliver: (batches: readonly CommittedBatch[], nextOffset: number) => void
  readonly #fail: (error: unknown) => void
  #nextOffset: number
  #limitOffset: number
  #isReading = false
  #isClosed = false
  /** Counts jumps: what was read across one is not wanted any more. */
  #jumps = 0

  constructor(
    options: { readonly startOffset: number },
    deps: {
      readonly log: PartitionLog
      readonly clock: Clock
      readonly compute: Pick<Compute, 'decompressSync'>
      readonly deliver: (batches: readonly CommittedBatch[], nextOffset: number) => void
      readonly fail: (error: unknown) => void
    },
  ) {
    this.#nextOffset = options.startOffset
    this.#limitOffset = options.startOffset
    this.#log = deps.log
    this.#clock = deps.clock
    this.#compute = deps.compute
    this.#deliver = deps.deliver
    this.#fail = deps.fail
  }

  /** What is delivered ends here. */
  get nextOffset(): number {
    return this.#nextOffset
  }

  /** Everything below `offset` is committed. */
  advance(offset: number): void {
    this.#limitOffset = Math.max(this.#limitOffset, offset)
    if (!this.#isReading) this.#pump()
  }

  /** What is delivered goes on from `offset`, beyond what was delivered so far: a snapshot has the rest. */
  skipTo(offset: number): void {
    this.#jumps++
    this.#isReading = false
    this.#nextOffset = offset
    this.#limitOffset = Math.max(this.#limitOffset, offset)
  }

  /** Delivers nothing more. */
  close(): void {
    this.#isClosed = true
  }

  #pump(): void {
    while (!this.#isClosed && this.#nextOffset < this.#limitOffset) {
      const slice = this.#log.read(this.#nextOffset, READ_BYTES, this.#limitOffset, true)
      if (slice instanceof Promise) {
        void this.#await(slice)
        return
      }
      if (!this.#take(slice)) return
    }
  }

  async #await(reading: Promise<LogSlice>): Promise<void> {
    const jumps = this.#jumps
    this.#isReading = true
    try {
      const slice = await reading
      if (jumps !== this.#jumps) return
      this.#isReading = false
      if (!this.#isClosed && this.#take(slice)) this.#pump()
    } catch (error) {
      if (jumps !== this.#jumps) return
      if (isTooManyFiles(error)) this.#clock.setTimer(RETRY_MS, () => this.#readAgain(jumps))
      else if (!this.#isClosed) this.#fail(error)
    }
  }

  #readAgain(jumps: number): void {
    if (jumps !== this.#jumps) return
    this.#isReading = false
    this.#pump()
  }

  /** False where the log has nothing to give: a batch that reaches beyond the limit is whole later. */
  #take(slice: LogSlice): boolean {
    const delivered: CommittedBatch[] = []
    let nextOffset = this.#nextOffset
    for (const bytes of slice.buffers) {
      for (const view of batches(bytes)) {
        if (view.nextOffset <= nextOffset) continue
        delivered.push(this.#committed(view, nextOffset))
        nextOffset = view.nextOffset
      }
    }
    if (delivered.length === 0) return false
    this.#nextOffset = nextOffset
    this.#deliver(delivered, nextOffset)
    return true
  }

  #committed(view: BatchView, fromOffset: number): CommittedBatch {
    const records: Uint8Array[] = []
    if (!view.isControl) {
      for (const { offset, value } of readRecords(view, this.#compute)) {
        // A snapshot may end inside a batch.
        if (offset >= fromOffset && value !== null) records.push(value)
      }
    }
    return {
      baseOffset: Math.max(fromOffset, view.baseOffset),
      lastOffset: view.lastOffset,
      epoch: view.partitionLeaderEpoch,
      appendTimestampMs: view.maxTimestamp,
      sizeInBytes: view.sizeInBytes,
      records,
    }
  }
}
