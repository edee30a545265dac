import { describe, expect, test } from '@jest/globals'
import type { PartitionLog } from '../../../broker/storage/log.ts'
import { append, batchOf, LogBed, readAll } from './fixture.ts'
import { exhaustAfter } from './too-many-files.ts'

/** More descriptors than a cut asks for. */
const DESCRIPTORS = 30
const CONFIG = { segmentBytes: batchOf({ values: ['0'] }).length * 3 }

/** Ten records in four segments, all on the disk and none in memory. */
async function filled(bed: LogBed): Promise<PartitionLog> {
  bed.openFilesMax = 1
  const first = await bed.open(CONFIG)
  for (let n = 0; n < 10; n++) append(first, { values: [String(n)] })
  await first.close()
  return bed.open(CONFIG, { hadCleanShutdown: true, recoveryPoint: 10 })
}

/** The log after another record, and what a crash leaves of that. */
async function goesOn(bed: LogBed, log: PartitionLog): Promise<string[][]> {
  append(log, { values: ['more'] })
  const values = await readAll(log)
  await log.flush()
  bed.disk.losePower()
  return [values, await readAll(await bed.open(CONFIG, { logStartOffset: log.logStartOffset }))]
}

describe('where too many files are open', () => {
  test('a log is cut all the same, or not at all', async () => {
    const outcomes: string[] = []
    for (let count = 0; count < DESCRIPTORS; count++) {
      const bed = new LogBed()
      const log = await filled(bed)
      const isRefused = exhaustAfter(bed.disk, count)
      const cut = log.truncateTo(4).then(
        () => 'cut',
        () => 'left',
      )
      await bed.clock.run(300)
      bed.disk.fault = undefined
      await bed.clock.run(300)
      const outcome = await cut
      outcomes.push(isRefused() ? outcome : 'undisturbed')
      const kept = ['0', '1', '2', '3', ...(outcome === 'left' ? ['4', '5', '6', '7', '8', '9'] : [])]
      const expected = [...kept, 'more']
      expect(await goesOn(bed, log)).toEqual([expected, expected])
      expect(bed.failures).toEqual([])
    }
    expect(new Set(outcomes)).toEqual(new Set(['left', 'cut', 'undisturbed']))
  })

  test('a log is emptied all the same, or not at all', async () => {
    const outcomes: string[] = []
    for (let count = 0; count < DESCRIPTORS; count++) {
      const bed = new LogBed()
      const log = await filled(bed)
      const isRefused = exhaustAfter(bed.disk, count)
      try {
        log.truncateFullyAndStartAt(100)
      } catch {
        // What has been done shows below.
      }
      bed.disk.fault = undefined
      const isEmpty = log.logEndOffset === 100
      outcomes.push(isRefused() ? (isEmpty ? 'emptied' : 'left') : 'undisturbed')
      const expected = [...(isEmpty ? [] : ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']), 'more']
      expect(await goesOn(bed, log)).toEqual([expected, expected])
      expect(bed.failures).toEqual([])
    }
    expect(new Set(outcomes)).toEqual(new Set(['left', 'emptied', 'undisturbed']))
  })

  test('segments that retention gives up are gone after a crash as well, or stay', async () => {
    for (let count = 0; count < 5; count++) {
      const bed = new LogBed()
      const log = await filled(bed)
      log.updateHighWatermark(10)
      log.updateConfig({ ...log.config, retentionBytes: 1 })
      exhaustAfter(bed.disk, count)
      try {
        log.deleteOldSegments(bed.clock.wallMs())
      } catch {
        // It is tried again at the next time.
      }
      bed.disk.fault = undefined
      const [first] = log.segmentBaseOffsets
      expect(log.logStartOffset).toBe(first)
      bed.disk.killProcess()
      expect((await bed.open(CONFIG)).segmentBaseOffsets[0]).toBe(first)
    }
  })
})

test.each([1, 2])('a cut that ends after renames of %i segments leaves no hole', async (count) => {
  const bed = new LogBed()
  const log = await bed.open({ segmentBytes: 70 })
  for (let i = 0; i < 6; i++) append(log, { values: [`v${i}`] })
  await log.flush()
  let left = count
  bed.disk.fault = (operation, path) =>
    operation === 'rename' && path.endsWith('.log') && left-- <= 0 ? 'EIO' : undefined
  await expect(log.truncateTo(2)).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
  bed.disk.fault = undefined
  bed.disk.killProcess()
  const again = await bed.open({ segmentBytes: 70 }, { recoveryPoint: 6 })
  expect(await readAll(again)).toEqual(['v0', 'v1', 'v2', 'v3', 'v4', 'v5'].slice(0, 6 - count))
})
