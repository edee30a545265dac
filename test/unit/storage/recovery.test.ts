import { describe, expect, test } from '@jest/globals'
import { DamagedBatchError } from '../../../broker/storage/errors.ts'
import { readTopicId } from '../../../broker/storage/partition-metadata.ts'
import { append, batchOf, DIRECTORY, LogBed, readAll, valuesOf } from './fixture.ts'
import { TOPIC_ID } from './manager-bed.ts'

const LOG = `${DIRECTORY}/00000000000000000000.log`
const INDEX = `${DIRECTORY}/00000000000000000000.index`
const TIME_INDEX = `${DIRECTORY}/00000000000000000000.timeindex`

describe('after kill -9', () => {
  test('everything written is there, with leader epochs and indexes', async () => {
    const bed = new LogBed()
    const config = { segmentBytes: 1000, indexIntervalBytes: 100 }
    const first = await bed.open(config)
    const values = Array.from({ length: 50 }, (_, i) => `v${i}`)
    for (const [i, value] of values.entries()) append(first, { values: [value] }, Math.floor(i / 20))
    bed.disk.killProcess()
    const log = await bed.open(config)
    expect(await readAll(log, 1)).toEqual(values)
    expect(log.logEndOffset).toBe(50)
    expect(log.leaderEpochs.entries.map(({ startOffset }) => startOffset)).toEqual([0, 20, 40])
    append(log, { values: ['next'] }, 3)
    expect(valuesOf(await log.read(50, 1000, Infinity, true))).toEqual(['next'])
  })

  test('a torn batch at the end is cut off', async () => {
    const bed = new LogBed()
    append(await bed.open(), { values: ['a'] })
    bed.disk.killProcess()
    const file = bed.disk.open(LOG, 'open')
    const whole = file.size()
    file.write([batchOf({ baseOffset: 1 }).subarray(0, 66)], whole)
    const log = await bed.open()
    expect(log.logEndOffset).toBe(1)
    expect(bed.disk.readFile(LOG)).toHaveLength(whole)
  })

  test('a damaged batch is cut off with everything behind it, later segments too', async () => {
    const bed = new LogBed()
    const config = { segmentBytes: 150 }
    const first = await bed.open(config)
    for (const value of ['a', 'b', 'c', 'd', 'e']) append(first, { values: [value] })
    bed.disk.killProcess()
    bed.disk.corrupt(`${DIRECTORY}/00000000000000000002.log`, batchOf().length * 2 - 1)
    const log = await bed.open(config)
    expect(await readAll(log)).toEqual(['a', 'b', 'c'])
    expect(log.segmentBaseOffsets).toEqual([0, 2])
    expect(bed.disk.exists(`${DIRECTORY}/00000000000000000004.log`)).toBe(false)
    expect(bed.disk.exists(`${DIRECTORY}/00000000000000000004.snapshot`)).toBe(false)
  })

  test('the index that a segment had before it was cut does not count, where the recovery point is at its end', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const bed = new LogBed({ seed })
      const config = { segmentBytes: 700, indexIntervalBytes: 100 }
      const log = await bed.open(config)
      const add = (count: number, bytes: number) => {
        for (let i = 0; i < count; i++) append(log, { values: ['x'.repeat(bytes)] })
      }
      add(8, 10)
      log.roll()
      await log.flush()
      await log.truncateTo(1)
      add(3, 80)
      await log.flush()
      const { notedRecoveryPoint: recoveryPoint } = log
      log.roll()
      add(1, 10)
      bed.disk.losePower()
      const again = await bed.open(config, { recoveryPoint })
      for (let offset = 0; offset < 4; offset++) {
        expect((await again.read(offset, 1, Infinity, true)).baseOffset).toBe(offset)
      }
    }
  })

  test('a sealed segment that ends at the recovery point is not read either', async () => {
    const bed = new LogBed()
    const log = await bed.open()
    append(log, { values: ['a'] })
    log.roll()
    await log.flush()
    const { notedRecoveryPoint: recoveryPoint } = log
    expect(recoveryPoint).toBe(1)
    append(log, { values: ['b'] })
    bed.disk.killProcess()
    const sealed = `${DIRECTORY}/00000000000000000000.log`
    let isRead = false
    bed.disk.fault = (operation, path) => {
      isRead ||= operation === 'read' && path === sealed
      return undefined
    }
    expect((await bed.open({}, { recoveryPoint })).logEndOffset).toBe(2)
    expect(isRead).toBe(false)
  })

  test('segments before the recovery point are not read', async () => {
    const bed = new LogBed()
    const config = { segmentBytes: 150 }
    const first = await bed.open(config)
    for (const value of ['a', 'b', 'c', 'd', 'e']) append(first, { values: [value] })
    bed.disk.killProcess()
    bed.disk.corrupt(LOG, 70)
    const log = await bed.open(config, { recoveryPoint: 4 })
    expect(log.logEndOffset).toBe(5)
  })

  test('a segment whose index is missing or damaged is indexed again', async () => {
    const bed = new LogBed()
    const config = { segmentBytes: 2000, indexIntervalBytes: 100 }
    const first = await bed.open(config)
    const values = Array.from({ length: 60 }, (_, i) => `v${i}`)
    for (const value of values) append(first, { values: [value] })
    await first.close()
    const [index, timeIndex] = [bed.disk.readFile(INDEX), bed.disk.readFile(TIME_INDEX)]
    bed.disk.remove(INDEX)
    bed.disk.open(TIME_INDEX, 'open').truncate(5)
    const log = await bed.open(config, { recoveryPoint: 60, hadCleanShutdown: true })
    expect(bed.disk.readFile(INDEX)).toEqual(index)
    expect(bed.disk.readFile(TIME_INDEX)).toEqual(timeIndex)
    expect(await readAll(log, 1)).toEqual(values)
  })

  test('producers are known from the newest snapshot and the log behind it', async () => {
    const bed = new LogBed()
    const config = { segmentBytes: 250 }
    const first = await bed.open(config)
    for (let i = 0; i < 8; i++) append(first, { producerId: 9, producerEpoch: 0, baseSequence: i })
    bed.disk.killProcess()
    const log = await bed.open(config, { recoveryPoint: 6 })
    const repeated = log.appendAsLeader(batchOf({ producerId: 9, producerEpoch: 0, baseSequence: 7 }), 0)
    expect(repeated).toMatchObject({ ok: true, duplicate: true, baseOffset: 7 })
    const next = log.appendAsLeader(batchOf({ producerId: 9, producerEpoch: 0, baseSequence: 8 }), 0)
    expect(next).toMatchObject({ ok: true, duplicate: false, baseOffset: 8 })
  })

  test('a last batch whose offset is damaged does not move the end of the log', async () => {
    const bed = new LogBed()
    const first = await bed.open()
    for (const value of ['a', 'b']) append(first, { values: [value] })
    await first.close()
    const second = batchOf().length
    bed.disk.corrupt(LOG, second + 1)
    bed.disk.corrupt(LOG, second + 40)
    const log = await bed.open({}, { recoveryPoint: 2, hadCleanShutdown: true })
    expect(log.logEndOffset).toBe(1)
    expect(await readAll(log)).toEqual(['a'])
  })

  test.each([
    { of: 'the highest byte', byte: 0 },
    { of: 'the lowest byte', byte: 7 },
  ])('nor does one that is whole but for $of of its offset', async ({ byte }) => {
    const bed = new LogBed()
    const first = await bed.open()
    for (const value of ['a', 'b']) append(first, { values: [value] })
    await first.close()
    bed.disk.corrupt(LOG, batchOf().length + byte, 0x40)
    const log = await bed.open({}, { recoveryPoint: 2, hadCleanShutdown: true })
    expect(await readAll(log)).toEqual(['a'])
  })

  test('after a crash a batch that is whole but lies too far behind the start of its segment is torn', async () => {
    const bed = new LogBed()
    const first = await bed.open()
    for (const value of ['a', 'b']) append(first, { values: [value] })
    bed.disk.killProcess()
    bed.disk.corrupt(LOG, batchOf().length + 4, 0x80)
    expect((await bed.open()).logEndOffset).toBe(1)
  })

  test.each([0, 1])(
    'a checkpoint that tells less (%d) takes nothing, nor does a gap before it',
    async (recoveryPoint) => {
      const bed = new LogBed()
      const first = await bed.open()
      for (const baseOffset of [0, 7, 8]) first.appendAsFollower(batchOf({ baseOffset }))
      await first.close()
      const log = await bed.open({}, { recoveryPoint, hadCleanShutdown: true })
      expect(log.logEndOffset).toBe(9)
    },
  )

  test('a damaged snapshot is passed over', async () => {
    const bed = new LogBed()
    const config = { segmentBytes: 250 }
    const first = await bed.open(config)
    for (let i = 0; i < 8; i++) append(first, { producerId: 9, producerEpoch: 0, baseSequence: i })
    await first.close()
    bed.disk.corrupt(`${DIRECTORY}/00000000000000000008.snapshot`, 12)
    const log = await bed.open(config, { recoveryPoint: 8, hadCleanShutdown: true })
    expect(log.producers.entry(9)?.lastSequence).toBe(7)
  })

  test('leftovers of deletion and compaction go, and a finished compaction takes effect', async () => {
    const bed = new LogBed()
    const config = { segmentBytes: 150 }
    const first = await bed.open(config)
    for (const value of ['a', 'b', 'c', 'd', 'e']) append(first, { values: [value] })
    await first.close()
    const compacted = Buffer.concat([
      batchOf({ values: ['b'], baseOffset: 1 }),
      batchOf({ values: ['d'], baseOffset: 3 }),
    ])
    bed.disk.replaceFile(`${DIRECTORY}/00000000000000000000.log.swap`, compacted)
    for (const name of ['00000000000000000009.log.cleaned', '00000000000000000007.log.deleted']) {
      bed.disk.replaceFile(`${DIRECTORY}/${name}`, batchOf())
    }
    bed.disk.replaceFile(`${DIRECTORY}/00000000000000000077.index`, new Uint8Array(8))
    const log = await bed.open(config, { recoveryPoint: 5, hadCleanShutdown: true })
    expect(await readAll(log)).toEqual(['b', 'd', 'e'])
    expect(log.segmentBaseOffsets).toEqual([0, 4])
    const odd = bed.disk.list(DIRECTORY).filter(({ name }) => /cleaned|deleted|swap|77/.test(name))
    expect(odd).toEqual([])
  })

  test('a log that ends before its start offset begins anew there', async () => {
    const bed = new LogBed()
    append(await bed.open(), { values: ['a'] })
    bed.disk.killProcess()
    const log = await bed.open({}, { logStartOffset: 10 })
    expect([log.logStartOffset, log.logEndOffset]).toEqual([10, 10])
    expect(log.segmentBaseOffsets).toEqual([10])
  })
})

