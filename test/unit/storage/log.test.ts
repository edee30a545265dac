import { describe, expect, test } from '@jest/globals'
import { BatchView } from '../../../broker/records/batch.ts'
import { DamagedBatchError } from '../../../broker/storage/errors.ts'
import { append, batchOf, DIRECTORY, LogBed, readAll, valuesOf, views } from './fixture.ts'

describe('append', () => {
  test('a leader gives offsets and its epoch to each batch', async () => {
    const log = await new LogBed().open()
    append(log, { values: ['a', 'b', 'c'] })
    const result = log.appendAsLeader(Buffer.concat([batchOf({ values: ['d'] }), batchOf({ values: ['e', 'f'] })]), 7)
    log.writeStaged()
    expect(result).toEqual({ ok: true, baseOffset: 3, lastOffset: 5, duplicate: false, logStartOffset: 0 })
    const slice = await log.read(0, 1 << 20, Infinity, true)
    expect(views(slice).map(({ baseOffset, partitionLeaderEpoch }) => [baseOffset, partitionLeaderEpoch])).toEqual([
      [0, 0],
      [3, 7],
      [4, 7],
    ])
    expect(log.leaderEpochs.entries).toEqual([
      { epoch: 0, startOffset: 0 },
      { epoch: 7, startOffset: 3 },
    ])
  })

  test('a staged batch has its offset and is neither readable nor acknowledgeable', async () => {
    const bed = new LogBed()
    const log = await bed.open()
    log.appendAsLeader(batchOf(), 0)
    expect([log.logEndOffset, log.acknowledgeableOffset]).toEqual([1, 0])
    expect(valuesOf(await log.read(0, 1000, Infinity, true))).toEqual([])
    expect(bed.staged).toEqual([log])
  })

  test('everything staged in a tick reaches the file in one write', async () => {
    const bed = new LogBed()
    const log = await bed.open()
    const acknowledged: number[] = []
    log.listen({ acknowledgeable: () => acknowledged.push(log.acknowledgeableOffset) })
    const before = bed.disk.counts.write
    for (let i = 0; i < 10; i++) log.appendAsLeader(batchOf(), 0)
    log.writeStaged()
    expect(bed.disk.counts.write - before).toBe(1)
    expect(acknowledged).toEqual([10])
    expect(bed.staged).toHaveLength(1)
  })

  test('a batch larger than a segment is refused', async () => {
    const log = await new LogBed().open({ segmentBytes: 100 })
    expect(log.appendAsLeader(batchOf({ values: ['x'.repeat(200)] }), 0)).toMatchObject({
      ok: false,
      error: 'RECORD_LIST_TOO_LARGE',
    })
    expect(log.logEndOffset).toBe(0)
  })

  test('a follower keeps the offsets, leaves out a batch that is cut off, and refuses a gap backwards', async () => {
    const log = await new LogBed().open()
    const cut = batchOf({ baseOffset: 6 }).subarray(0, 65)
    const fetched = Buffer.concat([batchOf({ baseOffset: 5, leaderEpoch: 3 }), cut])
    expect(log.appendAsFollower(fetched)).toMatchObject({ ok: true, baseOffset: 5, lastOffset: 5 })
    expect(log.appendAsFollower(batchOf({ baseOffset: 5 }))).toMatchObject({ ok: false, error: 'OFFSET_OUT_OF_RANGE' })
    expect(log.logEndOffset).toBe(6)
    expect(log.leaderEpochs.latestEpoch).toBe(3)
  })

  test('a follower whose log is empty takes the batch in the midst of which the log begins, as after DeleteRecords', async () => {
    const bed = new LogBed()
    const log = await bed.open()
    log.truncateFullyAndStartAt(6)
    const bytes = batchOf({ values: ['a', 'b', 'c'], baseOffset: 5 })
    expect(log.appendAsFollower(bytes)).toMatchObject({ ok: true, baseOffset: 5, lastOffset: 7 })
    expect(log).toMatchObject({ logStartOffset: 6, highWatermark: 6, logEndOffset: 8, segmentBaseOffsets: [5] })
    expect(log.appendAsFollower(batchOf({ baseOffset: 7 }))).toMatchObject({ ok: false, error: 'OFFSET_OUT_OF_RANGE' })
    await log.flush()
    bed.disk.losePower()
    const again = await bed.open({}, { logStartOffset: 6 })
    expect(again).toMatchObject({ logStartOffset: 6, logEndOffset: 8 })
    expect(await readAll(again)).toEqual(['a', 'b', 'c'])
  })

  test('a follower takes a batch larger than a segment, which its leader appended when segments were larger, into one of its own', async () => {
    const values = ['a', 'b', 'x'.repeat(600), 'y'.repeat(600), 'c', 'd']
    const leader = await new LogBed().open({ segmentBytes: 1000 })
    for (const value of values) append(leader, { values: [value] })
    const bed = new LogBed()
    const follower = await bed.open({ segmentBytes: 500, indexIntervalBytes: 1 })
    for (let offset = 0; offset < leader.logEndOffset; offset = follower.logEndOffset) {
      const { buffers } = await leader.read(offset, 1 << 20, Infinity, true)
      expect(follower.appendAsFollower(Buffer.concat(buffers))).toMatchObject({ ok: true, baseOffset: offset })
      follower.writeStaged()
    }
    expect(follower.segmentBaseOffsets).toEqual([0, 2, 3, 4])
    expect(await readAll(follower)).toEqual(values)
    const again = await bed.open({ segmentBytes: 500 })
    expect(await readAll(again)).toEqual(values)
    for (let offset = 0; offset < values.length; offset++) {
      expect(valuesOf(await again.read(offset, 1, Infinity, true))).toEqual([values[offset]])
    }
  })

  test.each([
    { how: 'one by one', group: 1 },
    { how: 'at once', group: 4 },
  ])('a follower takes batches $how that are further apart than a segment may reach', async ({ group }) => {
    const bed = new LogBed()
    const config = { indexIntervalBytes: 1 }
    const log = await bed.open(config)
    const offsets = [3_000_000_000, 3_000_000_001, 9_000_000_000, 9_000_000_001]
    const sent = offsets.map((baseOffset) => batchOf({ baseOffset, values: [`v${baseOffset}`] }))
    for (let at = 0; at < sent.length; at += group) {
      expect(log.appendAsFollower(Buffer.concat(sent.slice(at, at + group)))).toMatchObject({ ok: true })
    }
    log.writeStaged()
    await log.flush()
    expect(log.segmentBaseOffsets).toEqual([0, 3_000_000_000, 9_000_000_000])
    const values = offsets.map((offset) => `v${offset}`)
    expect(await readAll(log)).toEqual(values)
    bed.disk.losePower()
    const again = await bed.open(config, { recoveryPoint: 9_000_000_002 })
    expect(again.logEndOffset).toBe(9_000_000_002)
    for (const [index, offset] of offsets.entries()) {
      expect(valuesOf(await again.read(offset, 1, Infinity, true))).toEqual([values[index]])
    }
  })

  test('a follower that was to lead, with less than the leader has by now, takes the epochs of what it lacks', async () => {
    const log = await new LogBed().open()
    append(log, {}, 1)
    log.leaderEpochs.assign(2, 1)
    for (const [baseOffset, leaderEpoch] of [
      [1, 1],
      [2, 2],
    ] as const)
      log.appendAsFollower(batchOf({ baseOffset, leaderEpoch }))
    expect(log.leaderEpochs.entries).toEqual([
      { epoch: 1, startOffset: 0 },
      { epoch: 2, startOffset: 2 },
    ])
  })

  test('a follower refuses a batch with a wrong CRC', async () => {
    const log = await new LogBed().open()
    const bytes = batchOf()
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
    expect(log.appendAsFollower(bytes)).toMatchObject({ ok: false, error: 'CORRUPT_MESSAGE' })
  })
})

