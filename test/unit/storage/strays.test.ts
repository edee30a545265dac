import { describe, expect, test } from '@jest/globals'
import { append, readAll, TEST_CONFIG } from './fixture.ts'
import { ManagerBed, OTHER_TOPIC_ID, TOPIC_ID } from './manager-bed.ts'

describe('logs', () => {
  test('that were strays leave nothing to a new log of the name, also where a crash follows', async () => {
    const bed = new ManagerBed()
    const manager = await bed.open()
    const old = await manager.getOrCreate('orders', 0, TOPIC_ID, TEST_CONFIG, true)
    for (let i = 0; i < 5; i++) append(old)
    old.updateHighWatermark(5)
    old.incrementLogStartOffset(4)
    await old.flush()
    await bed.clock.run(60_000)
    await manager.setAsideStrays(() => true)
    append(await manager.getOrCreate('orders', 0, OTHER_TOPIC_ID, TEST_CONFIG, true), { values: ['new'] })
    bed.disk.killProcess()
    const log = (await bed.open()).get('orders', 0)
    expect(log === undefined ? [] : await readAll(log)).toEqual(['new'])
  })

  test('that are copies of a stray are set aside with it', async () => {
    const bed = new ManagerBed()
    const manager = await bed.open({ logDirs: ['/a', '/b'] })
    await manager.createFuture(await manager.getOrCreate('orders', 0, TOPIC_ID, TEST_CONFIG, true), '/b')
    await manager.setAsideStrays(({ topicId }) => topicId === TOPIC_ID)
    expect([manager.logs(), manager.futures()]).toEqual([[], []])
    expect(bed.names('/b').filter((name) => name.startsWith('orders'))).toEqual([expect.stringMatching(/-stray$/)])
  })

  test('that cannot be set aside cost their log dir, and no other', async () => {
    const bed = new ManagerBed()
    const manager = await bed.open({ logDirs: ['/a', '/b'] })
    for (const index of [0, 1, 2, 3]) await manager.getOrCreate('orders', index, TOPIC_ID, TEST_CONFIG, true)
    bed.disk.fault = (operation, path) => (operation === 'rename' && path.startsWith('/a/') ? 'EIO' : undefined)
    const strays = await manager.setAsideStrays(() => true)
    expect(strays.map(({ partition }) => partition)).toEqual([0, 1, 2, 3])
    expect(manager.directories().map(({ online }) => online)).toEqual([false, true])
    expect(manager.logs()).toEqual([])
    expect(bed.names('/b').filter((name) => /^orders-[13]\..*-stray$/.test(name))).toHaveLength(2)
  })

  test('that cannot be noted as gone cost their log dir, and no other', async () => {
    const bed = new ManagerBed()
    const manager = await bed.open({ logDirs: ['/a', '/b'] })
    for (const index of [0, 1]) await manager.getOrCreate('orders', index, TOPIC_ID, TEST_CONFIG, true)
    bed.disk.fault = (operation, path) => (operation === 'open' && path.startsWith('/a/') ? 'EIO' : undefined)
    await manager.setAsideStrays(() => true)
    expect(manager.directories().map(({ online }) => online)).toEqual([false, true])
    expect(bed.text('/b/recovery-point-offset-checkpoint')).toBe('0\n0\n')
  })

  test('that are set aside without a descriptor leave nothing either, once there is one', async () => {
    const bed = new ManagerBed()
    const manager = await bed.open()
    const old = await manager.getOrCreate('orders', 0, TOPIC_ID, TEST_CONFIG, true)
    append(old)
    old.roll()
    await old.flush()
    await bed.clock.run(60_000)
    bed.disk.fault = (operation) => (operation === 'open' ? 'EMFILE' : undefined)
    await manager.setAsideStrays(() => true)
    bed.disk.fault = undefined
    expect(bed.text('/data/recovery-point-offset-checkpoint')).toBe('0\n1\norders 0 1\n')
    await bed.clock.run(300)
    expect(bed.text('/data/recovery-point-offset-checkpoint')).toBe('0\n0\n')
    expect(manager.directories()).toMatchObject([{ online: true }])
  })
})

test('logs that are deleted in several log dirs are gone from the sound ones where one of these fails', async () => {
  const bed = new ManagerBed()
  const manager = await bed.open({ logDirs: ['/a', '/b'] })
  for (const index of [0, 1, 2, 3]) await manager.getOrCreate('orders', index, TOPIC_ID, TEST_CONFIG, true)
  bed.disk.fault = (operation, path) => (operation === 'rename' && path.startsWith('/a/') ? 'EIO' : undefined)
  await manager.delete('orders', 0, 1, 2, 3)
  expect([manager.logs(), manager.directories().map(({ online }) => online)]).toEqual([[], [false, true]])
  expect(bed.names('/b').filter((name) => /^orders-[13]\..*-delete$/.test(name))).toHaveLength(2)
})
