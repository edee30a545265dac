import { describe, expect, test } from '@jest/globals'
import { BatchView, HEADER_BYTES, MAGIC, PARTITION_LEADER_EPOCH } from '../../../broker/records/batch.ts'
import { readRecords } from '../../../broker/records/read.ts'
import { DamagedBatchError } from '../../../broker/storage/errors.ts'
import type { PartitionLog } from '../../../broker/storage/log.ts'
import { append, batchOf, DIRECTORY, LogBed, NO_COMPUTE, readAll, type TestBatch, valuesOf, views } from './fixture.ts'

const CONFIG = { segmentBytes: 420, indexIntervalBytes: 100 }
const BATCHES = 17
const END = 25
const EPOCH_MAX = 3
const LOG = `${DIRECTORY}/00000000000000000000.log`

/** Batches of one record and two in turn, a few a segment, of epochs that rise. The value at an offset is that offset. */
async function fill(bed: LogBed): Promise<PartitionLog> {
  const log = await bed.open(CONFIG)
  for (let index = 0; index < BATCHES; index++) {
    const values = [`${log.logEndOffset}`, `${log.logEndOffset + 1}`].slice(0, 1 + (index % 2))
    append(log, { values }, Math.floor(index / 5))
  }
  expect([log.logEndOffset, log.leaderEpochs.latestEpoch]).toEqual([END, EPOCH_MAX])
  return log
}

/** A log that was closed in order, and then damaged. */
async function reopened(path: string, byte: number, mask: number): Promise<PartitionLog> {
  const bed = new LogBed()
  await (await fill(bed)).close()
  bed.disk.corrupt(path, byte, mask)
  return bed.open(CONFIG, { recoveryPoint: END, hadCleanShutdown: true })
}

async function filesOf(suffix: string): Promise<{ path: string; bytes: Uint8Array }[]> {
  const bed = new LogBed()
  await (await fill(bed)).close()
  const found = bed.disk.files(DIRECTORY).filter(({ path }) => path.endsWith(suffix))
  return found.map(({ path }) => ({ path, bytes: bed.disk.readFile(path) }))
}

/** What a read gives goes on from `offset` without a gap, and is what was written; undefined where it says that it is damaged. */
async function readFrom(log: PartitionLog, offset: number): Promise<number | undefined> {
  try {
    return nextBehind(views(await log.read(offset, 150, Infinity, true)), offset)
  } catch (error) {
    if (error instanceof DamagedBatchError && error.offset <= offset) return undefined
    throw error
  }
}

/** Without an expectation for each record: these take their time. */
function nextBehind(read: readonly BatchView[], offset: number): number {
  let next = offset
  for (const view of read) {
    if (view.partitionLeaderEpoch > EPOCH_MAX) throw new Error(`epoch ${view.partitionLeaderEpoch} is read`)
    for (const record of readRecords(view, NO_COMPUTE)) {
      const value = new TextDecoder().decode(record.value ?? undefined)
      const isNext = record.offset < offset || record.offset === next++
      if (value !== `${record.offset}` || !isNext) throw new Error(`${record.offset} is read at ${offset}: ${value}`)
    }
  }
  if (next === offset) throw new Error(`nothing is read at ${offset}`)
  return next
}

/** Of a batch, the bytes outside of the CRC. */
function unprotected(bytes: Uint8Array): number[] {
  const found: number[] = []
  const view = new BatchView(bytes)
  for (let at = 0; at < bytes.length; at += view.at(at).sizeInBytes)
    for (let byte = 0; byte <= MAGIC; byte++) found.push(at + byte)
  return found
}