describe('read', () => {
  for (const [where, cacheBytes] of [
    ['the files', 0],
    ['the tail cache', 1 << 20],
  ] as const) {
    test(`from ${where}: an offset inside a batch gives that batch`, async () => {
      const bed = new LogBed()
      bed.cacheBytes = cacheBytes
      const log = await bed.open()
      append(log, { values: ['a', 'b'] })
      append(log, { values: ['c', 'd'] })
      const slice = await log.read(3, 1000, Infinity, true)
      expect(valuesOf(slice)).toEqual(['c', 'd'])
      expect(slice.baseOffset).toBe(2)
    })

    test(`from ${where}: only batches that end before the limit`, async () => {
      const bed = new LogBed()
      bed.cacheBytes = cacheBytes
      const log = await bed.open()
      for (const values of [['a'], ['b', 'c'], ['d']]) append(log, { values })
      expect(valuesOf(await log.read(0, 1000, 2, true))).toEqual(['a'])
      expect(valuesOf(await log.read(1, 1000, 2, true))).toEqual([])
      expect(valuesOf(await log.read(0, 1000, 3, true))).toEqual(['a', 'b', 'c'])
    })

    test(`from ${where}: whole batches within maxBytes, and one larger than that only where asked`, async () => {
      const bed = new LogBed()
      bed.cacheBytes = cacheBytes
      const log = await bed.open()
      for (const value of ['a', 'b', 'c']) append(log, { values: [value] })
      const size = batchOf().length
      expect(valuesOf(await log.read(0, size * 2 + 10, Infinity, false))).toEqual(['a', 'b'])
      expect(valuesOf(await log.read(0, size - 1, Infinity, false))).toEqual([])
      expect(valuesOf(await log.read(0, size - 1, Infinity, true))).toEqual(['a'])
    })

    test(`from ${where}: tells whether the size or the limit of offsets has ended it`, async () => {
      const bed = new LogBed()
      bed.cacheBytes = cacheBytes
      const log = await bed.open()
      for (const values of [['a'], ['b', 'c'], ['d']]) append(log, { values })
      const size = batchOf().length
      expect(await log.read(0, size, Infinity, true)).toMatchObject({ sizeInBytes: size, hasMore: true })
      expect(await log.read(0, size, 1, true)).toMatchObject({ sizeInBytes: size, hasMore: false })
      // The limit is in the midst of the batch that has no room.
      expect(await log.read(0, size, 2, true)).toMatchObject({ sizeInBytes: size, hasMore: false })
      expect(await log.read(0, 1, Infinity, false)).toMatchObject({ sizeInBytes: 0, hasMore: true })
      expect(await log.read(1, 1000, 2, true)).toMatchObject({ sizeInBytes: 0, hasMore: false })
      expect(await log.read(0, 1000, Infinity, true)).toMatchObject({ hasMore: false })
    })
  }

  test('the tail cache answers at once and without I/O', async () => {
    const bed = new LogBed()
    bed.cacheBytes = 1 << 20
    const log = await bed.open()
    append(log, { values: ['a'] })
    const before = bed.disk.counts.read
    expect(log.read(0, 1000, Infinity, true)).not.toBeInstanceOf(Promise)
    expect(bed.disk.counts.read).toBe(before)
  })

  test('a read that the end of a segment has ended tells that there is more', async () => {
    const log = await new LogBed().open()
    append(log, { values: ['a'] })
    log.roll()
    append(log, { values: ['b'] })
    const slice = await log.read(0, 1000, Infinity, true)
    expect([valuesOf(slice), slice.hasMore]).toEqual([['a'], true])
  })

  test('what left the tail cache comes from the files', async () => {
    const bed = new LogBed()
    bed.cacheBytes = batchOf().length * 2
    const log = await bed.open()
    for (const value of ['a', 'b', 'c']) append(log, { values: [value] })
    expect(log.read(0, 1000, Infinity, true)).toBeInstanceOf(Promise)
    expect(log.read(1, 1000, Infinity, true)).not.toBeInstanceOf(Promise)
    expect(await readAll(log)).toEqual(['a', 'b', 'c'])
  })

  test('finds every offset of a log of many segments and index entries, with one read each', async () => {
    const bed = new LogBed()
    const log = await bed.open({ segmentBytes: 3000, indexIntervalBytes: 100 })
    const values = Array.from({ length: 300 }, (_, i) => `value ${i}`)
    for (const value of values) append(log, { values: [value] })
    expect(log.segmentCount).toBeGreaterThan(5)
    for (const [offset, value] of values.entries()) {
      expect(valuesOf(await log.read(offset, 1, Infinity, true))).toEqual([value])
    }
    expect(await readAll(log, 500)).toEqual(values)
  })

  test('an offset outside the log throws', async () => {
    const log = await new LogBed().open()
    append(log)
    expect(() => log.read(2, 1000, Infinity, true)).toThrow(expect.objectContaining({ code: 'OFFSET_OUT_OF_RANGE' }))
    expect(log.read(1, 1000, Infinity, true)).toMatchObject({ sizeInBytes: 0, baseOffset: 1 })
  })

  test('a read across a truncation sees the log as it is after it', async () => {
    const log = await new LogBed().open()
    append(log, { values: ['a'] })
    append(log, { values: ['old'] })
    const reading = log.read(0, 1000, Infinity, true)
    log.truncateFullyAndStartAt(0)
    append(log, { values: ['new'] })
    expect(valuesOf(await reading)).toEqual(['new'])
  })

  test('a read of a segment that retention deletes still ends well', async () => {
    const bed = new LogBed()
    const log = await bed.open({ segmentBytes: 100, retentionBytes: 0 })
    for (const value of ['a', 'b', 'c']) append(log, { values: [value] })
    log.updateHighWatermark(3)
    const reading = log.read(0, 1000, Infinity, true)
    expect(log.deleteOldSegments(bed.clock.wallMs())).toBe(3)
    expect(valuesOf(await reading)).toEqual(['a'])
    expect(log.logStartOffset).toBe(3)
  })
})