describe('after a clean shutdown', () => {
  test('no log is read, and everything goes on', async () => {
    const bed = new LogBed()
    const first = await bed.open({ indexIntervalBytes: 100 })
    for (let i = 0; i < 100; i++) append(first, { producerId: 4, producerEpoch: 1, baseSequence: i }, 2)
    await first.close()
    const before = bed.disk.counts.read
    const log = await bed.open({ indexIntervalBytes: 100 }, { recoveryPoint: 100, hadCleanShutdown: true })
    expect(bed.disk.counts.read - before).toBeLessThan(20)
    expect([log.logEndOffset, log.recoveryPoint, log.leaderEpochs.latestEpoch]).toEqual([100, 100, 2])
    const next = log.appendAsLeader(batchOf({ producerId: 4, producerEpoch: 1, baseSequence: 100 }), 2)
    expect(next).toMatchObject({ ok: true, baseOffset: 100 })
  })

  test('indexes are cut to their entries', async () => {
    const bed = new LogBed()
    const log = await bed.open()
    append(log)
    await log.close()
    expect(bed.disk.readFile(INDEX)).toHaveLength(0)
    expect(bed.disk.readFile(TIME_INDEX)).toHaveLength(12)
  })
})

test('a power loss leaves no synced record without the id of its topic', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const bed = new LogBed({ seed })
    const log = await bed.open()
    log.adoptTopicId(TOPIC_ID)
    append(log)
    await log.flush()
    bed.disk.losePower()
    expect(readTopicId(bed.disk, DIRECTORY)).toBe(TOPIC_ID)
  }
})

