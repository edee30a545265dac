import { describe, expect, test } from '@jest/globals'
import { DiskError } from '../../../broker/env/disk.ts'
import type { PartitionLog } from '../../../broker/storage/log.ts'
import { readMetaProperties, writeMetaProperties } from '../../../broker/storage/meta-properties.ts'
import { append, batchOf, readAll, TEST_CONFIG } from './fixture.ts'
import { CLUSTER_ID, ManagerBed, OTHER_TOPIC_ID, TOPIC_ID } from './manager-bed.ts'

describe('logs', () => {
  test('are made with their topic id and found again after a crash and after a shutdown', async () => {
    const bed = new ManagerBed()
    const first = await bed.open()
    append(await first.getOrCreate('orders', 0, TOPIC_ID, TEST_CONFIG, true), { values: ['a'] })
    expect(bed.text('/data/orders-0/partition.metadata')).toBe(`version: 0\ntopic_id: ${TOPIC_ID}`)
    bed.disk.killProcess()
    const second = await bed.open()
    const log = second.get('orders', 0)
    expect(log?.topicId).toBe(TOPIC_ID)
    append(await second.getOrCreate('orders', 0, TOPIC_ID, TEST_CONFIG, false), { values: ['b'] })
    await second.shutdown()
    const third = await bed.open()
    expect(await readAll(await third.getOrCreate('orders', 0, TOPIC_ID, TEST_CONFIG, false))).toEqual(['a', 'b'])
  })

  test('of another topic with the same name are not given out', async () => {
    const bed = new ManagerBed()
    const manager = await bed.open()
    await manager.getOrCreate('orders', 0, TOPIC_ID, TEST_CONFIG, true)
    const other = manager.getOrCreate('orders', 0, 'bBh3nFQcTQ2nM9yNrl0Ghg', TEST_CONFIG, true)
    await expect(other).rejects.toMatchObject({ code: 'INCONSISTENT_TOPIC_ID' })
  })

  test('are made once where two ask at the same time', async () => {
    const manager = await new ManagerBed().open()
    const asked = [1, 2].map(() => manager.getOrCreate('orders', 0, TOPIC_ID, TEST_CONFIG, true))
    const [a, b] = await Promise.all(asked)
    expect(a).toBe(b)
  })

  test('are written at the end of the tick, each once', async () => {
    const bed = new ManagerBed()
    const manager = await bed.open()
    const logs = [0, 1].map((partition) => manager.getOrCreate('orders', partition, TOPIC_ID, TEST_CONFIG, true))
    const [a, b] = await Promise.all(logs)
    const before = bed.disk.counts.write
    for (const log of [a, b, a, b]) log?.appendAsLeader(batchOf(), 0)
    bed.clock.runDeferred()
    expect(bed.disk.counts.write - before).toBe(2)
    expect([a?.acknowledgeableOffset, b?.acknowledgeableOffset]).toEqual([2, 2])
  })

  test('that are deleted are renamed at once and removed after file.delete.delay.ms', async () => {
    const bed = new ManagerBed()
    const manager = await bed.open()
    const log = await manager.getOrCreate('orders', 0, TOPIC_ID, TEST_CONFIG, true)
    append(log)
    log.appendAsLeader(batchOf(), 0)
    await manager.delete('orders', 0)
    expect(manager.get('orders', 0)).toBeUndefined()
    const retired = bed.names('/data').filter((name) => name.startsWith('orders'))
    expect(retired).toEqual([expect.stringMatching(/^orders-0\.[0-9a-f]{32}-delete$/)])
    expect(bed.text('/data/recovery-point-offset-checkpoint')).toBe('0\n0\n')
    bed.clock.runDeferred()
    expect(manager.directories()).toMatchObject([{ online: true }])
    expect(log.appendAsLeader(batchOf(), 0)).toMatchObject({ error: 'KAFKA_STORAGE_ERROR' })
    bed.clock.advance(60_000)
    expect(bed.names('/data').filter((name) => name.startsWith('orders'))).toEqual([])
  })

  test('that are deleted are removed later where that cannot be done in time', async () => {
    const bed = new ManagerBed()
    const manager = await bed.open()
    for (const index of [0, 1]) await manager.getOrCreate('orders', index, TOPIC_ID, TEST_CONFIG, true)
    await manager.delete('orders', 0, 1)
    bed.disk.fault = (operation) => (operation === 'remove' ? 'EMFILE' : undefined)
    bed.clock.advance(60_000)
    bed.disk.fault = undefined
    bed.clock.advance(1000)
    expect(bed.names('/data').filter((name) => name.startsWith('orders'))).toEqual([])
  })

  test('that are deleted together cost one round of checkpoints', async () => {
    const bed = new ManagerBed()
    const manager = await bed.open()
    for (let index = 0; index < 20; index++) await manager.getOrCreate('orders', index, TOPIC_ID, TEST_CONFIG, true)
    const before = bed.disk.counts.sync
    await manager.delete('orders', ...Array.from({ length: 20 }, (_, index) => index))
    expect(bed.disk.counts.sync - before).toBeLessThan(10)
    expect(manager.logs()).toEqual([])
    expect(bed.names('/data').filter((name) => /^orders-\d+\..*-delete$/.test(name))).toHaveLength(20)
  })

  test('that are new cost one sync of their directory together, and those without records none', async () => {
    const bed = new ManagerBed()
    await (await bed.open()).shutdown()
    const manager = await bed.open()
    const syncs: string[] = []
    bed.disk.fault = (operation, path) => void (operation === 'sync' && syncs.push(path))
    for (let partition = 0; partition < 10; partition++) {
      const log = await manager.getOrCreate('orders', partition, TOPIC_ID, TEST_CONFIG, true)
      if (partition < 2) append(log)
    }
    await manager.shutdown()
    const ofDirectories = (name: string) => name === '/data' || !name.includes('.')
    expect(syncs.filter(ofDirectories).sort()).toEqual(['/data', '/data/orders-0', '/data/orders-1'])
  })

  test('that nobody wrote to cost nothing at the next shutdown', async () => {
    const bed = new ManagerBed()
    const first = await bed.open()
    for (let partition = 0; partition < 10; partition++) {
      append(await first.getOrCreate('orders', partition, TOPIC_ID, TEST_CONFIG, true))
    }
    await first.shutdown()
    const second = await bed.open()
    const opened: string[] = []
    bed.disk.fault = (operation, path) => void (path.includes('orders-') && operation !== 'read' && opened.push(path))
    await second.shutdown()
    expect(opened).toEqual([])
    expect(await readAll((await bed.open()).get('orders', 9) as PartitionLog)).toEqual(['a'])
  })

  test('whose deletion a crash interrupted are removed at the start', async () => {
    const bed = new ManagerBed()
    const manager = await bed.open()
    await manager.getOrCreate('orders', 0, TOPIC_ID, TEST_CONFIG, true)
    await manager.delete('orders', 0)
    bed.disk.killProcess()
    await bed.open()
    expect(bed.names('/data').filter((name) => name.startsWith('orders'))).toEqual([])
  })

  test('that the cluster does not know are set aside', async () => {
    const bed = new ManagerBed()
    const manager = await bed.open()
    await manager.getOrCreate('orders', 0, TOPIC_ID, TEST_CONFIG, true)
    await manager.getOrCreate('known', 0, TOPIC_ID, TEST_CONFIG, true)
    const strays = await manager.setAsideStrays(({ topic }) => topic !== 'known')
    expect(strays.map(({ topic }) => topic)).toEqual(['orders'])
    expect(bed.names('/data').some((name) => /^orders-0\..*-stray$/.test(name))).toBe(true)
    expect(manager.logs().map(({ topic }) => topic)).toEqual(['known'])
  })

  test('that are asked for while they are made are of the topic that was asked for', async () => {
    const bed = new ManagerBed()
    const manager = await bed.open()
    const made = manager.getOrCreate('orders', 0, TOPIC_ID, TEST_CONFIG, true)
    const other = manager.getOrCreate('orders', 0, OTHER_TOPIC_ID, TEST_CONFIG, true)
    await expect(other).rejects.toMatchObject({ code: 'INCONSISTENT_TOPIC_ID' })
    const config = { ...TEST_CONFIG, retentionMs: 77 }
    const again = manager.getOrCreate('orders', 0, TOPIC_ID, config, true)
    expect(await again).toBe(await made)
    expect((await made).config.retentionMs).toBe(77)
  })

  test('of raft are left alone', async () => {
    const bed = new ManagerBed()
    bed.disk.makeDirectory('/data/__cluster_metadata-0')
    const manager = await bed.open()
    expect(manager.logs()).toEqual([])
  })
})

