import { describe, expect, test } from '@jest/globals'
import { alterReplicaLogDirsHandler } from '../../../broker/handlers/alter-replica-log-dirs.ts'
import { describeLogDirsHandler } from '../../../broker/handlers/describe-log-dirs.ts'
import { MetadataImage } from '../../../broker/metadata/image.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { batchOf, readAll, TEST_CONFIG } from '../storage/fixture.ts'
import { type TestBroker, TestCluster } from './cluster.ts'
import { TOPIC } from './fake-controller.ts'

async function move(broker: TestBroker, path: string, partition = 0): Promise<unknown> {
  const { logs } = broker
  const { replicas, logDirMover } = broker.replication
  const handler = alterReplicaLogDirsHandler({ logs, replicas, logDirMover })
  const answer = await handler.handle(
    { dirs: [{ path, topics: [{ name: TOPIC, partitions: [partition] }] }] },
    {} as never,
  )
  return typeof answer === 'string' ? answer : answer.results?.[0]?.partitions?.[0]?.errorCode
}

function elsewhere(broker: TestBroker): string {
  return broker.partition().log.parentDirectory === '/data' ? '/more' : '/data'
}

async function twoBrokers(properties = ''): Promise<TestCluster> {
  const cluster = await TestCluster.start(2, { properties })
  cluster.createTopic([1, 2])
  await cluster.run(100)
  for (const value of ['a', 'b', 'c']) await cluster.until(cluster.broker(1).produce([value]))
  return cluster
}

