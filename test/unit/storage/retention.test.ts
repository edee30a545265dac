import { describe, expect, test } from '@jest/globals'
import { DEFAULT_LOG_CONFIG } from '../../../broker/storage/log-config.ts'
import { expiredSegments } from '../../../broker/storage/retention.ts'
import { append, batchOf, DIRECTORY, LogBed, readAll } from './fixture.ts'

const SEGMENTS = [0, 10, 20, 30].map((baseOffset) => ({
  baseOffset,
  sizeInBytes: 100,
  retentionTimestampMs: 1000 + baseOffset,
}))
const BOUNDS = { logStartOffset: 0, highWatermark: 40, logEndOffset: 40, nowMs: 2000 }
const KEEP = { ...DEFAULT_LOG_CONFIG, retentionMs: -1, retentionBytes: -1 }

describe('retention gives up', () => {
  test.each([
    ['nothing without limits', KEEP, {}, 0],
    ['what is older than retention.ms', { ...KEEP, retentionMs: 985 }, {}, 2],
    ['the active segment too, where all its records are too old', { ...KEEP, retentionMs: 0 }, {}, 4],
    ['as many bytes as are above retention.bytes, not more', { ...KEEP, retentionBytes: 250 }, {}, 1],
    ['nothing above the high watermark', { ...KEEP, retentionMs: 0 }, { highWatermark: 25 }, 2],
    ['what ends before the log start offset', KEEP, { logStartOffset: 20 }, 2],
    [
      'what ends before the log start offset of a compacted log',
      { ...KEEP, cleanupPolicy: ['compact'] },
      { logStartOffset: 10 },
      1,
    ],
    [
      'nothing by time or size of a compacted log',
      { ...KEEP, cleanupPolicy: ['compact'], retentionMs: 0, retentionBytes: 0 },
      {},
      0,
    ],
  ])('%s', (_, config, bounds, count) => {
    expect(expiredSegments(SEGMENTS, config, { ...BOUNDS, ...bounds })).toBe(count)
  })

  test('no empty active segment', () => {
    const segments = [...SEGMENTS, { baseOffset: 40, sizeInBytes: 0, retentionTimestampMs: 0 }]
    expect(expiredSegments(segments, { ...KEEP, retentionMs: 0 }, BOUNDS)).toBe(4)
  })
})

test('retention waits while the log is cut', async () => {
  const bed = new LogBed()
  const log = await bed.open({ segmentBytes: 150, retentionMs: 0, segmentMs: Infinity })
  for (const value of ['a', 'b', 'c', 'd', 'e']) append(log, { values: [value] })
  log.updateHighWatermark(5)
  const cutting = log.truncateTo(3)
  expect(log.deleteOldSegments(bed.clock.wallMs() + 1e12)).toBe(0)
  await cutting
  expect(bed.failures).toEqual([])
  expect(await readAll(log)).toEqual(['a', 'b', 'c'])
})

describe('deleted segments', () => {
  test('keep their files, renamed, until file.delete.delay.ms has passed', async () => {
    const bed = new LogBed()
    const log = await bed.open({ segmentBytes: 150, retentionBytes: 200, fileDeleteDelayMs: 60_000 })
    for (const value of ['a', 'b', 'c', 'd', 'e']) append(log, { values: [value] })
    log.updateHighWatermark(5)
    expect(log.deleteOldSegments(bed.clock.wallMs())).toBe(1)
    expect(log.logStartOffset).toBe(2)
    expect(log.leaderEpochs.entries).toEqual([{ epoch: 0, startOffset: 2 }])
    expect(await readAll(log)).toEqual(['c', 'd', 'e'])
    const deleted = `${DIRECTORY}/00000000000000000000.log.deleted`
    bed.clock.advance(59_999)
    expect(bed.disk.exists(deleted)).toBe(true)
    bed.clock.advance(1)
    expect(bed.disk.exists(deleted)).toBe(false)
  })

  test('leave the producers known', async () => {
    const bed = new LogBed()
    const log = await bed.open({ segmentBytes: 250, retentionBytes: 0 })
    for (let i = 0; i < 6; i++) append(log, { producerId: 4, producerEpoch: 0, baseSequence: i })
    log.updateHighWatermark(6)
    log.deleteOldSegments(bed.clock.wallMs())
    const next = batchOf({ producerId: 4, producerEpoch: 0, baseSequence: 9 })
    expect(log.appendAsLeader(next, 0)).toMatchObject({ error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
  })
})

describe('the log start offset', () => {
  test('moves up to the high watermark and not beyond', async () => {
    const log = await new LogBed().open()
    for (const value of ['a', 'b', 'c']) append(log, { values: [value] })
    log.updateHighWatermark(2)
    log.incrementLogStartOffset(2)
    expect(() => log.incrementLogStartOffset(3)).toThrow(expect.objectContaining({ code: 'OFFSET_OUT_OF_RANGE' }))
    expect(log.logStartOffset).toBe(2)
    expect(() => log.read(1, 1000, Infinity, true)).toThrow(expect.objectContaining({ code: 'OFFSET_OUT_OF_RANGE' }))
  })

  test('is told of when it has moved', async () => {
    const log = await new LogBed().open()
    const told: number[] = []
    log.listen({ trimmed: () => told.push(log.logStartOffset) })
    for (const value of ['a', 'b']) append(log, { values: [value] })
    log.updateHighWatermark(2)
    for (const offset of [1, 1, 2]) log.incrementLogStartOffset(offset)
    expect(told).toEqual([1, 2])
  })
})

describe('a segment ends', () => {
  test('when its oldest record is older than segment.ms against the new one', async () => {
    const log = await new LogBed().open({ segmentMs: 1000 })
    append(log, { baseTimestampMs: 5000 })
    append(log, { baseTimestampMs: 6000 })
    expect(log.segmentCount).toBe(1)
    append(log, { baseTimestampMs: 6001 })
    expect(log.segmentBaseOffsets).toEqual([0, 2])
  })

  test('by the clock where records have no time', async () => {
    const bed = new LogBed()
    const log = await bed.open({ segmentMs: 1000 })
    append(log, { baseTimestampMs: -1 })
    bed.clock.advance(1001)
    append(log, { baseTimestampMs: -1 })
    expect(log.segmentCount).toBe(2)
  })

  test('when an index is full', async () => {
    const log = await new LogBed().open({ segmentIndexBytes: 40, indexIntervalBytes: 0 })
    for (let i = 0; i < 10; i++) append(log, { baseTimestampMs: 1000 + i })
    expect(log.segmentBaseOffsets).toEqual([0, 3, 6, 9])
  })

  test('before an offset is too far from its base for an index', async () => {
    const log = await new LogBed().open()
    log.appendAsFollower(batchOf({ baseOffset: 0 }))
    log.appendAsFollower(batchOf({ baseOffset: 2 ** 31 - 1 }))
    expect(log.segmentCount).toBe(1)
    log.appendAsFollower(batchOf({ baseOffset: 2 ** 31 }))
    expect(log.segmentBaseOffsets).toEqual([0, 2 ** 31])
  })
})
