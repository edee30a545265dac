import { describe, expect, test } from '@jest/globals'
import { HEADER_BYTES } from '../../../broker/records/batch.ts'
import { buildBatch } from '../../../broker/records/build.ts'
import { controlKey } from '../../../broker/records/control.ts'
import type { PartitionLog } from '../../../broker/storage/log.ts'
import { append, batchOf, DIRECTORY, LogBed } from './fixture.ts'

function produce(log: PartitionLog, baseSequence: number, options: { epoch?: number; count?: number } = {}) {
  const values = Array.from({ length: options.count ?? 1 }, () => 'x')
  const result = log.appendAsLeader(
    batchOf({ values, producerId: 7, producerEpoch: options.epoch ?? 0, baseSequence }),
    0,
  )
  log.writeStaged()
  return result
}

function endTxn(log: PartitionLog, type: 'ABORT' | 'COMMIT', producerId: number, coordinatorEpoch = 0) {
  const value = new Uint8Array(6)
  new DataView(value.buffer).setInt32(2, coordinatorEpoch)
  const marker = buildBatch({
    records: [{ key: controlKey(type), value }],
    baseTimestampMs: 1_700_000_000_000,
    producerId,
    producerEpoch: 0,
    isTransactional: true,
    isControl: true,
  })
  const result = log.appendAsLeader(marker, 0, 'COORDINATOR')
  log.writeStaged()
  return result
}

test('an open transaction is not stable while the log is cut, when its producers are read again', async () => {
  const log = await new LogBed().open()
  append(log, { producerId: 7, producerEpoch: 0, baseSequence: 0, isTransactional: true })
  for (const value of ['b', 'c', 'd']) append(log, { values: [value] })
  log.updateHighWatermark(4)
  const seen = new Set<number>()
  const cutting = log.truncateTo(3)
  for (let turn = 0; turn < 100; turn++) {
    seen.add(log.lastStableOffset)
    await Promise.resolve()
  }
  await cutting
  expect([...seen]).toEqual([0])
})