describe('checkpoints', () => {
  test('are written at their intervals in the format of Kafka and read at the start', async () => {
    const bed = new ManagerBed()
    const manager = await bed.open()
    const log = await manager.getOrCreate('orders', 3, TOPIC_ID, TEST_CONFIG, true)
    for (let i = 0; i < 4; i++) append(log)
    log.updateHighWatermark(3)
    log.incrementLogStartOffset(2)
    log.roll()
    await log.flush()
    await bed.clock.run(60_000)
    expect(bed.text('/data/replication-offset-checkpoint')).toBe('0\n1\norders 3 3\n')
    expect(bed.text('/data/log-start-offset-checkpoint')).toBe('0\n1\norders 3 2\n')
    expect(bed.text('/data/recovery-point-offset-checkpoint')).toBe('0\n1\norders 3 4\n')
    bed.disk.killProcess()
    const again = (await bed.open()).get('orders', 3)
    expect([again?.highWatermark, again?.logStartOffset, again?.recoveryPoint]).toEqual([3, 2, 4])
  })

  test('that are damaged cost a recovery and no data', async () => {
    const bed = new ManagerBed()
    const manager = await bed.open()
    append(await manager.getOrCreate('orders', 0, TOPIC_ID, TEST_CONFIG, true), { values: ['a'] })
    await manager.shutdown()
    bed.disk.replaceFile('/data/recovery-point-offset-checkpoint', new TextEncoder().encode('0\n9\nx'))
    const log = (await bed.open()).get('orders', 0)
    expect(log?.logEndOffset).toBe(1)
  })

  test.each(['0\n9\nx', undefined])(
    'that are damaged or missing (%j) cost a compacted log nothing either, and are there again',
    async (content) => {
      const path = '/data/recovery-point-offset-checkpoint'
      const bed = new ManagerBed()
      await (await bed.open()).shutdown()
      bed.disk.remove('/data/.kafka_cleanshutdown')
      bed.disk.remove(path)
      if (content !== undefined) bed.disk.replaceFile(path, new TextEncoder().encode(content))
      bed.disk.makeDirectory('/data/orders-0')
      for (const offsets of [[0, 5], [6], [9]]) {
        const batches = Buffer.concat(offsets.map((baseOffset) => batchOf({ baseOffset })))
        bed.disk.replaceFile(`/data/orders-0/0000000000000000000${offsets[0]}.log`, batches)
      }
      const manager = await bed.open()
      expect(manager.get('orders', 0)?.logEndOffset).toBe(10)
      await manager.get('orders', 0)?.flush()
      expect(bed.disk.exists(path)).toBe(true)
    },
  )
})

