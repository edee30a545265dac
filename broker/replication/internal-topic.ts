import type { Clock } from '../env/clock.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { batches } from '../records/read.ts'
import { DamagedBatchError } from '../storage/errors.ts'
import type { LogSlice } from '../storage/log.ts'
import type { Partition } from './partition.ts'
import { produce } from './produce.ts'
import type { ReplicaManager } from './replica-manager.ts'

/** How much of a partition is read at a time while a coordinator loads it; offsets.load.buffer.size. */
const READ_BYTES = 5 * 1024 * 1024

export interface InternalTopicDeps {
  readonly replicas: ReplicaManager
  readonly clock: Clock
  /** Partitions that the topic has, or would be created with. */
  readonly partitionCount: () => number
}

/** A coordinator's own topic, such as `__consumer_offsets`: its partitions as a log of batches, appended with acks=all. */
export class InternalTopic {
  readonly #topic: string
  readonly #timeoutMs: number
  readonly #deps: InternalTopicDeps

  constructor(options: { readonly topic: string; readonly timeoutMs: number }, deps: InternalTopicDeps) {
    this.#topic = options.topic
    this.#timeoutMs = options.timeoutMs
    this.#deps = deps
  }

  partitionCount(): number {
    return this.#deps.partitionCount()
  }

  /** Resolves when the batch is committed, or with the error that it was not, at the latest after the time-out. */
  async append(partition: number, batch: Uint8Array): Promise<{ error: ErrorCode; baseOffset: number }> {
    const entry = { partition: this.#deps.replicas.find(this.#topic, partition), records: batch }
    const [outcome] = await produce([entry], -1, this.#timeoutMs, this.#deps.clock)
    return { error: outcome?.error ?? ErrorCode.UNKNOWN_SERVER_ERROR, baseOffset: outcome?.baseOffset ?? -1 }
  }

  /** max.message.bytes of the partition; without a limit where it is not here. */
  batchBytesMax(partition: number): number {
    return this.#deps.replicas.get(this.#topic, partition)?.rules.maxMessageBytes ?? Infinity
  }

  /**
   * Batches from `fromOffset`, or the log's start; the first may begin before it. Up to the end of the log, as Apache Kafka loads: what was
   * acknowledged may lie above the high watermark that a new leader knows. Rejects where it cannot be read; a replica that is damaged is
   * given up as one is that a client reads, for another to lead that can be.
   */
  async read(
    partition: number,
    fromOffset: number,
  ): Promise<{ buffers: readonly Uint8Array[]; nextOffset: number; endReached: boolean }> {
    const found = this.#deps.replicas.find(this.#topic, partition)
    if (typeof found === 'number') throw new Error(`${this.#topic}-${partition} is not here`)
    const { log } = found
    const from = Math.max(fromOffset, log.logStartOffset)
    const end = log.logEndOffset
    if (from >= end) return { buffers: [], nextOffset: from, endReached: true }
    const slice = await readWhole(found, from, end)
    const nextOffset = endOf(slice.buffers, from)
    return { buffers: slice.buffers, nextOffset, endReached: nextOffset === from || nextOffset >= end }
  }
}

async function readWhole(partition: Partition, from: number, end: number): Promise<LogSlice> {
  const { log } = partition
  try {
    return await log.read(from, READ_BYTES, end, true)
  } catch (error) {
    if (error instanceof DamagedBatchError) partition.damaged(error.offset)
    // A coordinator that gives up serves none of these groups any more: the log may only be on its way to another log dir.
    await partition.settled()
    if (partition.log !== log) return readWhole(partition, from, end)
    throw error
  }
}

/** The offset behind the last batch; `from` where there is none. */
function endOf(buffers: readonly Uint8Array[], from: number): number {
  let end = from
  for (const buffer of buffers) for (const batch of batches(buffer)) end = batch.nextOffset
  return end
}
