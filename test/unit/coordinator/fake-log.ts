import type { Appender, TopicNames } from '../../../broker/coordinator/group/appender.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { BatchView } from '../../../broker/records/batch.ts'

/** `__consumer_offsets` in memory. Appends are acknowledged at once, unless they are held or made to fail. */
export class FakeLog implements Appender {
  readonly #partitions: Uint8Array[][]
  readonly #held: (() => void)[] = []
  isHeld = false
  failWith: ErrorCode = ErrorCode.NONE
  /** What becomes of the next appends, one after the other; behind them `failWith` counts. */
  readonly outcomes: ErrorCode[] = []
  failReads = false
  /** Larger batches are refused. */
  maxMessageBytes = 1_048_588
  /** Reads wait until this resolves. */
  readGate: Promise<void> = Promise.resolve()

  constructor(partitions = 1) {
    this.#partitions = Array.from({ length: partitions }, () => [])
  }

  partitionCount(): number {
    return this.#partitions.length
  }

  batchBytesMax(): number {
    return this.maxMessageBytes
  }

  batches(partition = 0): readonly Uint8Array[] {
    return this.#partitions[partition] ?? []
  }

  async append(partition: number, batch: Uint8Array): Promise<{ error: ErrorCode; baseOffset: number }> {
    const isTooLarge = batch.length > this.maxMessageBytes
    const error = isTooLarge ? ErrorCode.MESSAGE_TOO_LARGE : (this.outcomes.shift() ?? this.failWith)
    if (this.isHeld) await new Promise<void>((resolve) => this.#held.push(resolve))
    if (error !== ErrorCode.NONE) return { error, baseOffset: -1 }
    const log = this.#partitions[partition] ?? []
    const last = log.at(-1)
    const view = new BatchView(batch)
    view.baseOffset = last === undefined ? 0 : new BatchView(last).nextOffset
    log.push(batch)
    return { error, baseOffset: view.baseOffset }
  }

  /** Acknowledges the first of what is held. */
  releaseFirst(): void {
    this.#held.shift()?.()
  }

  /** Acknowledges everything that was held. */
  release(): void {
    this.isHeld = false
    for (const resolve of this.#held.splice(0)) resolve()
  }

  async read(partition: number, fromOffset: number) {
    await this.readGate
    if (this.failReads) throw new Error('the disk is gone')
    const next = this.batches(partition).find((batch) => new BatchView(batch).nextOffset > fromOffset)
    if (next === undefined) return { buffers: [], nextOffset: fromOffset, endReached: true }
    return { buffers: [next], nextOffset: new BatchView(next).nextOffset, endReached: false }
  }
}

/** Topics of three partitions each, by name and id. */
export class FakeTopics implements TopicNames {
  readonly ids = new Map([
    ['orders', 'AAAAAAAAAAAAAAAAAAAAAg'],
    ['audit', 'AAAAAAAAAAAAAAAAAAAAAw'],
  ])

  idOf(name: string): string | undefined {
    return this.ids.get(name)
  }
  nameOf(topicId: string): string | undefined {
    return [...this.ids].find(([, id]) => id === topicId)?.[0]
  }
  exists(name: string, partition: number): boolean {
    return this.ids.has(name) && partition < 3
  }
}