describe('a shutdown', () => {
  test('leaves its mark with the broker epoch, which the next start takes away', async () => {
    const bed = new ManagerBed()
    const manager = await bed.open()
    expect(manager.brokerEpochAtShutdown).toBe(-1)
    await manager.shutdown(77)
    expect(bed.text('/data/.kafka_cleanshutdown')).toBe('{"version":0,"brokerEpoch":77}')
    expect((await bed.open()).brokerEpochAtShutdown).toBe(77)
    expect(bed.disk.exists('/data/.kafka_cleanshutdown')).toBe(false)
  })
})

describe('a log dir', () => {
  test('gets an id and keeps it', async () => {
    const bed = new ManagerBed()
    const [first] = (await bed.open()).directories()
    expect(readMetaProperties(bed.disk, '/data')).toEqual({ clusterId: CLUSTER_ID, nodeId: 1, directoryId: first?.id })
    bed.disk.killProcess()
    expect((await bed.open()).directories()).toEqual([first])
  })

  test('of another cluster, or node, is refused', async () => {
    const bed = new ManagerBed()
    bed.disk.makeDirectory('/data')
    writeMetaProperties(bed.disk, '/data', { clusterId: CLUSTER_ID, nodeId: 2, directoryId: undefined })
    await expect(bed.open()).rejects.toMatchObject({ code: 'INCONSISTENT_CLUSTER_ID' })
    await expect(bed.open({ clusterId: 'x', nodeId: 2 })).rejects.toMatchObject({ code: 'INCONSISTENT_CLUSTER_ID' })
  })

  test('that another process has is refused', async () => {
    const bed = new ManagerBed()
    await bed.open()
    await expect(bed.open()).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
  })

  test('takes new logs while it has fewer than others', async () => {
    const manager = await new ManagerBed().open({ logDirs: ['/a', '/b'] })
    for (const partition of [0, 1, 2, 3]) await manager.getOrCreate('orders', partition, TOPIC_ID, TEST_CONFIG, true)
    expect(manager.logs().map(({ parentDirectory }) => parentDirectory)).toEqual(['/a', '/b', '/a', '/b'])
  })

  test('that is cordoned takes no new logs, unless it is named or all of them are', async () => {
    const bed = new ManagerBed()
    const manager = await bed.open({ logDirs: ['/a', '/b'] })
    const made = async (partition: number, directoryId?: string) =>
      (await manager.getOrCreate('orders', partition, TOPIC_ID, TEST_CONFIG, true, directoryId)).parentDirectory
    manager.cordon(['/a'])
    expect([await made(0), await made(1)]).toEqual(['/b', '/b'])
    expect(manager.directories().map(({ isCordoned }) => isCordoned)).toEqual([true, false])
    expect(await made(2, manager.directories()[0]?.id ?? '')).toBe('/a')
    manager.cordon(['*'])
    expect(await made(3)).toBe('/a')
    manager.cordon([])
    expect(manager.directories().map(({ isCordoned }) => isCordoned)).toEqual([false, false])
  })

  test('that fails goes offline with its logs, and the rest goes on', async () => {
    const bed = new ManagerBed()
    const manager = await bed.open({ logDirs: ['/a', '/b'] })
    const failed: string[] = []
    manager.onLogDirFailure((path) => failed.push(path))
    const [a, b] = await Promise.all(
      [0, 1].map((partition) => manager.getOrCreate('orders', partition, TOPIC_ID, TEST_CONFIG, true)),
    )
    bed.disk.fault = (operation, path) => (operation === 'write' && path.startsWith('/a') ? 'EIO' : undefined)
    a?.appendAsLeader(batchOf(), 0)
    b?.appendAsLeader(batchOf(), 0)
    bed.clock.runDeferred()
    expect(failed).toEqual(['/a'])
    expect([a?.acknowledgeableOffset, b?.acknowledgeableOffset]).toEqual([0, 1])
    expect(a?.appendAsLeader(batchOf(), 0)).toMatchObject({ error: 'KAFKA_STORAGE_ERROR' })
    expect(manager.logs()).toEqual([b])
    expect(manager.directories().map(({ online }) => online)).toEqual([false, true])
    const lost = manager.getOrCreate('orders', 0, TOPIC_ID, TEST_CONFIG, false)
    await expect(lost).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
    await manager.shutdown()
    expect(bed.disk.exists('/a/.kafka_cleanshutdown')).toBe(false)
    expect(bed.disk.exists('/b/.kafka_cleanshutdown')).toBe(true)
  })

  test('that cannot be used at the start is offline, and with none usable there is no start', async () => {
    const bed = new ManagerBed()
    bed.disk.fault = (_, path) => (path.startsWith('/a') ? 'EIO' : undefined)
    const manager = await bed.open({ logDirs: ['/a', '/b'] })
    expect(manager.directories()).toMatchObject([{ path: '/a', id: null, online: false }, { online: true }])
    await expect(bed.open({ logDirs: ['/a'] })).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
  })
})

