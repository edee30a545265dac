import { describe, expect, test } from '@jest/globals'
import { DiskError } from '../../../broker/env/disk.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { batchOf } from '../storage/fixture.ts'
import { TestCluster } from './cluster.ts'
import { TOPIC } from './fake-controller.ts'

async function threeBrokers(properties = ''): Promise<TestCluster> {
  const cluster = await TestCluster.start(3, { properties })
  cluster.createTopic([1, 2, 3])
  await cluster.run(100)
  return cluster
}

describe('a partition on three brokers', () => {
  test('is committed when all in-sync replicas have it, and is the same on all', async () => {
    const cluster = await threeBrokers()
    expect(await cluster.until(cluster.broker(1).produce(['a', 'b']))).toBe(ErrorCode.NONE)
    expect(await cluster.until(cluster.broker(1).produce(['c']))).toBe(ErrorCode.NONE)
    for (const id of [1, 2, 3]) expect(await cluster.until(cluster.broker(id).values())).toEqual(['a', 'b', 'c'])
  })

  test('is acknowledged as soon as the network allows, without a timer', async () => {
    const cluster = await threeBrokers()
    await cluster.until(cluster.broker(1).produce(['warm']))
    const startMs = cluster.world.clock.monotonicMs()
    await cluster.until(cluster.broker(1).produce(['a']))
    // An answer to the waiting fetch, and the next fetch: two ways through the network, of at most 2 ms each.
    expect(cluster.world.clock.monotonicMs() - startMs).toBeLessThan(6)
  })

  test('tells followers the high watermark with the next answer', async () => {
    const cluster = await threeBrokers()
    await cluster.until(cluster.broker(1).produce(['a']))
    await cluster.until(cluster.broker(1).produce(['b']))
    await cluster.run(1000)
    expect(cluster.broker(2).partition().log.highWatermark).toBe(2)
  })

  test('follows a new leader at once, though its fetcher is in a long poll for others', async () => {
    const cluster = await TestCluster.start(3)
    cluster.createTopic([1, 2, 3], 2)
    cluster.controller.change({ leader: 2 }, 1)
    await cluster.run(100)
    await cluster.until(cluster.broker(1).produce(['a']))
    cluster.controller.change({ leader: 2 })
    const startMs = cluster.world.clock.monotonicMs()
    await cluster.run(1)
    expect(await cluster.until(cluster.broker(2).produce(['b']))).toBe(ErrorCode.NONE)
    expect(cluster.world.clock.monotonicMs() - startMs).toBeLessThan(100)
  })
})

describe('the ISR', () => {
  test('loses a follower that does not fetch for replica.lag.time.max.ms, and the others go on', async () => {
    const cluster = await threeBrokers()
    await cluster.until(cluster.broker(1).produce(['a']))
    cluster.kill(3)
    const outcome = cluster.broker(1).produce(['b'], 0, 60_000)
    expect(await cluster.until(outcome)).toBe(ErrorCode.NONE)
    expect(cluster.controller.partition().isr).toEqual([1, 2])
    expect(cluster.broker(1).partition().state.isr).toEqual([1, 2])
  })

  test('takes a follower back that has caught up', async () => {
    const cluster = await threeBrokers()
    cluster.kill(3)
    await cluster.until(cluster.broker(1).produce(['a'], 0, 60_000))
    await cluster.boot(3)
    await cluster.run(2000)
    expect(cluster.controller.partition().isr).toEqual([1, 2, 3])
    expect(await cluster.until(cluster.broker(3).values())).toEqual(['a'])
  })

  test('is asked for again when the controller does not answer well', async () => {
    const cluster = await threeBrokers()
    cluster.kill(3)
    cluster.controller.refusals.push(ErrorCode.UNKNOWN_SERVER_ERROR, ErrorCode.UNKNOWN_SERVER_ERROR)
    await cluster.until(cluster.broker(1).produce(['a'], 0, 60_000))
    expect(cluster.controller.asked).toHaveLength(3)
  })

  test('is not asked for again while the metadata log has not told what was wrong', async () => {
    const cluster = await threeBrokers()
    cluster.kill(3)
    cluster.controller.refusals.push(ErrorCode.INVALID_UPDATE_VERSION)
    await cluster.until(cluster.broker(1).produce(['a'], 0, 50_000))
    expect(cluster.controller.asked).toHaveLength(1)
  })

  test('below min.insync.replicas ends the wait of those who were not acknowledged', async () => {
    const cluster = await threeBrokers('min.insync.replicas=2')
    cluster.kill(2)
    cluster.kill(3)
    const before = cluster.broker(1).produce(['a'], 0, 60_000)
    expect(await cluster.until(before)).toBe(ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND)
    expect(await cluster.until(cluster.broker(1).produce(['b']))).toBe(ErrorCode.NOT_ENOUGH_REPLICAS)
  })
})

