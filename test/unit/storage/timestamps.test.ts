import { expect, test } from '@jest/globals'
import type { PartitionLog } from '../../../broker/storage/log.ts'
import { append, LogBed } from './fixture.ts'

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
