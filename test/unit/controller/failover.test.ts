import { describe, expect, test } from '@jest/globals'
import { ResourceType } from '../../../broker/metadata/image.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { settle } from '../../fakes/clock.ts'
import { record, uuid } from '../metadata/records.ts'
import { Bench } from './bench.ts'
import { clusterOf, topicWith } from './cluster.ts'

const ON_TWO = topicWith(9, { replicas: [2, 3] })

describe('a broker that died', () => {
  test('with the controller before this one is looked for as soon as this one is active', async () => {
    const watched: number[] = []
    const bench = new Bench(
      clusterOf([1, 2, 3, 4], [3]),
      {},
      {
        heartbeats: { watch: (id) => watched.push(id), isConnected: () => false },
      },
    )
    await bench.controller.activate()
    expect(watched).toEqual([2, 4])
  })

  test('is fenced at once when nobody listens there any more', async () => {
    const bench = new Bench(clusterOf([1, 2, 3], [], ON_TWO))
    await bench.controller.activate()
    await bench.beat(2)
    bench.controller.brokerUnreachable(2)
    bench.controller.brokerUnreachable(2)
    bench.controller.brokerUnreachable(7)
    expect(bench.quorum.types).toEqual(['PartitionChange BrokerRegistrationChange'])
  })

  test('is fenced by the time-out where this controller never heard of it', async () => {
    const bench = new Bench(clusterOf([1, 2]))
    await bench.controller.activate()
    for (let ms = 0; ms < 12_000; ms += 1000) {
      bench.clock.advance(1000)
      await settle()
    }
    expect(bench.quorum.types).toEqual(['BrokerRegistrationChange', 'BrokerRegistrationChange'])
  })
})

describe('leadership', () => {
  test('that comes back begins with what is committed, not with what was lost', async () => {
    const bench = new Bench(clusterOf([1]))
    await bench.controller.activate()
    const lost = bench.create('t')
    bench.controller.deactivate()
    await bench.quorum.depose()
    expect(lost.errorCode).toBe(-2)
    await bench.controller.activate()
    const again = bench.create('t')
    await settle()
    await bench.quorum.commit()
    expect(again.errorCode).toBe(ErrorCode.NONE)
  })

  test('is over when the quorum takes no records, told or not', async () => {
    const bench = new Bench(clusterOf([1]))
    await bench.controller.activate()
    const answer = bench.controller.allocateProducerIds({ brokerId: 1, brokerEpoch: 101n })
    const deposed = bench.quorum.depose()
    await expect(answer).rejects.toMatchObject({ code: 'NOT_CONTROLLER' })
    await deposed
    expect(bench.controller.isActive).toBe(false)
    expect(bench.quorum.resignations).toBe(1)
  })

  test('of before does not end the one of now', async () => {
    const bench = new Bench(clusterOf([1]))
    await bench.controller.activate()
    bench.create('t')
    bench.controller.deactivate()
    await bench.controller.activate()
    await bench.quorum.depose()
    expect(bench.controller.isActive).toBe(true)
  })

  test('given twice is taken twice', async () => {
    const bench = new Bench(clusterOf([1]))
    await bench.controller.activate()
    bench.image = clusterOf([1], [], topicWith(9, { replicas: [1] }))
    await bench.controller.activate()
    const answer = bench.create('topic-9')
    await settle()
    expect(answer.errorCode).toBe(ErrorCode.TOPIC_ALREADY_EXISTS)
  })
})

