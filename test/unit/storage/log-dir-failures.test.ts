import { expect, test } from '@jest/globals'
import { append, TEST_CONFIG } from './fixture.ts'
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