describe('of a log that is damaged after it was closed', () => {
  test('nothing is read that is not what was written where it was, whatever byte outside of the CRC it is, nor kept behind a hole', async () => {
    for (const { path, bytes } of await filesOf('.log')) {
      for (const byte of unprotected(bytes)) {
        for (const mask of [2, 0x80]) {
          const log = await reopened(path, byte, mask)
          expect(log.logEndOffset).toBeLessThanOrEqual(END)
          for (let offset = 0; offset < log.logEndOffset; offset++) await readFrom(log, offset)
          await log.truncateTo(10)
          const left = log.logEndOffset
          append(log, { values: [`${left}`] }, EPOCH_MAX)
          for (let offset = 0; offset <= left;) offset = (await readFrom(log, offset)) ?? offset + 1
        }
      }
    }
  })

  test('no record is lost by an index that is wrong, whatever byte it is', async () => {
    for (const { path, bytes } of await filesOf('.index')) {
      for (let byte = 0; byte < bytes.length; byte++) {
        for (const mask of [1, 4, 0x40, 0x80]) {
          const log = await reopened(path, byte, mask)
          for (let offset = 0; offset < END; offset++) expect(await readFrom(log, offset)).toBeGreaterThan(offset)
          await log.truncateTo(9)
          expect(log.logEndOffset).toBe(9)
          append(log, { values: ['9'] }, EPOCH_MAX)
          expect(await readAll(log)).toEqual(Array.from({ length: 10 }, (_, offset) => `${offset}`))
        }
      }
    }
  })

  test('no time is told of a record that is damaged', async () => {
    const bed = new LogBed()
    const first = await bed.open()
    append(first, { values: ['a'] })
    await first.close()
    bed.disk.corrupt(LOG, HEADER_BYTES)
    const log = await bed.open({}, { recoveryPoint: 1, hadCleanShutdown: true })
    await expect(log.offsetForTimestamp(1)).rejects.toMatchObject(new DamagedBatchError(0))
    await expect(log.offsetOfMaxTimestamp()).rejects.toMatchObject(new DamagedBatchError(0))
  })

  test('nothing is dropped for a checkpoint that has the log begin behind its end', async () => {
    const bed = new LogBed()
    const first = await bed.open()
    for (const [baseSequence, value] of ['a', 'b'].entries())
      append(first, { values: [value], producerId: 3, producerEpoch: 0, baseSequence })
    await first.close()
    const log = await bed.open({}, { recoveryPoint: 2, logStartOffset: 9, hadCleanShutdown: true })
    expect([log.logStartOffset, await readAll(log), log.producers.size]).toEqual([0, ['a', 'b'], 1])
  })

  test.each([
    { what: 'says less than the last batch', content: '0\n2\n0 0\n2 15\n' },
    { what: 'does not rise', content: '0\n3\n0 0\n9 7\n3 22\n' },
  ])('leader epochs are found again in the log where their checkpoint $what', async ({ content }) => {
    const bed = new LogBed()
    const first = await fill(bed)
    const { entries } = first.leaderEpochs
    await first.close()
    bed.disk.replaceFile(`${DIRECTORY}/leader-epoch-checkpoint`, new TextEncoder().encode(content))
    const log = await bed.open(CONFIG, { recoveryPoint: END, hadCleanShutdown: true })
    expect(log.leaderEpochs.entries).toEqual(entries)
  })
})

describe('a recovery', () => {
  /** The position in the first segment of each batch of one record, and the end. */
  const size = batchOf().length
  const crashed = async (
    appended: readonly TestBatch[],
    damage: (disk: LogBed['disk']) => void,
    config = {},
  ): Promise<PartitionLog> => {
    const bed = new LogBed()
    const first = await bed.open(config)
    for (const [index, batch] of appended.entries()) append(first, batch, Math.floor(index / 3))
    bed.disk.killProcess()
    damage(bed.disk)
    return bed.open(config)
  }
  const producer = (index: number): TestBatch => ({ producerId: 5, producerEpoch: 0, baseSequence: index })
  const four = Array.from({ length: 4 }, (_, index) => producer(index))

  test('takes a batch with a wrong offset for the damaged one, not the sound one behind it, and for none of its producer', async () => {
    const log = await crashed(four, (disk) => disk.corrupt(LOG, size + 7, 4))
    expect(log.logEndOffset).toBe(1)
    expect(log.producers.entry(5)?.lastSequence).toBe(0)
    append(log, producer(1))
    expect(await readAll(log)).toHaveLength(2)
  })

  test('takes a batch for damaged that would reach into the next segment', async () => {
    const log = await crashed(four, (disk) => disk.corrupt(LOG, size + 7, 4), { segmentBytes: 2 * size })
    expect([log.logEndOffset, log.segmentBaseOffsets]).toEqual([1, [0]])
  })

  test('believes no leader epoch that only one batch has, and the one behind it not', async () => {
    const log = await crashed(four, (disk) => disk.corrupt(LOG, size + PARTITION_LEADER_EPOCH, 0x40))
    expect(log.leaderEpochs.entries).toEqual([
      { epoch: 0, startOffset: 0 },
      { epoch: 1, startOffset: 3 },
    ])
    await expect(log.read(1, 1000, Infinity, true)).rejects.toMatchObject(new DamagedBatchError(1))
  })
})

