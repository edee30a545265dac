import { describe, expect, test } from '@jest/globals'
import { buildBatch } from '../../../broker/records/build.ts'
import type { PartitionLog } from '../../../broker/storage/log.ts'
import { append, batchOf, LogBed } from './fixture.ts'

/** One record a batch; a segment holds a few, an index entry stands for some of them. */
async function logOf(times: readonly number[], bed = new LogBed()): Promise<PartitionLog> {
  const log = await bed.open({ segmentBytes: 500, indexIntervalBytes: 100, segmentMs: Infinity })
  for (const baseTimestampMs of times) append(log, { baseTimestampMs })
  return log
}

const TIMES = Array.from({ length: 40 }, (_, i) => 1000 + i * 10)

test('the first record at or after a time is found, wherever it lies', async () => {
  const log = await logOf(TIMES)
  expect(log.segmentCount).toBeGreaterThan(3)
  for (const [offset, timestampMs] of TIMES.entries()) {
    expect(await log.offsetForTimestamp(timestampMs)).toEqual({ timestampMs, offset, leaderEpoch: 0 })
    expect(await log.offsetForTimestamp(timestampMs - 9)).toMatchObject({ offset })
  }
  expect(await log.offsetForTimestamp(1391)).toBeNull()
})

test('times out of order: the first record that is late enough counts, not the nearest', async () => {
  const log = await logOf([...TIMES, 500, 5000, 400, 4000])
  expect(await log.offsetForTimestamp(0)).toMatchObject({ offset: 0 })
  expect(await log.offsetForTimestamp(1391)).toMatchObject({ timestampMs: 5000, offset: 41 })
})

test('records before the log start offset are not found', async () => {
  const log = await logOf(TIMES)
  log.updateHighWatermark(40)
  log.incrementLogStartOffset(17)
  expect(await log.offsetForTimestamp(0)).toMatchObject({ offset: 17 })
})

test('the largest time is found with its first record', async () => {
  const log = await logOf([...TIMES, 5000, 5000, 300])
  expect(await log.offsetOfMaxTimestamp()).toEqual({ timestampMs: 5000, offset: 40, leaderEpoch: 0 })
})

test('an empty log has no largest time', async () => {
  expect(await (await logOf([])).offsetOfMaxTimestamp()).toBeNull()
})

test('times are known again after a clean start', async () => {
  const bed = new LogBed()
  await (await logOf([...TIMES, 5000, 300], bed)).close()
  const log = await bed.open({ segmentBytes: 500 }, { recoveryPoint: 42, hadCleanShutdown: true })
  expect(await log.offsetOfMaxTimestamp()).toMatchObject({ timestampMs: 5000, offset: 40 })
  expect(await log.offsetForTimestamp(1391)).toMatchObject({ offset: 40 })
})

/** Of a record in int64's largest millisecond: as a number that is one more than an int64 can be. */
const LATEST = 2 ** 63

test('the largest time that there is hides none of the others', async () => {
  const bed = new LogBed()
  const log = await bed.open({ indexIntervalBytes: 100 })
  const times = [...TIMES.slice(0, 10), LATEST, ...TIMES.slice(10)]
  for (const baseTimestampMs of times) append(log, { baseTimestampMs })
  append(log, { baseTimestampMs: LATEST, producerId: 7, producerEpoch: 0, baseSequence: 0 })
  const expectFound = async (searched: PartitionLog) => {
    expect(await searched.offsetForTimestamp(1050)).toMatchObject({ offset: 5 })
    expect(await searched.offsetForTimestamp(1200)).toEqual({ timestampMs: LATEST, offset: 10, leaderEpoch: 0 })
    expect(await searched.offsetOfMaxTimestamp()).toMatchObject({ timestampMs: LATEST, offset: 10 })
  }
  await expectFound(log)
  await log.close()
  const again = await bed.open({}, { recoveryPoint: 42, hadCleanShutdown: true })
  await expectFound(again)
  expect([...again.producers.entries()].map(({ lastTimestampMs }) => lastTimestampMs)).toEqual([LATEST])
})

describe('a search that goes on while', () => {
  /** A batch that is larger than what is read at a time: the search takes more than one read. */
  async function searched() {
    const bed = new LogBed()
    const log = await bed.open({ segmentBytes: 400_000, segmentMs: Infinity, retentionMs: 100 })
    for (const baseTimestampMs of [1000, 2000, 3000]) append(log, { baseTimestampMs, values: ['x'.repeat(300_000)] })
    log.updateHighWatermark(3)
    return { bed, log }
  }

  test('retention takes the segment finds what is left', async () => {
    const { bed, log } = await searched()
    const searching = log.offsetForTimestamp(1000)
    expect(log.deleteOldSegments(1900)).toBe(1)
    expect(await searching).toMatchObject({ offset: 1, timestampMs: 2000 })
    expect(bed.failures).toEqual([])
    expect(log.isFailed).toBe(false)
  })

  test('the log is deleted fails, but not its disk', async () => {
    const { bed, log } = await searched()
    const searching = log.offsetForTimestamp(1000)
    log.closeFiles()
    await expect(searching).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
    expect(bed.failures).toEqual([])
  })
})

test('a batch that begins before the log start offset does not hide those behind it', async () => {
  const bed = new LogBed()
  const log = await bed.open({ segmentMs: Infinity })
  const bytes = buildBatch({
    records: [3000, 1000, 1000].map((timestampMs) => ({ key: null, value: null, timestampMs })),
    baseTimestampMs: 1000,
  })
  log.appendAsLeader(bytes, 0)
  append(log, { baseTimestampMs: 3000 })
  log.updateHighWatermark(4)
  log.incrementLogStartOffset(1)
  expect(await log.offsetForTimestamp(2000)).toMatchObject({ offset: 3, timestampMs: 3000 })
})

test('the largest time is found where it was appended in the same tick', async () => {
  const log = await logOf([1000])
  log.appendAsLeader(batchOf({ baseTimestampMs: 5000 }), 0)
  expect(await log.offsetOfMaxTimestamp()).toMatchObject({ offset: 1, timestampMs: 5000 })
})