describe('a log that has parted from the leader', () => {
  test('is cut to where they agree, and goes on from there', async () => {
    const cluster = await threeBrokers()
    await cluster.until(cluster.broker(1).produce(['a']))
    for (const id of [2, 3]) cluster.world.network.partition('b1', `b${id}`)
    const lost = cluster.broker(1).produce(['lost', 'lost'], 0, 100)
    expect(await cluster.until(lost)).toBe(ErrorCode.REQUEST_TIMED_OUT)
    cluster.controller.change({ leader: 2, isr: [2, 3] })
    await cluster.run(10)
    expect(await cluster.until(cluster.broker(2).produce(['b']))).toBe(ErrorCode.NONE)
    for (const id of [2, 3]) cluster.world.network.heal('b1', `b${id}`)
    await cluster.run(40_000)
    for (const id of [1, 2, 3]) expect(await cluster.until(cluster.broker(id).values())).toEqual(['a', 'b'])
    expect(new Set(cluster.controller.partition().isr)).toEqual(new Set([1, 2, 3]))
  })

  test('that ended with the epoch of a leader that wrote nothing goes on too', async () => {
    const cluster = await threeBrokers()
    await cluster.until(cluster.broker(1).produce(['a']))
    cluster.controller.change({ leader: 3 })
    await cluster.run(100)
    for (const id of [1, 2]) cluster.world.network.partition('b3', `b${id}`)
    cluster.controller.change({ leader: 3 })
    cluster.controller.change({ leader: 1 })
    await cluster.run(10)
    for (const id of [1, 2]) cluster.world.network.heal('b3', `b${id}`)
    expect(await cluster.until(cluster.broker(1).produce(['b'], 0, 50_000))).toBe(ErrorCode.NONE)
    for (const id of [1, 2, 3]) expect(await cluster.until(cluster.broker(id).values())).toEqual(['a', 'b'])
  })

  test('with an epoch that never was is cut where that begins', async () => {
    const cluster = await threeBrokers()
    await cluster.until(cluster.broker(1).produce(['a']))
    cluster.kill(3)
    await cluster.until(cluster.broker(1).produce(['b'], 0, 60_000))
    await cluster.boot(3)
    const { log } = cluster.broker(3).partition()
    log.appendAsLeader(batchOf({ values: ['never'] }), 99)
    await cluster.run(5000)
    expect(await cluster.until(cluster.broker(3).values())).toEqual(['a', 'b'])
  })

  test('begins anew where the leader has deleted what comes next', async () => {
    const cluster = await threeBrokers()
    cluster.kill(3)
    for (const value of ['a', 'b', 'c']) await cluster.until(cluster.broker(1).produce([value], 0, 60_000))
    const { log } = cluster.broker(1).partition()
    log.incrementLogStartOffset(2)
    await cluster.boot(3)
    await cluster.run(2000)
    expect(cluster.broker(3).partition().log).toMatchObject({ logStartOffset: 2, logEndOffset: 3 })
    expect(await cluster.until(cluster.broker(3).values())).toEqual(['c'])
  })

  test('begins anew where the leader has deleted what comes next, and the first records of a batch', async () => {
    const cluster = await threeBrokers()
    cluster.kill(3)
    await cluster.until(cluster.broker(1).produce(['a', 'b', 'c'], 0, 60_000))
    cluster.broker(1).partition().log.incrementLogStartOffset(1)
    await cluster.boot(3)
    await cluster.run(2000)
    expect(cluster.broker(3).partition().log).toMatchObject({ logStartOffset: 1, logEndOffset: 3 })
    expect(await cluster.until(cluster.broker(1).produce(['d']))).toBe(ErrorCode.NONE)
    expect(await cluster.until(cluster.broker(3).values())).toEqual(['a', 'b', 'c', 'd'])
  })
})

describe('a topic that is deleted', () => {
  test('is gone from all brokers, in the midst of replication', async () => {
    const cluster = await threeBrokers()
    void cluster.broker(1).produce(['a'])
    cluster.deleteTopic()
    await cluster.run(1000)
    for (const id of [1, 2, 3]) expect(cluster.broker(id).logs.get(TOPIC, 0)).toBeUndefined()
  })
})