describe('a move to another log dir', () => {
  test.each([1, 2])('of broker %i takes all records along, and replication goes on', async (id) => {
    const cluster = await twoBrokers()
    const broker = cluster.broker(id)
    const path = elsewhere(broker)
    expect(await cluster.until(move(broker, path))).toBe(ErrorCode.NONE)
    await cluster.run(1000)
    expect(broker.partition().log.parentDirectory).toBe(path)
    expect(broker.logs.futures()).toEqual([])
    expect(await cluster.until(cluster.broker(1).produce(['d']))).toBe(ErrorCode.NONE)
    expect(await cluster.until(broker.values())).toEqual(['a', 'b', 'c', 'd'])
  })

  test('begins in the midst of a batch whose first records are deleted', async () => {
    const cluster = await twoBrokers()
    const broker = cluster.broker(2)
    const path = elsewhere(broker)
    await cluster.until(cluster.broker(1).produce(['d', 'e']))
    await cluster.until(cluster.broker(1).deleteRecords(4))
    expect(await cluster.until(move(broker, path))).toBe(ErrorCode.NONE)
    await cluster.run(1000)
    expect(broker.partition().log).toMatchObject({ parentDirectory: path, logStartOffset: 4, logEndOffset: 5 })
  })

  test('knows the batches that producers may send again', async () => {
    const cluster = await twoBrokers()
    const broker = cluster.broker(1)
    const path = elsewhere(broker)
    const append = (baseSequence: number): unknown =>
      broker.partition().append(batchOf({ producerId: 7, producerEpoch: 0, baseSequence }), false)
    for (const sequence of [0, 1, 2]) append(sequence)
    await cluster.until(move(broker, path))
    await cluster.run(1000)
    expect(broker.partition().log.parentDirectory).toBe(path)
    for (const sequence of [0, 1, 2])
      expect(append(sequence)).toMatchObject({ error: ErrorCode.NONE, baseOffset: 3 + sequence })
    expect(broker.partition().log.logEndOffset).toBe(6)
  })

  test('leaves the settings of the topic as they are, which may change meanwhile', async () => {
    const cluster = await twoBrokers()
    cluster.diskOf(2).syncMsMax = 20
    const broker = cluster.broker(2)
    const path = elsewhere(broker)
    const keep = (retentionMs: number): void => broker.partition().log.updateConfig({ ...TEST_CONFIG, retentionMs })
    const moved = move(broker, path)
    for (let ms = 0; broker.partition().log.parentDirectory !== path && ms < 1000; ms++) {
      keep(ms)
      expect(broker.partition().log.config.retentionMs).toBe(ms)
      await cluster.run(1)
      expect(broker.partition().log.config.retentionMs).toBe(ms)
    }
    expect(await cluster.until(moved)).toBe(ErrorCode.NONE)
    expect(broker.partition().log.parentDirectory).toBe(path)
  })

  test('is heard of by the controller', async () => {
    const cluster = await twoBrokers()
    const broker = cluster.broker(2)
    const path = elsewhere(broker)
    await cluster.until(move(broker, path))
    await cluster.run(1000)
    const id = broker.logs.directories().find((directory) => directory.path === path)?.id
    expect(cluster.controller.partition().directories[1]).toBe(id)
  })

  test('loses nothing of what is produced meanwhile', async () => {
    const cluster = await twoBrokers()
    const broker = cluster.broker(1)
    const moved = move(broker, elsewhere(broker))
    const outcomes: Promise<ErrorCode>[] = []
    for (let n = 0; n < 50; n++) {
      outcomes.push(broker.produce([`v${n}`]))
      await cluster.run(1)
    }
    await cluster.until(moved)
    expect(new Set(await cluster.until(Promise.all(outcomes)))).toEqual(new Set([ErrorCode.NONE]))
    await cluster.run(1000)
    const all = await cluster.until(broker.values())
    expect(all).toEqual(['a', 'b', 'c', ...Array.from({ length: 50 }, (_, n) => `v${n}`)])
    expect(await cluster.until(cluster.broker(2).values())).toEqual(all)
  })

  test.each([1, 2])('of broker %i to a disk that fails at the end leaves the replica where it was', async (id) => {
    const cluster = await twoBrokers()
    const broker = cluster.broker(id)
    const back = broker.partition().log.parentDirectory
    const path = elsewhere(broker)
    cluster.diskOf(id).fault = (operation, of) =>
      operation === 'list' && of === `${path}/${TOPIC}-0` ? 'EIO' : undefined
    expect(await cluster.until(move(broker, path))).toBe(ErrorCode.NONE)
    await cluster.run(5000)
    expect(broker.logs.directories().find((directory) => directory.path === path)?.online).toBe(false)
    expect(broker.partition().log.parentDirectory).toBe(back)
    expect(await cluster.until(cluster.broker(1).produce(['d']))).toBe(ErrorCode.NONE)
    expect(await cluster.until(broker.values())).toEqual(['a', 'b', 'c', 'd'])
  })

  test('that is asked for twice at a time is made once', async () => {
    const cluster = await twoBrokers()
    const broker = cluster.broker(1)
    const path = elsewhere(broker)
    const moves = Promise.all([move(broker, path), move(broker, path)])
    expect(await cluster.until(moves)).toEqual([ErrorCode.NONE, ErrorCode.NONE])
    await cluster.run(1000)
    expect(broker.partition().log.parentDirectory).toBe(path)
    expect(broker.logs.futures()).toEqual([])
  })

  test.each([0, 1, 2, 5, 10, 20, 40])('can be taken back after %d ms', async (ms) => {
    const cluster = await twoBrokers()
    cluster.diskOf(2).syncMsMax = 20
    const broker = cluster.broker(2)
    const back = broker.partition().log.parentDirectory
    const moved = move(broker, elsewhere(broker))
    await cluster.run(ms)
    const returned = move(broker, back)
    expect(await cluster.until(Promise.all([moved, returned]))).toEqual([ErrorCode.NONE, ErrorCode.NONE])
    await cluster.run(5000)
    expect(broker.logs.directories().map(({ online }) => online)).toEqual([true, true])
    expect([broker.partition().log.parentDirectory, broker.logs.futures()]).toEqual([back, []])
    expect(await cluster.until(cluster.broker(1).produce(['d']))).toBe(ErrorCode.NONE)
    expect(await cluster.until(broker.values())).toEqual(['a', 'b', 'c', 'd'])
  })

  test('can be taken back while the copy waits for its turn', async () => {
    const cluster = await twoBrokers()
    const broker = cluster.broker(2)
    const back = broker.partition().log.parentDirectory
    const held = Promise.withResolvers<void>()
    const before = broker.partition().replaceLog(async (log) => {
      await held.promise
      return log
    })
    await cluster.until(broker.logs.createFuture(broker.partition().log, elsewhere(broker)))
    broker.replication.logDirMover.resume(broker.partition())
    await cluster.run(1000)
    const returned = move(broker, back)
    held.resolve()
    await cluster.until(before)
    expect(await cluster.until(returned)).toBe(ErrorCode.NONE)
    await cluster.run(5000)
    expect(broker.logs.directories().map(({ online }) => online)).toEqual([true, true])
    expect([broker.partition().log.parentDirectory, broker.logs.futures()]).toEqual([back, []])
  })

  test.each([0, 1, 2, 5, 10, 20, 40])('ends with its replica after %d ms', async (ms) => {
    const cluster = await twoBrokers()
    cluster.diskOf(2).syncMsMax = 20
    const broker = cluster.broker(2)
    const moved = move(broker, elsewhere(broker))
    await cluster.run(ms)
    cluster.deleteTopic()
    expect(await cluster.until(moved)).toBe(ErrorCode.NONE)
    await cluster.run(5000)
    expect(broker.logs.directories().map(({ online }) => online)).toEqual([true, true])
    expect([broker.logs.logs(), broker.logs.futures()]).toEqual([[], []])
  })

  test('of a replica that goes before the copy is there leaves nothing behind', async () => {
    const cluster = await twoBrokers()
    const broker = cluster.broker(1)
    const moved = move(broker, elsewhere(broker))
    broker.replication.replicas.drop(TOPIC, 0, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect(await cluster.until(moved)).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
    expect(broker.logs.futures()).toEqual([])
  })

  test('survives a restart', async () => {
    const cluster = await twoBrokers('log.retention.ms=1234\n')
    const path = elsewhere(cluster.broker(2))
    const { log } = cluster.broker(2).partition()
    const future = await cluster.until(cluster.broker(2).logs.createFuture(log, path))
    await cluster.until(future.flush())
    cluster.kill(2)
    const broker = await cluster.boot(2)
    await cluster.run(1000)
    expect(broker.partition().log.parentDirectory).toBe(path)
    expect(broker.partition().log.config.retentionMs).toBe(1234)
    expect(await cluster.until(readAll(broker.partition().log))).toEqual(['a', 'b', 'c'])
  })

  test('ends where its log was lost with a disk, and made anew where the copy is', async () => {
    const cluster = await TestCluster.start(2)
    cluster.broker(2).logs.cordon(['/more'])
    cluster.createTopic([1, 2], 4)
    await cluster.run(100)
    for (const index of [0, 1, 2, 3]) await cluster.until(cluster.broker(1).produce(['a'], index))
    const futures = [2, 3].map((index) =>
      cluster.broker(2).logs.createFuture(cluster.broker(2).partition(index).log, '/more'),
    )
    for (const future of await cluster.until(Promise.all(futures))) await cluster.until(future.flush())
    cluster.kill(2)
    const disk = cluster.diskOf(2)
    for (const { name } of disk.list('/data')) disk.remove(`/data/${name}`)
    const broker = await cluster.boot(2)
    await cluster.run(10_000)
    expect(broker.logs.directories().map(({ online }) => online)).toEqual([true, true])
    expect(broker.logs.futures()).toEqual([])
    const places = [0, 1, 2, 3].map((index) => broker.partition(index).log.parentDirectory)
    expect(places).toEqual(['/data', '/data', '/more', '/more'])
    for (const index of [0, 1, 2, 3]) expect(await cluster.until(broker.values(index))).toEqual(['a'])
  })

  test('comes across damage, which is fetched again, and goes on', async () => {
    const cluster = await twoBrokers()
    const large = 'x'.repeat(5000)
    await cluster.until(cluster.broker(1).produce([large]))
    cluster.kill(2)
    const broker = await cluster.boot(2)
    await cluster.run(2000)
    broker.damage('b')
    const path = elsewhere(broker)
    await cluster.until(move(broker, path))
    await cluster.run(5000)
    expect(broker.partition().log.parentDirectory).toBe(path)
    expect(await cluster.until(broker.values())).toEqual(['a', 'b', 'c', large])
  })

  test('comes across a segment that cannot be read, which is fetched again, and goes on', async () => {
    const cluster = await twoBrokers()
    cluster.broker(2).partition().log.roll()
    await cluster.until(cluster.broker(1).produce(['d']))
    cluster.kill(2)
    const broker = await cluster.boot(2)
    await cluster.run(2000)
    const { log } = broker.partition()
    expect(log.segmentBaseOffsets).toEqual([0, 3])
    cluster.diskOf(2).spoilSector(`${log.directory}/00000000000000000000.log`, 0)
    const path = elsewhere(broker)
    await cluster.until(move(broker, path))
    await cluster.run(5000)
    expect(broker.partition().log.parentDirectory).toBe(path)
    expect(await cluster.until(broker.values())).toEqual(['a', 'b', 'c', 'd'])
    expect(broker.logs.directories().map(({ online }) => online)).toEqual([true, true])
  })

  test('waits for somebody to mend a damaged log whose only replica is here, and does not say so all the time', async () => {
    const cluster = await TestCluster.start(1)
    cluster.createTopic([1])
    await cluster.run(100)
    const broker = cluster.broker(1)
    const large = 'x'.repeat(5000)
    for (const value of ['a', 'b', large]) await cluster.until(broker.produce([value]))
    broker.damage('b')
    await cluster.until(move(broker, elsewhere(broker)))
    await cluster.run(10_000)
    const errors = broker.logger.messages('error').filter((message) => message.startsWith('the move'))
    expect(errors.length).toBeGreaterThan(1)
    expect(errors.length).toBeLessThan(6)
    expect(broker.logs.futures()).toHaveLength(1)
  })

  test('to a log dir that takes no new replicas is refused', async () => {
    const cluster = await twoBrokers()
    const broker = cluster.broker(1)
    broker.logs.cordon(['*'])
    const refused = await cluster.until(move(broker, elsewhere(broker)))
    expect(refused).toBe(ErrorCode.INVALID_REPLICA_ASSIGNMENT)
  })

  test('to where there is no log dir is refused, and so is that of a partition that is not there', async () => {
    const cluster = await twoBrokers()
    expect(await cluster.until(move(cluster.broker(1), '/nowhere'))).toBe(ErrorCode.LOG_DIR_NOT_FOUND)
    expect(await cluster.until(move(cluster.broker(1), '/data', 5))).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  })

  test('is told of while it lasts', async () => {
    const cluster = await twoBrokers()
    const broker = cluster.broker(1)
    await cluster.until(broker.logs.createFuture(broker.partition().log, elsewhere(broker)))
    const answer = await describeLogDirsHandler({ logs: broker.logs, image: () => MetadataImage.EMPTY }).handle(
      { topics: null },
      {} as never,
    )
    if (typeof answer === 'string') throw new Error(answer)
    const replicas = answer.results?.flatMap(
      ({ topics }) => topics?.flatMap(({ partitions }) => partitions ?? []) ?? [],
    )
    expect(replicas?.map(({ isFutureKey, offsetLag }) => [isFutureKey, offsetLag]).toSorted()).toEqual([
      [false, 0n],
      [true, 3n],
    ])
  })
})
