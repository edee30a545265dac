import { describe, expect, test } from '@jest/globals'
import type { LogManager } from '../../../broker/storage/log-manager.ts'
import type { PartitionLog } from '../../../broker/storage/log.ts'
import { append, readAll, TEST_CONFIG } from './fixture.ts'
import { ManagerBed, TOPIC_ID } from './manager-bed.ts'

const CHECKPOINT = '/data/recovery-point-offset-checkpoint'
/** Two batches a segment. */
const CONFIG = { ...TEST_CONFIG, segmentBytes: 150 }

/** A log of ten batches, all synced, of which the checkpoint says so up to the active segment. */
async function synced(bed: ManagerBed): Promise<{ manager: LogManager; log: PartitionLog }> {
  const manager = await bed.open({ defaults: CONFIG })
  const log = await manager.getOrCreate('orders', 0, TOPIC_ID, CONFIG, true)
  for (let index = 0; index < 10; index++) append(log, { values: [`old ${index}`] })
  await log.flush()
  await bed.clock.run(60_000)
  expect(bed.text(CHECKPOINT)).toBe('0\n1\norders 0 8\n')
  return { manager, log }
}

describe('the checkpoint of recovery points', () => {
  test('says of a log that was cut no more than is left, as soon as something can be appended', async () => {
    const bed = new ManagerBed()
    const { log } = await synced(bed)
    await log.truncateTo(3)
    expect(bed.text(CHECKPOINT)).toMatch(/orders 0 [0-3]\n$/)
  })

  test('says so after a power loss too', async () => {
    for (let unsynced = 0; unsynced < 10; unsynced++) {
      const bed = new ManagerBed()
      const { log } = await synced(bed)
      bed.disk.syncDirectory('/')
      bed.disk.syncDirectory('/data')
      await log.truncateTo(3)
      // What survives of these is a matter of chance, and so is what else survives.
      for (let name = 0; name < unsynced; name++) bed.disk.open(`/${name}`, 'create').close()
      bed.disk.losePower()
      expect(bed.text(CHECKPOINT)).toMatch(/orders 0 [0-3]\n$/)
    }
  })

  test('lets a crash find what was torn behind a cut, however much was synced before', async () => {
    const bed = new ManagerBed()
    const { log } = await synced(bed)
    await log.truncateTo(3)
    for (let index = 3; index < 20; index++) append(log, { values: [`new ${index}`] })
    bed.disk.corrupt('/data/orders-0/00000000000000000004.log', 70)
    bed.disk.killProcess()
    const again = (await bed.open({ defaults: CONFIG })).get('orders', 0)
    const values = ['old 0', 'old 1', 'old 2', 'new 3']
    expect(again === undefined ? [] : await readAll(again)).toEqual(values)
  })

  test('says nothing of a log any more that was emptied', async () => {
    const bed = new ManagerBed()
    const { log } = await synced(bed)
    log.truncateFullyAndStartAt(2)
    await bed.clock.run(1)
    expect(bed.text(CHECKPOINT)).toMatch(/orders 0 [0-2]\n$/)
  })

  test('says of a log that has lost its end no more than there is from the start on', async () => {
    const bed = new ManagerBed()
    await synced(bed)
    bed.disk.killProcess()
    for (const base of ['4', '6', '8']) bed.disk.remove(`/data/orders-0/${base.padStart(20, '0')}.log`)
    await bed.open({ defaults: CONFIG })
    expect(bed.text(CHECKPOINT)).toMatch(/orders 0 [0-4]\n$/)
  })

  test('has a segment that was cut to where the log ended before read after a crash', async () => {
    const bed = new ManagerBed()
    const config = { ...CONFIG, segmentBytes: 300, indexIntervalBytes: 0 }
    const manager = await bed.open({ defaults: config })
    const log = await manager.getOrCreate('orders', 0, TOPIC_ID, config, true)
    for (let index = 0; index < 9; index++) append(log)
    await manager.shutdown(77)
    expect(bed.text(CHECKPOINT)).toBe('0\n1\norders 0 9\n')
    const again = (await bed.open({ defaults: config })).get('orders', 0)
    if (again === undefined) throw new Error('no log')
    expect(bed.text(CHECKPOINT)).toBe('0\n1\norders 0 9\n')
    // Its files get more than it will have, and the next segment begins where the checkpoint says.
    for (let index = 0; index < 4; index++) append(again)
    await again.truncateTo(9)
    expect(bed.text(CHECKPOINT)).toBe('0\n1\norders 0 8\n')
  })

  test('tells a shutdown in order from one behind which records were lost', async () => {
    const bed = new ManagerBed()
    const { manager } = await synced(bed)
    await manager.shutdown(77)
    const again = await bed.open({ defaults: CONFIG })
    expect(again.brokerEpochAtShutdown).toBe(77)
    await again.shutdown(78)
    bed.disk.remove('/data/orders-0/00000000000000000008.log')
    const cut = await bed.open({ defaults: CONFIG })
    expect([cut.get('orders', 0)?.logEndOffset, cut.brokerEpochAtShutdown]).toEqual([8, -1])
  })

  test('tells a run that never joined the cluster as the one before it', async () => {
    const bed = new ManagerBed()
    const { manager } = await synced(bed)
    await manager.shutdown(77)
    await (await bed.open({ defaults: CONFIG })).shutdown(-1)
    const again = await bed.open({ defaults: CONFIG })
    expect(again.brokerEpochAtShutdown).toBe(77)
    bed.disk.killProcess()
    await (await bed.open({ defaults: CONFIG })).shutdown(-1)
    expect((await bed.open({ defaults: CONFIG })).brokerEpochAtShutdown).toBe(-1)
  })

  test('is written once for all logs that are cut while it is written', async () => {
    const bed = new ManagerBed({ syncMsMax: 10 })
    const manager = await bed.open()
    const made = Array.from({ length: 50 }, (_, index) => manager.getOrCreate('orders', index, TOPIC_ID, CONFIG, true))
    const logs = await bed.clock.runFor(Promise.all(made))
    for (const log of logs) {
      for (let index = 0; index < 3; index++) append(log)
      await bed.clock.runFor(log.flush())
    }
    let writes = 0
    bed.disk.fault = (operation, path) => void (operation === 'rename' && path.startsWith(CHECKPOINT) && writes++)
    const cuts = logs.map(async (log, index) => {
      await new Promise<void>((resolve) => void bed.clock.setTimer(index, resolve))
      await log.truncateTo(1)
    })
    await bed.clock.runFor(Promise.all(cuts))
    expect(writes).toBeLessThan(12)
  })

  test('waits for a descriptor rather than let the log go on', async () => {
    const bed = new ManagerBed()
    const { log } = await synced(bed)
    bed.disk.fault = (operation, path) => (operation === 'open' && path.startsWith(CHECKPOINT) ? 'EMFILE' : undefined)
    let isCut = false
    const cut = log.truncateTo(3).then(() => (isCut = true))
    await bed.clock.run(1000)
    expect(isCut).toBe(false)
    bed.disk.fault = undefined
    await bed.clock.run(200)
    await cut
    expect(bed.text(CHECKPOINT)).toMatch(/orders 0 [0-3]\n$/)
  })

  test('that cannot be written costs the log dir', async () => {
    const bed = new ManagerBed()
    const { manager, log } = await synced(bed)
    bed.disk.fault = (operation, path) => (operation === 'open' && path.startsWith(CHECKPOINT) ? 'EIO' : undefined)
    await expect(log.truncateTo(3)).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
    expect(manager.directories()).toMatchObject([{ online: false }])
  })
})
