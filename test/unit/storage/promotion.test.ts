import { describe, expect, test } from '@jest/globals'
import type { LogManager } from '../../../broker/storage/log-manager.ts'
import type { PartitionLog } from '../../../broker/storage/log.ts'
import { append, batchOf, readAll, TEST_CONFIG } from './fixture.ts'
import { ManagerBed, OTHER_TOPIC_ID, TOPIC_ID } from './manager-bed.ts'
import { exhaustAfter } from './too-many-files.ts'

/** More descriptors than a promotion asks for. */
const DESCRIPTORS = 20

async function copied(manager: LogManager): Promise<PartitionLog> {
  const log = await manager.getOrCreate('orders', 0, TOPIC_ID, TEST_CONFIG, true)
  for (const value of ['a', 'b']) append(log, { values: [value] })
  const future = await manager.createFuture(log, '/b')
  for (const bytes of (await log.read(0, 1000, 2, true)).buffers) future.appendAsFollower(bytes)
  future.writeStaged()
  return future
}

describe('a copy that takes the place of its log', () => {
  test('waits for descriptors where there are none, and nothing is lost or there twice', async () => {
    const refusals: boolean[] = []
    for (let count = 0; count < DESCRIPTORS; count++) {
      const bed = new ManagerBed()
      const manager = await bed.open({ logDirs: ['/a', '/b'] })
      bed.disk.syncDirectory('/')
      const future = await copied(manager)
      const isRefused = exhaustAfter(bed.disk, count)
      const promoted = manager.promote(future)
      await bed.clock.run(300)
      bed.disk.fault = undefined
      await bed.clock.run(300)
      const log = await promoted
      refusals.push(isRefused())
      expect([manager.get('orders', 0), manager.logs(), manager.futures()]).toEqual([log, [log], []])
      append(log, { values: ['c'] })
      expect(await readAll(log)).toEqual(['a', 'b', 'c'])
      bed.disk.losePower()
      const again = await bed.open({ logDirs: ['/a', '/b'] })
      expect(again.logs().map(({ directory }) => directory)).toEqual(['/b/orders-0'])
      expect([bed.names('/a'), bed.names('/b')].flat().filter((name) => name.endsWith('-stray'))).toEqual([])
    }
    expect([refusals[0], refusals.at(-1)]).toEqual([true, false])
  })

  test('leaves nothing to a copy that comes back to where the log was', async () => {
    const bed = new ManagerBed()
    const manager = await bed.open({ logDirs: ['/a', '/b'] })
    const future = await copied(manager)
    manager.get('orders', 0)?.roll()
    await manager.get('orders', 0)?.flush()
    await bed.clock.run(60_000)
    const noted = () => bed.text('/a/recovery-point-offset-checkpoint')
    expect(noted()).toBe('0\n1\norders 0 2\n')
    await manager.promote(future)
    expect(noted()).toBe('0\n0\n')
  })

  test('does not make who reads the log before believe that records are gone', async () => {
    const bed = new ManagerBed()
    const manager = await bed.open({ logDirs: ['/a', '/b'], tailCacheBytes: 0 })
    const log = await manager.getOrCreate('orders', 0, TOPIC_ID, TEST_CONFIG, true)
    append(log, { values: ['x'.repeat(20_000)] })
    // The batch is larger than what is asked for, and takes two reads of the file.
    const read = log.read(0, 100, 1, true)
    // As `promote` does.
    log.closeFiles()
    await expect(read).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
    expect(bed.problems).toEqual([])
  })

  test('is not given up on the way: who lets go of the replica deletes the log that it has become', async () => {
    const bed = new ManagerBed()
    const manager = await bed.open({ logDirs: ['/a', '/b'] })
    const future = await copied(manager)
    const promoted = manager.promote(future)
    await manager.deleteFuture(future)
    const log = await promoted
    expect(await readAll(log)).toEqual(['a', 'b'])
    expect(manager.directories().map(({ online }) => online)).toEqual([true, true])
    await manager.delete('orders', 0)
    expect([manager.logs(), manager.futures(), bed.problems]).toEqual([[], [], []])
  })

  test('leaves the log alone where its own log dir fails before', async () => {
    const bed = new ManagerBed()
    const manager = await bed.open({ logDirs: ['/a', '/b'] })
    const future = await copied(manager)
    bed.disk.fault = (operation, path) => (operation === 'sync' && path.startsWith('/b/') ? 'EIO' : undefined)
    await expect(manager.promote(future)).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
    const log = manager.get('orders', 0)
    expect([log?.directory, manager.futures()]).toEqual(['/a/orders-0', []])
    expect(log === undefined ? [] : await readAll(log)).toEqual(['a', 'b'])
  })

  test.each(['EIO', 'EMFILE'] as const)('leaves the log alone where it cannot be loaded for %s', async (code) => {
    const bed = new ManagerBed()
    const manager = await bed.open({ logDirs: ['/a', '/b'] })
    const future = await copied(manager)
    const before = manager.get('orders', 0)
    bed.disk.fault = (operation, path) => (operation === 'list' && path === '/b/orders-0' ? code : undefined)
    const promoted = manager.promote(future).catch((error: unknown) => error)
    await bed.clock.run(1000)
    expect(manager.get('orders', 0)).toBe(before)
    expect(before === undefined ? [] : await readAll(before)).toEqual(['a', 'b'])
    bed.disk.fault = undefined
    await bed.clock.run(1000)
    if (code === 'EIO') expect(await promoted).toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
    else expect(manager.get('orders', 0)).toBe(await promoted)
    expect(manager.directories().map(({ online }) => online)).toEqual([true, code !== 'EIO'])
  })

  test('that was left behind is no rival of the log, though that was cut since', async () => {
    const bed = new ManagerBed()
    const manager = await bed.open({ logDirs: ['/a', '/b'] })
    const future = await copied(manager)
    bed.disk.fault = (operation, path) => (operation === 'list' && path === '/b/orders-0' ? 'EIO' : undefined)
    await expect(manager.promote(future)).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
    bed.disk.fault = undefined
    const log = manager.get('orders', 0)
    await log?.truncateTo(0)
    if (log !== undefined) append(log, { values: ['new'] }, 1)
    bed.disk.killProcess()
    const again = (await bed.open({ logDirs: ['/a', '/b'] })).get('orders', 0)
    expect(again === undefined ? [] : await readAll(again)).toEqual(['new'])
  })

  test('is where the next start finds it, where the log dir of its log fails as that goes', async () => {
    const bed = new ManagerBed()
    const manager = await bed.open({ logDirs: ['/a', '/b'] })
    const future = await copied(manager)
    bed.disk.fault = (operation, path) => (operation === 'rename' && path.startsWith('/a/') ? 'EIO' : undefined)
    await expect(manager.promote(future)).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
    expect([manager.logs(), manager.futures()]).toEqual([[], []])
    expect(manager.directories().map(({ online }) => online)).toEqual([false, true])
    bed.disk.killProcess()
    const log = (await bed.open({ logDirs: ['/b'] })).get('orders', 0)
    expect(log === undefined ? [] : await readAll(log)).toEqual(['a', 'b'])
  })
})

