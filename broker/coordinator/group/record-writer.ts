import type { Clock } from '../../env/clock.ts'
import type { CodecName, Compute } from '../../env/compute.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { HEADER_BYTES } from '../../records/batch.ts'
import { buildBatch } from '../../records/build.ts'
import type { NewRecord } from '../../records/record.ts'
import type { Appender } from './appender.ts'
import { coordinatorError } from './coordinator-error.ts'

export interface RecordWriterOptions {
  readonly partition: number
  readonly codec: CodecName
}

export interface RecordWriterDeps {
  readonly appender: Pick<Appender, 'append' | 'batchBytesMax'>
  readonly clock: Clock
  readonly compute: Compute
}

/** `error` is one that clients of a coordinator know; `baseOffset` is where the first record went. */
type Written = (error: ErrorCode, baseOffset: number) => void

interface Write {
  readonly records: readonly NewRecord[]
  readonly done: Written
}

/** Records of one tick share a batch up to this size, or to what the partition takes; more than that in one write makes a batch of its own. */
const BATCH_BYTES_MAX = 512 * 1024
/** What a record takes in a batch besides its key and value, at most. */
const RECORD_OVERHEAD_BYTES = 32

/**
 * Appends to one partition of `__consumer_offsets`. What is written in one tick goes into one batch; a write is never split. Outcomes
 * are told in the order of the writes, so that memory changes in the order of the log.
 */
export class RecordWriter {
  readonly #options: RecordWriterOptions
  readonly #deps: RecordWriterDeps
  #staged: Write[] = []
  #stagedBytes = 0
  #isFlushDue = false
  #isClosed = false
  readonly #inFlight = new Set<readonly Write[]>()
  #last: Promise<void> = Promise.resolve()

  constructor(options: RecordWriterOptions, deps: RecordWriterDeps) {
    this.#options = options
    this.#deps = deps
  }

  /** How much one write had better have, by `sizeOf`: a batch with more may be refused. */
  get writeBytesMax(): number {
    return Math.min(BATCH_BYTES_MAX, this.#deps.appender.batchBytesMax(this.#options.partition)) - HEADER_BYTES
  }

  /** `done` is called once, never before this returns. */
  write(records: readonly NewRecord[], done: Written): void {
    if (this.#isClosed) return this.#deps.clock.defer(() => done(ErrorCode.NOT_COORDINATOR, -1))
    const bytes = sizeOf(records)
    if (this.#staged.length > 0 && this.#stagedBytes + bytes > this.writeBytesMax) this.#flush()
    this.#staged.push({ records, done })
    this.#stagedBytes += bytes
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    this.#deps.clock.defer(() => {
      this.#isFlushDue = false
      this.#flush()
    })
  }

  /** Resolves when everything written before the call has an outcome. */
  async drained(): Promise<void> {
    this.#flush()
    await this.#last
  }

  get isIdle(): boolean {
    return this.#staged.length === 0 && this.#inFlight.size === 0
  }

  /** Everything that has no outcome yet gets this one, now; whatever comes of it later is not told. */
  close(error: ErrorCode): void {
    this.#isClosed = true
    const open = [...this.#inFlight, this.#staged]
    this.#inFlight.clear()
    this.#staged = []
    for (const writes of open) for (const { done } of writes) done(error, -1)
  }

  #flush(): void {
    if (this.#staged.length === 0) return
    const writes = this.#staged
    this.#staged = []
    this.#stagedBytes = 0
    this.#inFlight.add(writes)
    this.#last = this.#append(writes, this.#last)
  }

  async #append(writes: readonly Write[], previous: Promise<void>): Promise<void> {
    const { error, baseOffset } = await this.#appendBatch(writes.flatMap(({ records }) => records))
    await previous
    if (this.#isClosed) return
    this.#inFlight.delete(writes)
    let offset = baseOffset
    for (const { records, done } of writes) {
      done(coordinatorError(error), offset)
      offset += records.length
    }
  }

  async #appendBatch(records: readonly NewRecord[]): Promise<{ error: ErrorCode; baseOffset: number }> {
    const { appender, clock, compute } = this.#deps
    const { partition, codec } = this.#options
    try {
      return await appender.append(partition, buildBatch({ records, baseTimestampMs: clock.wallMs(), codec }, compute))
    } catch {
      // The appender has told what is wrong with its disk; to us it is the same as losing the partition.
      return { error: ErrorCode.KAFKA_STORAGE_ERROR, baseOffset: -1 }
    }
  }
}

/** What records take in a batch, at most. */
export function sizeOf(records: readonly NewRecord[]): number {
  let bytes = 0
  for (const { key, value } of records) bytes += RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0)
  return bytes
}