describe('an idempotent producer', () => {
  test('has each of its last five batches recognised when it repeats them, with the offsets they got', async () => {
    const log = await new LogBed().open()
    for (let i = 0; i < 6; i++) produce(log, i * 2, { count: 2 })
    for (let i = 1; i < 6; i++) {
      expect(produce(log, i * 2, { count: 2 })).toMatchObject({
        duplicate: true,
        baseOffset: i * 2,
        lastOffset: i * 2 + 1,
        repeatedTimestampMs: 1_700_000_000_000,
      })
    }
    expect(produce(log, 0, { count: 2 })).toMatchObject({ ok: false, error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
    expect(log.logEndOffset).toBe(12)
  })

  test('may not leave a gap, and says where it was', async () => {
    const log = await new LogBed().open()
    produce(log, 0)
    expect(produce(log, 2)).toEqual({
      ok: false,
      error: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
      message: 'Out of order sequence number for producer 7: 2 (incoming seq. number), 0 (current end sequence number)',
    })
  })

  test('may begin anywhere where the log does not know it', async () => {
    const log = await new LogBed().open()
    expect(produce(log, 1000)).toMatchObject({ ok: true })
  })

  test('begins at 0 with a new epoch, and its old epoch is fenced', async () => {
    const log = await new LogBed().open()
    produce(log, 0)
    expect(produce(log, 1, { epoch: 1 })).toMatchObject({ error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
    expect(produce(log, 0, { epoch: 1 })).toMatchObject({ ok: true, duplicate: false })
    expect(produce(log, 1, { epoch: 0 })).toMatchObject({ error: 'INVALID_PRODUCER_EPOCH' })
  })

  test('goes on at 0 behind the largest sequence number', async () => {
    const log = await new LogBed().open()
    produce(log, 2 ** 31 - 2, { count: 2 })
    expect(produce(log, 0)).toMatchObject({ ok: true, duplicate: false })
    produce(log, 1)
    expect(produce(log, 2 ** 31 - 2, { count: 2 })).toMatchObject({ duplicate: true, baseOffset: 0 })
  })

  test('is forgotten once it has been silent for producer.id.expiration.ms', async () => {
    const bed = new LogBed()
    const log = await bed.open({}, { producerIdExpirationMs: () => 1000 })
    produce(log, 0)
    log.producers.removeExpired(1_700_000_000_999)
    expect(log.producers.size).toBe(1)
    log.producers.removeExpired(1_700_000_001_000)
    expect(log.producers.size).toBe(0)
  })

  test('is forgotten by what producer.id.expiration.ms is then, not when the log was opened', async () => {
    let expirationMs = 86_400_000
    const log = await new LogBed().open({}, { producerIdExpirationMs: () => expirationMs })
    produce(log, 0)
    expirationMs = 1000
    log.producers.removeExpired(1_700_000_001_000)
    expect(log.producers.size).toBe(0)
  })

  test('is replicated without checks', async () => {
    const log = await new LogBed().open()
    const batch = (baseOffset: number, baseSequence: number) =>
      batchOf({ producerId: 7, producerEpoch: 0, baseOffset, baseSequence })
    expect(log.appendAsFollower(batch(0, 5))).toMatchObject({ ok: true })
    expect(log.appendAsFollower(batch(1, 9))).toMatchObject({ ok: true })
    expect(log.producers.entry(7)?.lastSequence).toBe(9)
  })
})

describe('a transaction', () => {
  const transactional = { producerId: 7, producerEpoch: 0, isTransactional: true }

  test('holds the last stable offset back until its marker is below the high watermark', async () => {
    const log = await new LogBed().open()
    append(log)
    append(log, { ...transactional, baseSequence: 0 })
    append(log)
    log.updateHighWatermark(3)
    expect(log.lastStableOffset).toBe(1)
    endTxn(log, 'COMMIT', 7)
    expect(log.lastStableOffset).toBe(1)
    log.updateHighWatermark(4)
    expect(log.lastStableOffset).toBe(4)
    expect(log.abortedTxns(0, 4)).toEqual([])
  })

  test('that is aborted is told to readers of its records, also after a crash and from the file', async () => {
    const bed = new LogBed()
    const log = await bed.open()
    append(log, { ...transactional, baseSequence: 0 })
    append(log, { ...transactional, producerId: 8, baseSequence: 0 })
    endTxn(log, 'ABORT', 7)
    const aborted = [{ producerId: 7, firstOffset: 0, lastOffset: 2, lastStableOffset: 1 }]
    expect(log.abortedTxns(0, 3)).toEqual(aborted)
    expect(log.abortedTxns(3, 4)).toEqual([])
    bed.disk.killProcess()
    const recovered = await bed.open()
    expect(recovered.abortedTxns(0, 3)).toEqual(aborted)
    recovered.updateHighWatermark(3)
    expect(recovered.lastStableOffset).toBe(1)
    await recovered.close()
    const reopened = await bed.open({}, { recoveryPoint: 3, hadCleanShutdown: true })
    expect(reopened.abortedTxns(0, 3)).toEqual(aborted)
    reopened.updateHighWatermark(3)
    expect(reopened.lastStableOffset).toBe(1)
  })

  test('may not be interrupted by plain records of its producer', async () => {
    const log = await new LogBed().open()
    append(log, { ...transactional, baseSequence: 0 })
    expect(produce(log, 1)).toMatchObject({ ok: false, error: 'INVALID_TXN_STATE' })
  })

  test('is not ended by a coordinator of an older epoch', async () => {
    const log = await new LogBed().open()
    append(log, { ...transactional, baseSequence: 0 })
    endTxn(log, 'COMMIT', 7, 5)
    append(log, { ...transactional, baseSequence: 1 })
    expect(endTxn(log, 'COMMIT', 7, 4)).toMatchObject({ ok: false, error: 'TRANSACTION_COORDINATOR_FENCED' })
  })
})

test('a marker that is damaged is passed over when a start reads the producers from the log', async () => {
  const bed = new LogBed()
  const log = await bed.open()
  append(log, { producerId: 7, producerEpoch: 0, baseSequence: 0, isTransactional: true })
  const markerAt = log.sizeInBytes()
  endTxn(log, 'ABORT', 7)
  append(log)
  await log.close()
  for (const { path } of bed.disk.files(DIRECTORY)) if (path.endsWith('.snapshot')) bed.disk.remove(path)
  bed.disk.corrupt(`${DIRECTORY}/00000000000000000000.log`, markerAt + HEADER_BYTES)
  const again = await bed.open({}, { hadCleanShutdown: true, recoveryPoint: 3 })
  expect([again.logEndOffset, again.producers.entry(7)?.epoch]).toEqual([3, 0])
})