describe('a copy that is given up', () => {
  test('leaves no offsets to a log of the same name', async () => {
    const bed = new ManagerBed()
    const manager = await bed.open({ logDirs: ['/a', '/b'] })
    const before = await manager.getOrCreate('orders', 0, TOPIC_ID, TEST_CONFIG, true)
    before.truncateFullyAndStartAt(1000)
    const future = await manager.createFuture(before, '/b')
    future.appendAsFollower(batchOf({ values: ['a', 'b'], baseOffset: 999 }))
    await future.flush()
    await bed.clock.run(60_000)
    expect(bed.text('/b/log-start-offset-checkpoint')).toBe('0\n1\norders 0 1000\n')
    await manager.deleteFuture(future)
    await manager.delete('orders', 0)
    const id = manager.directories()[1]?.id ?? undefined
    const log = await manager.getOrCreate('orders', 0, OTHER_TOPIC_ID, TEST_CONFIG, true, id)
    append(log, { values: ['new'] })
    await log.flush()
    bed.disk.killProcess()
    const again = (await bed.open({ logDirs: ['/a', '/b'] })).get('orders', 0)
    expect(again === undefined ? [] : await readAll(again)).toEqual(['new'])
  })
})

describe('a copy that cannot be begun', () => {
  test('leaves nothing behind, nor what the next start would go on with', async () => {
    const refusals: boolean[] = []
    for (let count = 0; count < DESCRIPTORS; count++) {
      const bed = new ManagerBed()
      const manager = await bed.open({ logDirs: ['/a', '/b'] })
      const log = await manager.getOrCreate('orders', 0, TOPIC_ID, TEST_CONFIG, true)
      const logCopies = () => bed.names('/b').filter((name) => name.startsWith('orders'))
      const isRefused = exhaustAfter(bed.disk, count)
      const error = await manager.createFuture(log, '/b').catch((refusal: unknown) => refusal)
      refusals.push(isRefused())
      if (!isRefused()) break
      expect(error).toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
      bed.disk.fault = undefined
      expect(logCopies().filter((name) => name.endsWith('-future'))).toEqual([])
      await bed.clock.run(300)
      expect([logCopies(), manager.futures()]).toEqual([[], []])
      await expect(manager.createFuture(log, '/b')).resolves.toBeDefined()
    }
    expect([refusals.length > 2, refusals[0], refusals.at(-1)]).toEqual([true, true, false])
  })
})

