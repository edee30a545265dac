import { expect, test } from '@jest/globals'
import { MetadataImage } from '../../../broker/metadata/image.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { settle } from '../../fakes/clock.ts'
import { feature } from '../metadata/records.ts'
import { Bench } from './bench.ts'
import { clusterOf, replayed } from './cluster.ts'

const REJECTED = -2

test('a node that does not lead refuses', async () => {
  const bench = new Bench(clusterOf([1]))
  const request = { topics: [], timeoutMs: 0, validateOnly: false }
  await expect(bench.controller.createTopics(request)).rejects.toMatchObject({ code: 'NOT_CONTROLLER' })
})

test('a change is answered when it is committed, and what follows sees it before', async () => {
  const bench = new Bench(clusterOf([1]))
  await bench.controller.activate()
  const first = bench.create('t')
  const second = bench.create('t')
  await settle()
  expect([first.errorCode, second.errorCode]).toEqual([undefined, undefined])
  expect(bench.quorum.types).toEqual(['Topic Partition'])
  await bench.quorum.commit()
  expect([first.errorCode, second.errorCode]).toEqual([ErrorCode.NONE, ErrorCode.TOPIC_ALREADY_EXISTS])
})

test('a change that is lost with the leadership is not answered as done', async () => {
  const bench = new Bench(clusterOf([1]))
  await bench.controller.activate()
  const answer = bench.create('t')
  await settle()
  bench.controller.deactivate()
  await bench.quorum.depose()
  expect(answer.errorCode).toBe(REJECTED)
})

test('a new cluster begins with what format left, in one transaction', async () => {
  const formatted = [feature('metadata.version', 30), feature('eligible.leader.replicas.version', 1)]
  const bench = new Bench(MetadataImage.EMPTY, { bootstrap: formatted })
  const active = bench.controller.activate()
  await bench.quorum.commit()
  await active
  expect(bench.quorum.types).toEqual(['BeginTransaction FeatureLevel FeatureLevel Config EndTransaction'])
})

test('without a bootstrap file a new cluster has the latest metadata.version', async () => {
  const bench = new Bench(MetadataImage.EMPTY)
  void bench.controller.activate()
  await settle()
  expect(bench.quorum.proposed[0]?.[1]).toMatchObject({ value: { name: 'metadata.version', featureLevel: 30 } })
})

test('a transaction that its controller left open is aborted', async () => {
  const bench = new Bench(clusterOf([1]), {}, { metadata: { image: clusterOf([1]), isInTransaction: true } })
  void bench.controller.activate()
  await settle()
  expect(bench.quorum.types).toEqual(['AbortTransaction'])
})

test('a broker that is silent for too long is fenced', async () => {
  const bench = new Bench(clusterOf([2]))
  await bench.controller.activate()
  await bench.clock.run(8000)
  expect(bench.quorum.types).toEqual([])
  await bench.clock.run(4000)
  expect(bench.quorum.types).toEqual(['BrokerRegistrationChange'])
})

test('a controller that stood still does not fence brokers that it could not hear', async () => {
  const bench = new Bench(clusterOf([2]))
  await bench.controller.activate()
  await bench.clock.run(2000)
  bench.clock.advance(30_000)
  await bench.clock.run(5000)
  expect(bench.quorum.types).toEqual([])
  await bench.clock.run(5000)
  expect(bench.quorum.types).toEqual(['BrokerRegistrationChange'])
})

test('a broker that sends heartbeats is not fenced', async () => {
  const bench = new Bench(clusterOf([2]))
  await bench.controller.activate()
  for (let n = 0; n < 5; n++) {
    bench.clock.advance(4000)
    const beat = { brokerId: 2, brokerEpoch: 102n, currentMetadataOffset: 0n, wantFence: false, wantShutDown: false }
    await bench.controller.brokerHeartbeat({ ...beat, offlineLogDirs: [], cordonedLogDirs: null })
  }
  expect(bench.quorum.types).toEqual([])
})

test('the broker of this process need not wait for the session of the one before it', async () => {
  const bench = new Bench(clusterOf([1]))
  await bench.controller.activate()
  const features = [
    { name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 30 },
    { name: 'kraft.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
  ]
  const answer = bench.controller.registerBroker({
    brokerId: 1,
    clusterId: 'cluster',
    incarnationId: 'j_hVpYGwT0euinZCkZYPEQ',
    listeners: [],
    features,
    rack: null,
    isMigratingZkBroker: false,
    logDirs: ['uEYGF8nYSKGSUEijCUSI2g'],
    previousBrokerEpoch: -1n,
  })
  await bench.quorum.commit()
  expect(await answer).toMatchObject({ errorCode: ErrorCode.NONE, brokerEpoch: 100n })
})

test('an idle log grows by a NoOpRecord an interval, a busy one by none', async () => {
  const bench = new Bench(clusterOf([1]), { maxIdleIntervalMs: 500 })
  await bench.controller.activate()
  const pass = async (ms: number) => {
    bench.clock.advance(ms)
    await bench.quorum.commit()
    await settle()
  }
  for (let n = 0; n < 3; n++) await pass(500)
  expect(bench.quorum.types).toEqual(['NoOp', 'NoOp', 'NoOp'])
  for (let n = 0; n < 4; n++) {
    bench.create(`t${n}`)
    await pass(400)
  }
  expect(bench.quorum.types.filter((type) => type === 'NoOp').length).toBe(3)
})

test('a controller that steps down has no timer left', async () => {
  const bench = new Bench(replayed([], clusterOf([2])), { maxIdleIntervalMs: 500 })
  await bench.controller.activate()
  bench.controller.deactivate()
  bench.clock.advance(60_000)
  await settle()
  expect(bench.quorum.types).toEqual([])
})

test('no second NoOpRecord is proposed before the first is committed', async () => {
  const bench = new Bench(clusterOf([1]), { maxIdleIntervalMs: 500 })
  await bench.controller.activate()
  for (let n = 0; n < 4; n++) {
    bench.clock.advance(500)
    await settle()
  }
  expect(bench.quorum.types).toEqual(['NoOp'])
})