test('a power loss takes no synced record of a log that was closed before it had any', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const bed = new LogBed({ seed })
    await (await bed.open()).close()
    bed.disk.killProcess()
    const log = await bed.open({}, { hadCleanShutdown: true })
    append(log)
    await log.flush()
    bed.disk.losePower()
    expect((await bed.open()).logEndOffset).toBe(1)
  }
})

describe('truncation', () => {
  test('drops records, epochs, segments and what producers had sent there', async () => {
    const bed = new LogBed()
    bed.cacheBytes = 1 << 20
    const log = await bed.open({ segmentBytes: 250 })
    for (let i = 0; i < 10; i++) {
      append(log, { values: [`v${i}`], producerId: 4, producerEpoch: 0, baseSequence: i }, Math.floor(i / 4))
    }
    log.updateHighWatermark(9)
    await log.truncateTo(5)
    expect([log.logEndOffset, log.acknowledgeableOffset, log.highWatermark]).toEqual([5, 5, 5])
    expect(log.leaderEpochs.entries).toEqual([
      { epoch: 0, startOffset: 0 },
      { epoch: 1, startOffset: 4 },
    ])
    expect(log.producers.entry(4)?.lastSequence).toBe(4)
    append(log, { values: ['new'], producerId: 4, producerEpoch: 0, baseSequence: 5 }, 5)
    expect(await readAll(log)).toEqual(['v0', 'v1', 'v2', 'v3', 'v4', 'new'])
    bed.disk.killProcess()
    expect(await readAll(await bed.open({ segmentBytes: 250 }))).toEqual(['v0', 'v1', 'v2', 'v3', 'v4', 'new'])
  })

  test('before the first offset empties the log, which starts there', async () => {
    const bed = new LogBed()
    const log = await bed.open({}, { logStartOffset: 10 })
    append(log)
    await log.truncateTo(7)
    expect([log.logStartOffset, log.logEndOffset, log.highWatermark]).toEqual([7, 7, 7])
    append(log, { values: ['a'] })
    expect(await readAll(log)).toEqual(['a'])
  })

  test('takes the snapshots with it that know of what was dropped', async () => {
    const bed = new LogBed()
    const log = await bed.open({ segmentBytes: 150 })
    for (let i = 0; i < 5; i++) append(log, { producerId: 4, producerEpoch: 0, baseSequence: i })
    await log.truncateTo(1)
    expect(log.producers.snapshotOffsets()).toEqual([])
  })
})

