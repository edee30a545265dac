import { describe, expect, test } from '@jest/globals'
import { DamagedBatchError } from '../../../broker/storage/errors.ts'
import { segmentPath } from '../../../broker/storage/names.ts'
import { append, readAll, TEST_CONFIG } from './fixture.ts'
import { ManagerBed, TOPIC_ID } from './manager-bed.ts'

test('a log dir that fails behind the back of its logs is offline, and not the one of the log that wanted room', async () => {
  const bed = new ManagerBed({ openFilesMax: 24 })
  const manager = await bed.open({ logDirs: ['/a', '/b'] })
  const [a, b] = manager.directories().map(({ id }) => id ?? '')
  append(await manager.getOrCreate('orders', 0, TOPIC_ID, TEST_CONFIG, true, a))
  bed.disk.fault = (operation, path) => (operation === 'sync' && path.startsWith('/a/') ? 'EIO' : undefined)
  for (let partition = 1; partition < 40; partition++) {
    append(await manager.getOrCreate('orders', partition, TOPIC_ID, TEST_CONFIG, true, b))
  }
  await bed.clock.run(10)
  expect(manager.directories().map(({ online }) => online)).toEqual([false, true])
  expect(manager.get('orders', 0)).toBeUndefined()
})

test('a log dir whose logs cannot all be loaded for want of descriptors does not go into use without them', async () => {
  const bed = new ManagerBed()
  const manager = await bed.open()
  append(await manager.getOrCreate('orders', 0, TOPIC_ID, TEST_CONFIG, true))
  bed.disk.killProcess()
  bed.disk.fault = (operation, path) => (operation === 'open' && path.endsWith('.log') ? 'EMFILE' : undefined)
  await expect(bed.open()).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
})

test('a log that is loaded while its log dir fails is not given out', async () => {
  const bed = new ManagerBed()
  const manager = await bed.open({ logDirs: ['/a', '/b'] })
  const [a] = manager.directories().map(({ id }) => id ?? '')
  const other = await manager.getOrCreate('orders', 0, TOPIC_ID, TEST_CONFIG, true, a)
  const made = manager.getOrCreate('orders', 1, TOPIC_ID, TEST_CONFIG, true, a)
  bed.disk.fault = (operation, path) => (operation === 'write' && path.includes('orders-0') ? 'EIO' : undefined)
  append(other)
  await expect(made).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
  expect(manager.get('orders', 1)).toBeUndefined()
})

describe('a segment that cannot be read', () => {
  const LAST = 6
  /** One record a segment. */
  async function segments() {
    const bed = new ManagerBed()
    const manager = await bed.open({ tailCacheBytes: 0 })
    const log = await manager.getOrCreate('orders', 0, TOPIC_ID, TEST_CONFIG, true)
    for (let offset = 0; offset <= LAST; offset++) {
      log.roll()
      append(log, { values: [`v${offset}`] })
    }
    await log.flush()
    const read = async (offset: number): Promise<unknown> => {
      try {
        return await log.read(offset, 1, Infinity, true)
      } catch (error) {
        return error
      }
    }
    const spoil = (offset: number) => bed.disk.spoilSector(segmentPath(log.directory, offset, '.log'), 0)
    return { manager, log, read, spoil }
  }

  test('is damage to its log and to no other, and can be cut off', async () => {
    const { manager, log, read, spoil } = await segments()
    spoil(2)
    const error = await read(2)
    expect(error).toBeInstanceOf(DamagedBatchError)
    expect(error).toMatchObject({ offset: 2 })
    expect(await read(3)).toMatchObject({ baseOffset: 3 })
    expect(manager.directories().map(({ online }) => online)).toEqual([true])
    await log.truncateTo(2)
    append(log, { values: ['again'] }, 1)
    expect(await readAll(log)).toEqual(['v0', 'v1', 'again'])
  })

  test('is damage too where it is looked through for a time', async () => {
    const { manager, log, spoil } = await segments()
    spoil(0)
    const error = await log.offsetForTimestamp(0).catch((cause: unknown) => cause)
    expect(error).toBeInstanceOf(DamagedBatchError)
    expect(error).toMatchObject({ offset: 0 })
    expect(manager.directories().map(({ online }) => online)).toEqual([true])
  })

  test('is a failure of the disk where it is one of several', async () => {
    const { manager, read, spoil } = await segments()
    for (const offset of [1, 3]) {
      spoil(offset)
      for (let time = 0; time < 3; time++) expect(await read(offset)).toBeInstanceOf(DamagedBatchError)
    }
    spoil(5)
    expect(await read(5)).toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
    expect(manager.directories().map(({ online }) => online)).toEqual([false])
  })

  test('is a failure of the disk where it is the active one', async () => {
    const { manager, read, spoil } = await segments()
    spoil(LAST)
    expect(await read(LAST)).toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
    expect(manager.directories().map(({ online }) => online)).toEqual([false])
  })
})