describe('a shutdown', () => {
  test('waits for a copy that takes the place of its log: what is deleted stays so, nothing is there twice, and it is in order', async () => {
    for (let ms = 0; ms < 40; ms++) {
      const bed = new ManagerBed({ syncMsMax: 10 })
      const manager = await bed.clock.runFor(bed.open({ logDirs: ['/a', '/b'] }))
      const future = await bed.clock.runFor(copied(manager))
      for (const log of [manager.get('orders', 0), future]) {
        log?.updateHighWatermark(2)
        log?.incrementLogStartOffset(1)
      }
      const promoted = manager.promote(future)
      await bed.clock.run(ms)
      await bed.clock.runFor(manager.shutdown(77))
      await promoted
      bed.disk.killProcess()
      const again = await bed.clock.runFor(bed.open({ logDirs: ['/a', '/b'] }))
      expect([again.brokerEpochAtShutdown, again.logs().map(({ directory }) => directory)]).toEqual([
        77,
        ['/b/orders-0'],
      ])
      const values = again.logs().map((log) => bed.clock.runFor(readAll(log)))
      expect(await Promise.all(values)).toEqual([['b']])
    }
  })
})

/** No descriptor is left for what `isOf` is true of, once a copy has the name of its log. */
function refuseOnceRenamed({ disk }: ManagerBed, isOf: (path: string) => boolean): void {
  let isRenamed = false
  disk.fault = (operation, path) => {
    isRenamed ||= operation === 'rename' && path.endsWith('-future')
    return isRenamed && (operation === 'sync' || operation === 'open') && isOf(path) ? 'EMFILE' : undefined
  }
}

describe('a copy that has taken the place of its log', () => {
  test('is there after a power loss, where there was no descriptor to make its name durable', async () => {
    for (let unsynced = 0; unsynced < 10; unsynced++) {
      const bed = new ManagerBed()
      const manager = await bed.open({ logDirs: ['/a', '/b'] })
      const future = await copied(manager)
      await manager.get('orders', 0)?.flush()
      for (const path of ['/', '/a', '/b']) bed.disk.syncDirectory(path)
      refuseOnceRenamed(bed, (path) => path === '/b')
      manager.promote(future).catch(() => undefined)
      await bed.clock.run(50)
      bed.disk.fault = undefined
      // What survives of these is a matter of chance, and so is what else survives.
      for (let name = 0; name < unsynced; name++) bed.disk.open(`/b/${name}`, 'create').close()
      bed.disk.losePower()
      const log = (await bed.open({ logDirs: ['/a', '/b'] })).get('orders', 0)
      expect(log === undefined ? [] : await readAll(log)).toEqual(['a', 'b'])
    }
  })

  test('begins where it did, after a crash too', async () => {
    const bed = new ManagerBed()
    const manager = await bed.open({ logDirs: ['/a', '/b'] })
    const future = await copied(manager)
    for (const log of [manager.get('orders', 0), future]) {
      log?.updateHighWatermark(2)
      log?.incrementLogStartOffset(1)
    }
    await bed.clock.run(59_900)
    // The checkpoint is written while it is neither a copy nor the log.
    refuseOnceRenamed(bed, (path) => path.startsWith('/b/orders-0'))
    const promoted = manager.promote(future)
    await bed.clock.run(200)
    bed.disk.fault = undefined
    await bed.clock.run(200)
    await promoted
    bed.disk.killProcess()
    const log = (await bed.open({ logDirs: ['/a', '/b'] })).get('orders', 0)
    expect(log === undefined ? [] : await readAll(log)).toEqual(['b'])
  })
})