describe('controlled shutdown', () => {
  test('waits for the brokers that stay', async () => {
    const bench = new Bench(clusterOf([2, 3], [], ON_TWO))
    await bench.controller.activate()
    await bench.beat(3, { at: 99 })
    // How far the one that goes has read does not count.
    expect(await bench.beat(2, { at: 50, shutDown: true })).toMatchObject({ shouldShutDown: false })
    expect(await bench.beat(2, { at: 50, shutDown: true })).toMatchObject({ shouldShutDown: false })
    await bench.beat(3, { at: 101 })
    expect(await bench.beat(2, { at: 50, shutDown: true })).toMatchObject({ shouldShutDown: true })
  })

  test('leaves no session: the next incarnation may register at once', async () => {
    const bench = new Bench(clusterOf([2, 3]))
    await bench.controller.activate()
    await bench.beat(2)
    const register = async () => {
      const answer = bench.controller.registerBroker({
        brokerId: 2,
        clusterId: 'cluster',
        incarnationId: uuid(70),
        listeners: [],
        features: [
          { name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 30 },
          { name: 'kraft.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
        ],
        rack: null,
        isMigratingZkBroker: false,
        logDirs: [uuid(2)],
        previousBrokerEpoch: -1n,
      })
      await settle()
      await bench.quorum.commit()
      return (await answer).errorCode
    }
    expect(await register()).toBe(ErrorCode.DUPLICATE_BROKER_REGISTRATION)
    expect(await bench.beat(2, { shutDown: true })).toMatchObject({ shouldShutDown: true })
    expect(await register()).toBe(ErrorCode.NONE)
  })
})

describe('what is done without being asked', () => {
  test('preferred leaders lead again', async () => {
    const image = clusterOf([1, 2], [], topicWith(9, { replicas: [1, 2], leader: 2 }, { replicas: [2, 1] }))
    const bench = new Bench(image, { leaderImbalanceCheckIntervalMs: 5000 })
    await bench.controller.activate()
    bench.clock.advance(4999)
    expect(bench.quorum.types).toEqual([])
    bench.clock.advance(1)
    expect(bench.quorum.proposed).toMatchObject([[{ value: { partitionId: 0, leader: 1 } }]])
  })

  test('an unclean election comes as soon as it is allowed', async () => {
    const image = clusterOf([1, 2], [1], topicWith(9, { replicas: [1, 2], isr: [1], leader: -1 }))
    const bench = new Bench(image)
    await bench.controller.activate()
    const configs = [{ name: 'unclean.leader.election.enable', configOperation: 0, value: 'true' }]
    const resources = [{ resourceType: ResourceType.TOPIC, resourceName: 'topic-9', configs }]
    void bench.controller.incrementalAlterConfigs({ resources, validateOnly: false })
    bench.clock.advance(1)
    expect(bench.quorum.proposed[1]).toMatchObject([{ value: { leader: 2, isr: [2], leaderRecoveryState: 1 } }])
  })

  test('where it was allowed before, it comes every five minutes', async () => {
    const image = clusterOf([1, 2], [1], topicWith(9, { replicas: [1, 2], isr: [1], leader: -1 }))
    const bench = new Bench(image, { uncleanLeaderElectionEnable: true, brokerSessionTimeoutMs: 1e9 })
    await bench.controller.activate()
    bench.clock.advance(300_000)
    expect(bench.quorum.proposed[0]).toMatchObject([{ value: { leader: 2 } }])
  })
})

test('many changes of their own go into several batches, in order', async () => {
  const states = Array.from({ length: 10_001 }, () => ({ replicas: [2, 3] }))
  const bench = new Bench(clusterOf([1, 2, 3], [], topicWith(9, ...states)))
  await bench.controller.activate()
  bench.controller.brokerUnreachable(2)
  expect(bench.quorum.proposed.map((batch) => batch.length)).toEqual([10_000, 2])
  expect(bench.quorum.proposed[1]?.map(({ type }) => type)).toEqual([
    'PartitionChangeRecord',
    'BrokerRegistrationChangeRecord',
  ])
})

test('a leader changes its ISR through the controller, and hears of it once it is committed', async () => {
  const bench = new Bench(clusterOf([2, 3], [], ON_TWO))
  await bench.controller.activate()
  const partition = { partitionIndex: 0, leaderEpoch: 0, newIsrWithEpochs: [], newIsr: [2], leaderRecoveryState: 0 }
  const ask = (brokerEpoch: bigint) =>
    bench.controller.alterPartition({
      brokerId: 2,
      brokerEpoch,
      topics: [{ topicId: uuid(9), partitions: [{ ...partition, partitionEpoch: 0 }] }],
    })
  expect(await ask(5n)).toMatchObject({ errorCode: ErrorCode.STALE_BROKER_EPOCH })
  const answer = ask(102n)
  await settle()
  await bench.quorum.commit()
  expect((await answer).topics?.[0]?.partitions).toMatchObject([{ isr: [2], partitionEpoch: 1 }])
})

test('log directories of a heartbeat fail before the broker may lead', async () => {
  const leaderless = topicWith(9, { replicas: [2], isr: [2], leader: -1 })
  const twoDirs = {
    brokerId: 2,
    incarnationId: uuid(102),
    brokerEpoch: 102n,
    endPoints: [],
    features: [],
    rack: null,
    fenced: true,
    logDirs: [uuid(2), uuid(52)],
  }
  const bench = new Bench(clusterOf([2], [2], [record('RegisterBrokerRecord', twoDirs, 4), ...leaderless]))
  await bench.controller.activate()
  void bench.controller.brokerHeartbeat({
    brokerId: 2,
    brokerEpoch: 102n,
    currentMetadataOffset: 1000n,
    wantFence: false,
    wantShutDown: false,
    offlineLogDirs: [uuid(2)],
    cordonedLogDirs: null,
  })
  expect(bench.quorum.types).toEqual(['BrokerRegistrationChange', 'BrokerRegistrationChange'])
})
