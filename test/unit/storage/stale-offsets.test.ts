import { describe, expect, test } from '@jest/globals'
import type { LogManager } from '../../../broker/storage/log-manager.ts'
import type { PartitionLog } from '../../../broker/storage/log.ts'
import { append, batchOf, readAll, TEST_CONFIG } from './fixture.ts'
import { ManagerBed, OTHER_TOPIC_ID, TOPIC_ID } from './manager-bed.ts'

const BOTH = { logDirs: ['/a', '/b'] }

/** A log that begins at 4 and ends at 5, as the checkpoints of its log dir say. */
async function trimmed(bed: ManagerBed, manager: LogManager, path: string): Promise<PartitionLog> {
  const log = await make(bed, manager, TOPIC_ID, path)
  for (let index = 0; index < 5; index++) append(log)
  log.updateHighWatermark(5)
  log.incrementLogStartOffset(4)
  await bed.clock.runFor(log.flush())
  await bed.clock.run(60_100)
  expect(bed.text(`${path}/log-start-offset-checkpoint`)).toBe('0\n1\norders 0 4\n')
  return log
}

function make(bed: ManagerBed, manager: LogManager, topicId: string, path: string): Promise<PartitionLog> {
  const id = manager.directories().find((directory) => directory.path === path)?.id ?? undefined
  return bed.clock.runFor(manager.getOrCreate('orders', 0, topicId, TEST_CONFIG, true, id))
}

/** What is in the log `orders` after a kill -9. */
async function afterKill(bed: ManagerBed, logDirs: readonly string[]): Promise<string[]> {
  bed.disk.killProcess()
  const log = (await bed.clock.runFor(bed.open({ logDirs }))).get('orders', 0)
  return log === undefined ? [] : bed.clock.runFor(readAll(log))
}

describe('offsets of a log that is gone', () => {
  test('are not those of the next of its name, where the process was killed while they were forgotten', async () => {
    const bed = new ManagerBed({ syncMsMax: 5 })
    const manager = await bed.clock.runFor(bed.open())
    await trimmed(bed, manager, '/data')
    void manager.delete('orders', 0)
    bed.disk.killProcess()
    const again = await bed.clock.runFor(bed.open())
    append(await make(bed, again, OTHER_TOPIC_ID, '/data'), { values: ['new'] })
    expect(await afterKill(bed, ['/data'])).toEqual(['new'])
  })

  test('are not those of the next of its name, where it was there twice', async () => {
    const bed = new ManagerBed({ syncMsMax: 5 })
    const manager = await bed.clock.runFor(bed.open(BOTH))
    await trimmed(bed, manager, '/a')
    bed.disk.killProcess()
    // As a promotion leaves it that a crash has ended.
    const moved = await bed.clock.runFor(bed.open({ logDirs: ['/b'] }))
    const copy = await make(bed, moved, TOPIC_ID, '/b')
    for (let index = 0; index < 6; index++) append(copy)
    bed.disk.killProcess()
    const both = await bed.clock.runFor(bed.open(BOTH))
    expect(both.get('orders', 0)?.parentDirectory).toBe('/b')
    await bed.clock.runFor(both.delete('orders', 0))
    append(await make(bed, both, OTHER_TOPIC_ID, '/a'), { values: ['new'] })
    expect(await afterKill(bed, BOTH.logDirs)).toEqual(['new'])
  })
})

describe('where a log begins', () => {
  test('is not where it began before it was cut to less', async () => {
    const bed = new ManagerBed({ syncMsMax: 5 })
    const log = await trimmed(bed, await bed.clock.runFor(bed.open()), '/data')
    await bed.clock.runFor(log.truncateTo(2))
    log.appendAsFollower(batchOf({ values: ['new'], baseOffset: 2 }))
    log.writeStaged()
    expect(await afterKill(bed, ['/data'])).toEqual(['new'])
  })
})

describe('a shutdown', () => {
  test('is not in order where a log has failed that was not closed yet', async () => {
    const bed = new ManagerBed({ syncMsMax: 5 })
    const options = { recoveryThreadsPerDataDir: 1 }
    const manager = await bed.clock.runFor(bed.open(options))
    const made = [0, 1].map((index) => manager.getOrCreate('orders', index, TOPIC_ID, TEST_CONFIG, true))
    const [first, second] = await bed.clock.runFor(Promise.all(made))
    if (first === undefined || second === undefined) throw new Error('two logs')
    for (const log of [first, second]) append(log)
    await bed.clock.runFor(first.flush())
    append(first)
    const isOfSecond = (path: string): boolean => path.startsWith('/data/orders-1/')
    bed.disk.fault = (operation, path) => (operation === 'sync' && isOfSecond(path) ? 'EIO' : undefined)
    second.roll()
    await bed.clock.runFor(manager.shutdown(77).catch(() => undefined))
    expect(manager.directories()).toMatchObject([{ online: false }])
    expect(bed.names('/data')).not.toContain('.kafka_cleanshutdown')
  })
})

test('a log dir that comes back with a log of an earlier topic does not cost the one that took its name', async () => {
  const bed = new ManagerBed({ syncMsMax: 5 })
  await trimmed(bed, await bed.clock.runFor(bed.open(BOTH)), '/a')
  bed.disk.killProcess()
  const without = await bed.clock.runFor(bed.open({ logDirs: ['/b'] }))
  append(await make(bed, without, OTHER_TOPIC_ID, '/b'), { values: ['new'] })
  bed.disk.killProcess()
  const again = await bed.clock.runFor(bed.open(BOTH))
  await bed.clock.runFor(again.setAsideStrays(({ topicId }) => topicId !== OTHER_TOPIC_ID))
  const log = again.get('orders', 0)
  expect(log === undefined ? [] : await bed.clock.runFor(readAll(log))).toEqual(['new'])
})

test('a log that has lost the id of its topic, and with it all that was synced, is no rival of one that has it', async () => {
  const bed = new ManagerBed({ syncMsMax: 5 })
  await trimmed(bed, await bed.clock.runFor(bed.open(BOTH)), '/a')
  bed.disk.killProcess()
  const without = await bed.clock.runFor(bed.open({ logDirs: ['/b'] }))
  append(await make(bed, without, OTHER_TOPIC_ID, '/b'), { values: ['new'] })
  bed.disk.open('/a/orders-0/partition.metadata', 'open').truncate(0)
  expect(await afterKill(bed, BOTH.logDirs)).toEqual(['new'])
})
