import { describe, expect, test } from '@jest/globals'
import { append, DIRECTORY, LogBed, readAll } from './fixture.ts'

const SEGMENT_BYTES = 400
const CONFIG = { preallocate: true, segmentBytes: SEGMENT_BYTES }

/** Bytes of each `.log` file, by base offset. */
function sizes(bed: LogBed): Record<number, number> {
  const names = bed.disk.list(DIRECTORY).map(({ name }) => name)
  const logs = names.filter((name) => name.endsWith('.log'))
  return Object.fromEntries(
    logs.map((name) => [Number.parseInt(name, 10), bed.disk.sizeOf(`${DIRECTORY}/${name}`) ?? 0]),
  )
}

describe('a preallocated segment', () => {
  test('has its whole length from the start, of which only the batches are read', async () => {
    const bed = new LogBed()
    const log = await bed.open(CONFIG)
    expect(sizes(bed)).toEqual({ 0: SEGMENT_BYTES })
    append(log, { values: ['a', 'b'] })
    log.writeStaged()
    expect(sizes(bed)).toEqual({ 0: SEGMENT_BYTES })
    expect(await readAll(log, 1000)).toEqual(['a', 'b'])
  })

  test('gives the rest back when the next one begins', async () => {
    const bed = new LogBed()
    const log = await bed.open(CONFIG)
    append(log, { values: ['a'] })
    log.roll()
    const [batch] = (await log.read(0, 1000, Infinity, true)).buffers
    expect(sizes(bed)).toEqual({ 0: batch?.length, 1: SEGMENT_BYTES })
  })

  test.each([0, 1])(
    'loses nothing where too many files are open for file %i when the next one begins',
    async (base) => {
      const bed = new LogBed()
      bed.openFilesMax = 1
      const log = await bed.open(CONFIG)
      append(log, { values: ['a'] })
      await log.flush()
      bed.disk.fault = (operation, path) =>
        operation === 'open' && path.endsWith(`${base}.log`) ? 'EMFILE' : undefined
      try {
        log.roll()
      } catch {
        // It is tried again with the next append that is too large for this one.
      }
      bed.disk.fault = undefined
      append(log, { values: ['b'] })
      await log.close()
      const again = await bed.open(CONFIG, { hadCleanShutdown: true, recoveryPoint: 2 })
      expect(await readAll(again, 1000)).toEqual(['a', 'b'])
    },
  )

  test('gives the rest back, durably, when the log is closed', async () => {
    const bed = new LogBed()
    const log = await bed.open(CONFIG)
    append(log, { values: ['a'] })
    await log.close()
    bed.disk.losePower()
    expect(sizes(bed)[0]).toBeLessThan(SEGMENT_BYTES)
  })

  test('costs nothing after a crash but its length', async () => {
    const bed = new LogBed()
    const log = await bed.open(CONFIG)
    append(log, { values: ['a', 'b'] })
    await log.flush()
    bed.disk.killProcess()
    const again = await bed.open(CONFIG)
    expect(again.logEndOffset).toBe(2)
    append(again, { values: ['c'] })
    again.writeStaged()
    expect(await readAll(again, 1000)).toEqual(['a', 'b', 'c'])
    expect(sizes(bed)[0]).toBeLessThan(SEGMENT_BYTES)
  })

  test('is cut also where the shutdown was marked clean and the cut was lost', async () => {
    const bed = new LogBed()
    const log = await bed.open(CONFIG)
    append(log, { values: ['a'] })
    await log.close()
    const file = bed.disk.open(`${DIRECTORY}/00000000000000000000.log`, 'open')
    file.truncate(SEGMENT_BYTES)
    file.close()
    const again = await bed.open(CONFIG, { hadCleanShutdown: true, recoveryPoint: 1 })
    expect(again.logEndOffset).toBe(1)
    append(again, { values: ['b'] })
    again.writeStaged()
    expect(await readAll(again, 1000)).toEqual(['a', 'b'])
  })
})