describe('flush.messages', () => {
  test('what is not synced is not acknowledgeable, and one sync covers all that came meanwhile', async () => {
    const bed = new LogBed()
    const log = await bed.open({ flushMessages: 1 })
    append(log)
    await log.flush()
    const before = bed.disk.counts.sync
    append(log)
    append(log)
    append(log)
    expect(log.acknowledgeableOffset).toBe(1)
    await log.flush()
    expect(log.acknowledgeableOffset).toBe(4)
    expect(bed.disk.counts.sync - before).toBe(2)
  })

  test('below the count appends are acknowledgeable at once', async () => {
    const log = await new LogBed().open({ flushMessages: 3 })
    append(log)
    append(log)
    expect(log.acknowledgeableOffset).toBe(2)
    append(log)
    expect(log.acknowledgeableOffset).toBe(2)
    await log.flush()
    expect(log.acknowledgeableOffset).toBe(3)
  })
})

test('a sync that finds too many files open is tried again, no more often where more waits for it', async () => {
  const bed = new LogBed()
  const log = await bed.open({ flushMessages: 1 })
  bed.disk.fault = (operation, path) => (operation === 'sync' && path.endsWith('.log') ? 'EMFILE' : undefined)
  for (let count = 0; count < 20; count++) {
    append(log, { values: ['a'] })
    await bed.clock.run(7)
  }
  const before = bed.disk.counts.sync
  await bed.clock.run(1000)
  expect(bed.disk.counts.sync - before).toBeLessThanOrEqual(11)
  bed.disk.fault = undefined
  await bed.clock.run(100)
  expect(log.acknowledgeableOffset).toBe(20)
})

