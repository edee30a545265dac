import { describe, expect, test } from '@jest/globals'
import { DEFAULT_INTERVALS } from '../../../broker/storage/log-maintenance.ts'
import { append, TEST_CONFIG } from './fixture.ts'
import { ManagerBed, TOPIC_ID } from './manager-bed.ts'

describe('what is done to all logs from time to time', () => {
  test('syncs those that have waited for flush.ms, also where the wall clock goes back', async () => {
    const bed = new ManagerBed()
    const manager = await bed.open({ intervals: { ...DEFAULT_INTERVALS, flushSchedulerMs: 100 } })
    const log = await manager.getOrCreate('orders', 0, TOPIC_ID, { ...TEST_CONFIG, flushMs: 1000 }, true)
    await bed.clock.run(500)
    append(log)
    bed.clock.shiftWall(-3_600_000)
    await bed.clock.run(400)
    expect(log.syncedOffset).toBe(0)
    await bed.clock.run(300)
    expect(log.syncedOffset).toBe(1)
  })

  test('does not fail without a word', async () => {
    const bed = new ManagerBed()
    const manager = await bed.open()
    const log = await manager.getOrCreate('orders', 0, TOPIC_ID, TEST_CONFIG, true)
    Object.defineProperty(log, 'notedRecoveryPoint', {
      get: () => {
        throw new Error('planted')
      },
    })
    await bed.clock.run(60_000)
    expect(bed.problems).toEqual(['the upkeep of a log dir has failed'])
    expect(manager.directories()).toMatchObject([{ online: true }])
  })
})