describe('records that are deleted', () => {
  test('are so when the followers have followed', async () => {
    const cluster = await threeBrokers()
    for (const value of ['a', 'b', 'c']) await cluster.until(cluster.broker(1).produce([value]))
    expect(await cluster.until(cluster.broker(1).deleteRecords(2))).toMatchObject({
      errorCode: ErrorCode.NONE,
      lowWatermark: 2n,
    })
    for (const id of [1, 2, 3]) expect(cluster.broker(id).partition().log.logStartOffset).toBe(2)
  })

  test('are so where a follower has deleted them of itself, as its retention does', async () => {
    const cluster = await threeBrokers()
    for (const value of ['a', 'b', 'c']) await cluster.until(cluster.broker(1).produce([value]))
    await cluster.run(1000)
    for (const id of [2, 1]) cluster.broker(id).partition().log.incrementLogStartOffset(2)
    expect(await cluster.until(cluster.broker(1).deleteRecords(2))).toMatchObject({ errorCode: ErrorCode.NONE })
  })

  test('are not while a follower that is alive does not follow', async () => {
    const cluster = await threeBrokers()
    for (const value of ['a', 'b', 'c']) await cluster.until(cluster.broker(1).produce([value]))
    cluster.world.network.partition('b1', 'b3')
    const deleted = cluster.broker(1).deleteRecords(2)
    expect(await cluster.until(deleted)).toMatchObject({ errorCode: ErrorCode.REQUEST_TIMED_OUT })
  })

  test('are not waited for when nobody is there any more who has asked', async () => {
    const cluster = await threeBrokers()
    for (const value of ['a', 'b', 'c']) await cluster.until(cluster.broker(1).produce([value]))
    cluster.world.network.partition('b1', 'b3')
    const whenGone: (() => void)[] = []
    const deleted = cluster.broker(1).deleteRecords(2, { onAbandoned: (gone) => whenGone.push(gone) })
    const startMs = cluster.world.clock.monotonicMs()
    for (const gone of whenGone) gone()
    await cluster.until(deleted)
    expect(cluster.world.clock.monotonicMs() - startMs).toBeLessThan(100)
  })
})

/** What a broker has written itself, and not long ago, it believes to be there. */
async function reboot(cluster: TestCluster, id: number): Promise<void> {
  cluster.kill(id)
  await cluster.boot(id)
  await cluster.run(2000)
}

describe('a damaged batch', () => {
  test('at the leader is served to nobody, and is fetched again once another leads', async () => {
    const cluster = await threeBrokers()
    for (const value of ['a', 'b', 'c']) await cluster.until(cluster.broker(1).produce([value]))
    const large = 'x'.repeat(5000)
    await cluster.until(cluster.broker(1).produce([large]))
    await reboot(cluster, 1)
    cluster.broker(1).damage('b')
    expect(await cluster.until(cluster.broker(1).read(1))).toMatchObject({
      error: ErrorCode.KAFKA_STORAGE_ERROR,
      sizeInBytes: 0,
    })
    await cluster.run(5000)
    expect(cluster.controller.partition().leader).not.toBe(1)
    expect(new Set(cluster.controller.partition().isr)).toEqual(new Set([1, 2, 3]))
    expect(await cluster.until(cluster.broker(1).values())).toEqual(['a', 'b', 'c', large])
  })

  test('of the only replica is left, and readers hear what is the matter', async () => {
    const cluster = await TestCluster.start(1)
    cluster.createTopic([1])
    await cluster.run(100)
    for (const value of ['a', 'b', 'x'.repeat(5000)]) await cluster.until(cluster.broker(1).produce([value]))
    await reboot(cluster, 1)
    cluster.broker(1).damage('b')
    expect(await cluster.until(cluster.broker(1).read(1))).toMatchObject({ error: ErrorCode.CORRUPT_MESSAGE })
    expect(await cluster.until(cluster.broker(1).read(0))).toMatchObject({ error: ErrorCode.NONE, sizeInBytes: 69 })
  })
})

describe('a follower that is slow to flush', () => {
  test('tells a new leader only of what is durable', async () => {
    const cluster = await threeBrokers('log.flush.interval.messages=1')
    await cluster.until(cluster.broker(1).produce(['a']))
    cluster.diskOf(2).syncMsMax = 200_000
    void cluster.broker(1).produce(['b'])
    await cluster.run(100)
    const { log } = cluster.broker(2).partition()
    expect([log.logEndOffset, log.acknowledgeableOffset]).toEqual([2, 1])
    cluster.controller.change({ leader: 3 })
    await cluster.run(1000)
    expect(log.acknowledgeableOffset).toBe(1)
    expect(cluster.broker(3).partition().log.highWatermark).toBe(1)
  })
})

describe('a log dir that fails', () => {
  const failure = new DiskError('EIO', '/data', 'the disk is broken')

  test('takes its followers out of replication, and the others go on', async () => {
    const cluster = await threeBrokers()
    await cluster.until(cluster.broker(1).produce(['a']))
    const partition = cluster.broker(2).partition()
    partition.log.fail(failure)
    expect(await cluster.until(cluster.broker(1).produce(['b'], 0, 60_000))).toBe(ErrorCode.NONE)
    expect(partition.isOffline).toBe(true)
    expect(cluster.controller.partition().isr).toEqual([1, 3])
  })

  test('ends the waits for what its leader has not committed', async () => {
    const cluster = await threeBrokers()
    await cluster.until(cluster.broker(1).produce(['a']))
    for (const id of [2, 3]) cluster.world.network.partition('b1', `b${id}`)
    const pending = cluster.broker(1).produce(['b'])
    await cluster.run(10)
    cluster.broker(1).partition().log.fail(failure)
    expect(await cluster.until(pending)).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
  })
})