test('the recovery point stays before a sealed segment until its indexes are synced', async () => {
  const log = await new LogBed().open({ segmentBytes: 150 })
  append(log)
  append(log)
  await log.flush()
  expect(log.recoveryPoint).toBe(2)
  append(log)
  expect([log.segmentBaseOffsets, log.syncedOffset, log.recoveryPoint]).toEqual([[0, 2], 2, 0])
  await log.flush()
  expect(log.recoveryPoint).toBe(3)
})

test('a read of a file that has become shorter ends', async () => {
  const bed = new LogBed()
  const log = await bed.open()
  append(log, { values: ['x'.repeat(500)] })
  append(log, { values: ['y'.repeat(500)] })
  const file = bed.disk.open(`${DIRECTORY}/00000000000000000000.log`, 'open')
  file.truncate(200)
  file.close()
  // Looked for in vain for so long; a read that never ends would hold up the test for ever.
  let looks = 0
  bed.disk.fault = (operation) => {
    if (operation !== 'read' || ++looks < 50) return undefined
    return 'EIO'
  }
  await expect(log.read(0, 1000, 2, true)).rejects.toBeInstanceOf(DamagedBatchError)
})

test('a read of a file that lost its last batches says that they are damaged', async () => {
  const bed = new LogBed()
  const log = await bed.open()
  append(log, { values: ['a'] })
  const size = log.sizeInBytes()
  append(log, { values: ['b'] })
  const file = bed.disk.open(LOG, 'open')
  file.truncate(size)
  file.close()
  await expect(log.read(1, 1000, 2, true)).rejects.toMatchObject({ offset: 1 })
})

describe('an index with an entry that leads out of its file', () => {
  const setUp = async (mask: number) => {
    const bed = new LogBed()
    const config = { indexIntervalBytes: 100 }
    const first = await bed.open(config)
    for (let n = 0; n < 20; n++) append(first, { values: [String(n)] })
    first.roll()
    append(first, { values: ['20'] })
    await first.close()
    bed.disk.corrupt(INDEX, 8 * 3 + 4, mask)
    return bed.open(config, { hadCleanShutdown: true, recoveryPoint: 21 })
  }

  test.each([0x7f, 0x80])('costs time and no record (%i)', async (mask) => {
    const log = await setUp(mask)
    const values = Array.from({ length: 21 }, (_, n) => String(n))
    for (let offset = 0; offset <= 20; offset++) {
      expect(valuesOf(await log.read(offset, 1, Infinity, true))).toEqual([String(offset)])
    }
    expect(await readAll(log)).toEqual(values)
    await log.truncateTo(9)
    expect(await readAll(log)).toEqual(values.slice(0, 9))
  })
})
