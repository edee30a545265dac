import { describe, expect, test } from '@jest/globals'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { PartitionLog } from '../../../broker/storage/log.ts'
import { append } from '../storage/fixture.ts'
import { type TestBroker, TestCluster } from './cluster.ts'

/** Broker 1 has written `lost` records that no other has, each a batch, and another leads that has written `kept`, one batch. */
async function parted(lost: readonly string[], kept: readonly string[]): Promise<TestCluster> {
  const cluster = await TestCluster.start(2)
  cluster.createTopic([1, 2])
  await cluster.run(100)
  await cluster.until(cluster.broker(1).produce(['a']))
  cluster.world.network.partition('b1', 'b2')
  for (const value of lost) await cluster.until(cluster.broker(1).produce([value], 0, 10))
  cluster.controller.change({ leader: 2, isr: [2] })
  await cluster.run(10)
  if (kept.length > 0) expect(await cluster.until(cluster.broker(2).produce(kept))).toBe(ErrorCode.NONE)
  return cluster
}

describe('a log that has parted from its leader, which has deleted records', () => {
  test('in the midst of a batch, up to where they part, begins anew', async () => {
    const cluster = await parted(['lost', 'lost', 'lost', 'lost'], ['b', 'c', 'd'])
    cluster.broker(2).partition().log.incrementLogStartOffset(2)
    cluster.world.network.heal('b1', 'b2')
    await cluster.run(40_000)
    expect(new Set(cluster.controller.partition().isr)).toEqual(new Set([1, 2]))
    expect(cluster.broker(1).partition().log).toMatchObject({ logStartOffset: 2, logEndOffset: 4 })
    expect(await cluster.until(cluster.broker(1).values())).toEqual(['b', 'c', 'd'])
  })
})

/** Broker 1 has a partition for itself, and an empty copy of it in its other log dir. */
async function moving(...values: readonly string[]): Promise<{
  readonly cluster: TestCluster
  readonly broker: TestBroker
  readonly future: PartitionLog
}> {
  const cluster = await TestCluster.start(1)
  cluster.createTopic([1])
  await cluster.run(100)
  const broker = cluster.broker(1)
  for (const value of values) await cluster.until(broker.produce([value]))
  const { log } = broker.partition()
  const path = log.parentDirectory === '/data' ? '/more' : '/data'
  return { cluster, broker, future: await cluster.until(broker.logs.createFuture(log, path)) }
}

describe('a replica that moves to another log dir', () => {
  test('has the epoch of a leader that wrote nothing there too', async () => {
    const { cluster, broker, future } = await moving('a')
    cluster.controller.change({ leader: 1 })
    await cluster.run(10)
    const { leaderEpoch } = broker.partition().state
    broker.replication.logDirMover.resume(broker.partition())
    await cluster.run(1000)
    const { log } = broker.partition()
    expect(log.parentDirectory).toBe(future.parentDirectory)
    expect(log.leaderEpochs.endOffsetFor(leaderEpoch, log.logEndOffset)).toEqual({ epoch: leaderEpoch, endOffset: 1 })
  })

  test('takes nothing along of what has been cut off to the last record', async () => {
    const { cluster, broker, future } = await moving('a')
    append(future)
    await cluster.until(broker.partition().log.truncateTo(0))
    broker.replication.logDirMover.resume(broker.partition())
    await cluster.run(1000)
    expect(broker.logger.messages('error')).toEqual([])
    expect(broker.partition().log).toMatchObject({ parentDirectory: future.parentDirectory, logEndOffset: 0 })
  })

  test('takes nothing along where all of it has been deleted, and nothing tells of its epochs', async () => {
    const { cluster, broker, future } = await moving('a')
    append(future)
    broker.partition().log.truncateFullyAndStartAt(1)
    broker.replication.logDirMover.resume(broker.partition())
    await cluster.run(1000)
    const { log } = broker.partition()
    expect(log).toMatchObject({ parentDirectory: future.parentDirectory, logStartOffset: 1, logEndOffset: 1 })
  })

  test('takes over what another leader has written, however often they have parted', async () => {
    const { cluster, broker, future } = await moving('a')
    for (const [epoch, value] of ['a', 'b', 'c', 'd', 'e', 'f'].entries())
      append(future, { values: [value] }, epoch < 5 ? 0 : 3)
    const { log: before } = broker.partition()
    for (const [index, value] of ['B', 'C', 'D', 'E', 'F', 'G', 'H'].entries())
      append(before, { values: [value] }, index < 4 ? 2 : 5)
    broker.replication.logDirMover.resume(broker.partition())
    await cluster.run(1000)
    const { log } = broker.partition()
    expect(log.parentDirectory).toBe(future.parentDirectory)
    expect(await cluster.until(broker.values())).toEqual(['a', 'B', 'C', 'D', 'E', 'F', 'G', 'H'])
  })

  test('begins anew where the copy ends in the midst of a batch of which the first records are deleted', async () => {
    const { cluster, broker, future } = await moving('a')
    append(future, { values: ['a'] })
    append(future, { values: ['cut off'] })
    cluster.controller.change({ leader: 1 })
    await cluster.run(10)
    await cluster.until(broker.produce(['b', 'c', 'd']))
    broker.partition().log.incrementLogStartOffset(2)
    broker.replication.logDirMover.resume(broker.partition())
    await cluster.run(1000)
    const { log } = broker.partition()
    expect(log).toMatchObject({ parentDirectory: future.parentDirectory, logStartOffset: 2, logEndOffset: 4 })
  })

  test('begins as its log does, which a cut may have let begin earlier', async () => {
    const { cluster, broker, future } = await moving('a', 'b')
    future.truncateFullyAndStartAt(1)
    broker.replication.logDirMover.resume(broker.partition())
    await cluster.run(1000)
    const { log } = broker.partition()
    expect(log).toMatchObject({ parentDirectory: future.parentDirectory, logStartOffset: 0, logEndOffset: 2 })
  })
})