describe('a full disk', () => {
  test('leaves no torn batch, and nothing unwritten is acknowledged', async () => {
    const bed = new ManagerBed()
    const manager = await bed.open()
    const log = await manager.getOrCreate('orders', 0, TOPIC_ID, TEST_CONFIG, true)
    append(log, { values: ['a'] })
    bed.disk.capacityBytes = bed.disk.usedBytes() + 30
    log.appendAsLeader(batchOf(), 0)
    bed.clock.runDeferred()
    expect(log.acknowledgeableOffset).toBe(1)
    expect(manager.directories()).toMatchObject([{ online: false }])
    expect(bed.disk.readFile('/data/orders-0/00000000000000000000.log')).toHaveLength(batchOf().length)
  })

  test('is an error of the disk to who asks for a flush', async () => {
    const bed = new ManagerBed()
    const manager = await bed.open()
    const log = await manager.getOrCreate('orders', 0, TOPIC_ID, { ...TEST_CONFIG, flushMessages: 1 }, true)
    bed.disk.fault = (operation) => (operation === 'sync' ? 'EIO' : undefined)
    append(log)
    await expect(log.flush()).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR', cause: expect.any(DiskError) })
    expect(log.acknowledgeableOffset).toBe(0)
  })
})

describe('a process with too many open files', () => {
  const setUp = async (config = TEST_CONFIG) => {
    const bed = new ManagerBed({ openFilesMax: 24 })
    const manager = await bed.open()
    const logs: PartitionLog[] = []
    for (let partition = 0; partition < 30; partition++) {
      const log = await manager.getOrCreate('orders', partition, TOPIC_ID, config, true)
      append(log)
      await log.flush()
      logs.push(log)
    }
    return { bed, manager, logs }
  }

  test('holds any number of logs', async () => {
    const { bed, manager, logs } = await setUp()
    for (const log of logs) expect(await readAll(log)).toEqual(['a'])
    expect(bed.disk.openFiles).toBeLessThanOrEqual(18)
    await manager.shutdown()
    expect([bed.disk.openFiles, bed.problems]).toEqual([0, []])
    expect((await bed.open()).logs()).toHaveLength(30)
  })

  test('refuses what it cannot do now, says why, and goes on when it can', async () => {
    const { bed, manager, logs } = await setUp()
    const [log] = logs
    for (const held of logs.slice(-18)) held.appendAsLeader(batchOf(), 0)
    const release = bed.exhaust()
    expect(log?.appendAsLeader(batchOf(), 0)).toMatchObject({
      error: 'KAFKA_STORAGE_ERROR',
      message: expect.stringContaining('EMFILE'),
    })
    const refused = manager.getOrCreate('more', 0, TOPIC_ID, TEST_CONFIG, true)
    await expect(refused).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
    expect(bed.problems).toEqual([expect.stringContaining('ulimit -n')])
    expect(manager.directories()).toMatchObject([{ online: true }])
    release()
    expect(log?.appendAsLeader(batchOf(), 0)).toMatchObject({ ok: true, baseOffset: 1 })
    await expect(manager.getOrCreate('more', 0, TOPIC_ID, TEST_CONFIG, true)).resolves.toBeDefined()
  })

  test('syncs later what it cannot sync now', async () => {
    const { bed, logs } = await setUp({ ...TEST_CONFIG, flushMessages: 1 })
    const [log] = logs
    log?.appendAsLeader(batchOf(), 1)
    const release = bed.exhaust()
    await bed.clock.run(50)
    release()
    expect(log?.acknowledgeableOffset).toBe(1)
    await bed.clock.run(500)
    expect([log?.acknowledgeableOffset, log?.isFailed]).toEqual([2, false])
  })
})
