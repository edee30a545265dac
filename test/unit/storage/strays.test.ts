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
})