test('a roll waits for no sync, but what is acknowledged behind it does', async () => {
  const bed = new LogBed()
  bed.disk.syncMsMax = 10
  const log = await bed.open({ flushMessages: 1 })
  append(log, { values: ['a'] })
  await bed.clock.run(100)
  const waiting = (): never => {
    throw new Error('the event loop waits for the disk')
  }
  Object.assign(bed.disk, { syncDirectory: waiting, replaceFile: waiting })
  log.roll()
  append(log, { values: ['b'] }, 1)
  expect([log.logEndOffset, log.acknowledgeableOffset]).toEqual([2, 1])
  for (let ms = 0; log.acknowledgeableOffset < 2; ms++) {
    expect(ms).toBeLessThan(100)
    await bed.clock.run(1)
  }
  bed.disk.losePower()
  const reopened = bed.open()
  await bed.clock.run(100)
  const again = await reopened
  expect([again.logEndOffset, again.segmentCount]).toEqual([2, 2])
  expect(again.leaderEpochs.entries.map(({ startOffset }) => startOffset)).toEqual([0, 1])
})

test('files have the names that Kafka gives them, and a segment its indexes once it is sealed and synced', async () => {
  const bed = new LogBed()
  const log = await bed.open({ segmentBytes: 150, segmentIndexBytes: 1000 })
  append(log, { values: ['a'] })
  append(log, { values: ['b'] })
  append(log, { values: ['c'] })
  await log.flush()
  const names = bed.disk.list(DIRECTORY).map(({ name }) => name)
  expect(names.sort()).toEqual([
    '00000000000000000000.index',
    '00000000000000000000.log',
    '00000000000000000000.timeindex',
    '00000000000000000002.log',
    '00000000000000000002.snapshot',
    'leader-epoch-checkpoint',
  ])
  expect(bed.disk.readFile(`${DIRECTORY}/00000000000000000000.timeindex`)).toHaveLength(12)
  expect(new BatchView(bed.disk.readFile(`${DIRECTORY}/00000000000000000002.log`)).baseOffset).toBe(2)
})

describe('a read of damaged batches', () => {
  // Below zero, or behind the end of the log.
  test.each([0, 1])('does not pass over one whose offset is damaged in byte %i', async (position) => {
    const bed = new LogBed()
    const first = await bed.open()
    for (const value of ['a', 'b']) append(first, { values: [value] })
    await first.close()
    const log = await bed.open({}, { recoveryPoint: 2, hadCleanShutdown: true })
    bed.disk.corrupt(`${DIRECTORY}/00000000000000000000.log`, position)
    const read = Promise.resolve(log.read(0, 1000, Infinity, true))
    await expect(read).rejects.toMatchObject(new DamagedBatchError(0))
  })
})

// Byte 7: the offset, outside the CRC. Byte 11: the size. Byte 20: the CRC itself.
test.each([7, 11, 20])(
  'a truncation behind damage at byte %i leaves no hole: it begins at the damage',
  async (byte) => {
    const bed = new LogBed()
    const first = await bed.open()
    for (const value of ['a', 'b', 'c', 'd']) append(first, { values: [value] })
    await first.close()
    const log = await bed.open({}, { recoveryPoint: 4, hadCleanShutdown: true })
    bed.disk.corrupt(`${DIRECTORY}/00000000000000000000.log`, byte)
    await log.truncateTo(byte === 20 ? 0 : 2)
    expect(log.logEndOffset).toBe(0)
    append(log, { values: ['again'] })
    await log.close()
    expect(new BatchView(bed.disk.readFile(`${DIRECTORY}/00000000000000000000.log`)).baseOffset).toBe(0)
  },
)