describe('a log with gaps', () => {
  const OFFSETS = [0, 1, 5, 6, 12]
  const filled = async (bed: LogBed): Promise<PartitionLog> => {
    const log = await bed.open({ indexIntervalBytes: 1 })
    for (const baseOffset of OFFSETS) log.appendAsFollower(batchOf({ baseOffset, values: [`${baseOffset}`] }))
    log.writeStaged()
    return log
  }

  test.each([
    { asked: 5, end: 2 },
    { asked: 4, end: 2 },
    { asked: 6, end: 6 },
    { asked: 9, end: 7 },
    { asked: 12, end: 7 },
  ])('that is cut at $asked ends where a batch does, at $end, and goes on', async ({ asked, end }) => {
    const bed = new LogBed()
    const log = await filled(bed)
    await log.truncateTo(asked)
    expect([log.logEndOffset, log.acknowledgeableOffset]).toEqual([end, end])
    expect(log.appendAsFollower(batchOf({ baseOffset: 12, values: ['new'] }))).toMatchObject({ ok: true })
    await log.flush()
    bed.disk.killProcess()
    const again = await bed.open({ indexIntervalBytes: 1 })
    expect(await readAll(again)).toEqual([...OFFSETS.filter((offset) => offset < end).map(String), 'new'])
  })

  test('that begins in one may be cut to before that: a segment that began there would be behind a hole', async () => {
    const log = await filled(new LogBed())
    log.updateHighWatermark(13)
    log.incrementLogStartOffset(9)
    await log.truncateTo(11)
    expect([log.logStartOffset, log.logEndOffset]).toEqual([7, 7])
  })

  test('is read on at any offset, also from the files of before', async () => {
    const bed = new LogBed()
    await (await filled(bed)).close()
    const log = await bed.open({ indexIntervalBytes: 1 }, { recoveryPoint: 13, hadCleanShutdown: true })
    for (let offset = 0; offset < 13; offset++) {
      const next = OFFSETS.find((base) => base >= offset)
      expect(valuesOf(await log.read(offset, 1, Infinity, true))).toEqual([`${next}`])
    }
  })

  test('keeps what is behind one between segments, where nothing is known of what was synced', async () => {
    const bed = new LogBed()
    bed.disk.makeDirectory(DIRECTORY)
    for (const offsets of [[0, 5], [6], [9]]) {
      const content = Buffer.concat(offsets.map((baseOffset) => batchOf({ baseOffset })))
      bed.disk.replaceFile(`${DIRECTORY}/0000000000000000000${offsets[0]}.log`, content)
    }
    expect((await bed.open({}, { recoveryPoint: undefined })).logEndOffset).toBe(10)
  })

  test('has lost its end where a segment ends before the next one begins', async () => {
    const bed = new LogBed()
    const log = await filled(bed)
    const size = log.sizeInBytes()
    log.appendAsFollower(batchOf({ baseOffset: 20 }))
    log.roll()
    bed.disk.killProcess()
    bed.disk.open(LOG, 'open').truncate(size)
    const again = await bed.open()
    expect([again.logEndOffset, again.segmentBaseOffsets]).toEqual([13, [0]])
  })

  test('keeps what is behind one that is wider than a segment may reach', async () => {
    const bed = new LogBed()
    const log = await bed.open()
    for (const baseOffset of [0, 3_000_000_000]) log.appendAsFollower(batchOf({ baseOffset }))
    await log.flush()
    bed.disk.losePower()
    expect((await bed.open()).logEndOffset).toBe(3_000_000_001)
  })
})

test('an index of aborted transactions that cannot be is made again', async () => {
  const bed = new LogBed()
  const path = `${DIRECTORY}/00000000000000000001.txnindex`
  const first = await bed.open()
  append(first)
  first.roll()
  append(first)
  await first.close()
  const entry = new DataView(new ArrayBuffer(34))
  // Of a marker that is before the segment.
  for (const [at, value] of [7n, 0n, 0n, 1n].entries()) entry.setBigInt64(2 + 8 * at, value)
  bed.disk.replaceFile(path, new Uint8Array(entry.buffer))
  const log = await bed.open({}, { recoveryPoint: 2, hadCleanShutdown: true })
  expect(log.abortedTxns(0, 2)).toEqual([])
})
