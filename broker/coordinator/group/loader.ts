import type { Clock } from '../../env/clock.ts'
import type { Compute } from '../../env/compute.ts'
import { Turns } from '../../lib/turns.ts'
import type { BatchView } from '../../records/batch.ts'
import { controlType } from '../../records/control.ts'
import { batches, readRecordsAsync } from '../../records/read.ts'
import type { KafkaRecord } from '../../records/record.ts'
import type { Appender } from './appender.ts'
import { decodeGroupRecord, type GroupRecord } from './group-records.ts'

/** What loading a partition finds, in the order of the log. */
export interface LoadTarget {
  /** `producerId` is -1 outside transactions. */
  onRecord(record: GroupRecord, producerId: number): void
  onEndTransaction(producerId: number, isCommit: boolean): void
  /** Loading stops as soon as this is true. */
  readonly isCancelled: boolean
}

interface LoadDeps {
  readonly appender: Pick<Appender, 'read'>
  readonly clock: Pick<Clock, 'monotonicMs' | 'defer'>
  readonly compute: Compute
}

/**
 * Replays a partition of `__consumer_offsets`, other brokers' transactions included. Rejects where it cannot be read, and with
 * SchemaError or MalformedBatchError where it holds what no version of Kafka writes.
 */
export async function loadPartition(
  partition: number,
  target: LoadTarget,
  deps: LoadDeps,
): Promise<{ records: number }> {
  const turns = new Turns(deps)
  let offset = 0
  let records = 0
  for (let isDone = false; !isDone && !target.isCancelled;) {
    const { buffers, nextOffset, endReached } = await deps.appender.read(partition, offset)
    for (const batch of batchesOf(buffers)) {
      if (batch.lastOffset >= offset) records += await replay(batch, target, deps.compute, turns)
      if (target.isCancelled) break
    }
    offset = nextOffset
    isDone = endReached
  }
  return { records }
}

function* batchesOf(buffers: readonly Uint8Array[]): Generator<BatchView> {
  for (const buffer of buffers) yield* batches(buffer)
}

/** Gives how many records were replayed: all of the batch, where nobody gives up. */
async function replay(batch: BatchView, target: LoadTarget, compute: Compute, turns: Turns): Promise<number> {
  let count = 0
  for (const record of await readRecordsAsync(batch, compute)) {
    if (turns.isOver) await turns.next()
    if (target.isCancelled) break
    count++
    if (batch.isControl) replayMarker(batch.producerId, record, target)
    else if (record.key !== null) {
      const producerId = batch.isTransactional ? batch.producerId : -1
      target.onRecord(decodeGroupRecord(record.key, record.value, record.offset), producerId)
    }
  }
  return count
}

function replayMarker(producerId: number, { key }: KafkaRecord, target: LoadTarget): void {
  const type = controlType(key)
  if (type === 'COMMIT' || type === 'ABORT') target.onEndTransaction(producerId, type === 'COMMIT')
}
