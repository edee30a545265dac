import { beforeEach, describe, expect, test } from '@jest/globals'
import { AdminClient, type AdminClientOptions } from '../../../broker/client/admin-client.ts'
import { KafkaError } from '../../../broker/client/kafka-error.ts'
import type { Connection } from '../../../broker/env/network.ts'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { SimClock } from '../../fakes/clock.ts'
import { SimWorld } from '../../fakes/env.ts'
import { SimRandom } from '../../fakes/random.ts'
import { FakeBroker, FakeNetwork } from './fake-broker.ts'

type Handlers = ConstructorParameters<typeof FakeBroker>[0]

const topicId = 'AAAAAAAAAAAAAAAAAAAABA'
let network: FakeNetwork
let clock: SimClock
let admin: AdminClient

beforeEach(() => {
  network = new FakeNetwork()
  clock = new SimClock()
  admin = create({})
})

function create(options: Partial<AdminClientOptions>): AdminClient {
  const bootstrap = ['b1', 'b2'].map((host) => ({ host, port: 9092 }))
  return new AdminClient({ bootstrap, ...options }, { network, clock, random: new SimRandom(1) })
}

function serve(name: string, handlers: Handlers): FakeBroker {
  const broker = new FakeBroker({ [ApiKey.DescribeCluster]: describeCluster, ...handlers })
  network.brokers.set(`${name}:9092`, broker)
  return broker
}

function describeCluster() {
  const brokers = [1, 2].map((brokerId) => ({ brokerId, host: `b${brokerId}`, port: 9092 }))
  return { clusterId: 'c', controllerId: 1, brokers }
}

function run<T>(operation: Promise<T>): Promise<T> {
  return clock.runFor(operation, 200_000)
}

describe('AdminClient', () => {
  test('takes whichever bootstrap broker answers', async () => {
    serve('b2', {})
    const description = await run(admin.describeCluster())
    expect(description).toMatchObject({ clusterId: 'c', controllerId: 1 })
    expect(description.brokers.map(({ id, host }) => `${id} ${host}`)).toEqual(['1 b1', '2 b2'])
  })

  test('gives up when no broker can be reached in time', async () => {
    await expect(run(admin.describeCluster())).rejects.toMatchObject({ code: 'NETWORK_EXCEPTION' })
    expect(clock.monotonicMs()).toBeGreaterThan(55_000)
    expect(clock.monotonicMs()).toBeLessThanOrEqual(60_000)
  })

  test('gives up in time while a broker takes its time to answer', async () => {
    for (const name of ['b1', 'b2']) serve(name, { [ApiKey.DescribeCluster]: () => 'silence' })
    const hasty = create({ timeoutMs: 40_000 })
    await expect(run(hasty.describeCluster())).rejects.toMatchObject({ code: 'REQUEST_TIMED_OUT' })
    expect(clock.monotonicMs()).toBe(40_000)
  })

  test('gives what it had when time is up, and does not change it when more comes', async () => {
    let asked = 0
    const codes = [ErrorCode.NOT_CONTROLLER, ErrorCode.NONE]
    serve('b1', {
      [ApiKey.CreatePartitions]: ({ topics }) => ({
        results: topics.map(({ name }) => ({ name, errorCode: codes[asked++] ?? 0 })),
      }),
    })
    const bootstrap = [{ host: 'b1', port: 9092 }]
    const hasty = create({ bootstrap, timeoutMs: 1000 })
    const connected: Connection[] = []
    const connect = network.connect.bind(network)
    network.connect = async (address) => {
      if (connected.length > 0) await new Promise<void>((resolve) => clock.setTimer(5000, resolve))
      const connection = await connect(address)
      connected.push(connection)
      return connection
    }
    clock.setTimer(1, () => connected[0]?.destroy())
    const outcomes = await run(hasty.createPartitions([{ name: 'a', totalCount: 5 }]))
    expect(clock.monotonicMs()).toBe(1000)
    await clock.run(10_000)
    expect(asked).toBe(2)
    expect(outcomes.get('a')).toMatchObject({ code: 'NOT_CONTROLLER' })
  })

  test('uses a broker that comes up meanwhile', async () => {
    clock.setTimer(5000, () => serve('b1', {}))
    await run(admin.describeCluster())
    expect(clock.monotonicMs()).toBeLessThan(7000)
  })

  test('uses one connection for several operations', async () => {
    const broker = serve('b1', {})
    serve('b2', {})
    await run(admin.describeCluster())
    await run(Promise.all([admin.describeCluster(), admin.describeCluster(), admin.describeCluster()]))
    expect(broker.connections).toBeLessThanOrEqual(1)
  })

  test('makes one connection for operations that begin together', async () => {
    const broker = serve('b1', {})
    await run(Promise.all([admin.describeCluster(), admin.describeCluster(), admin.describeCluster()]))
    expect(broker.connections).toBe(1)
  })

  test('does not repeat what cannot pass', async () => {
    const broker = serve('b1', {
      [ApiKey.DescribeCluster]: () => ({ errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, errorMessage: 'no' }),
    })
    const failure = run(admin.describeCluster())
    await expect(failure).rejects.toMatchObject({ code: 'CLUSTER_AUTHORIZATION_FAILED', message: 'no' })
    expect(broker.requests).toEqual(['ApiVersions/4', 'DescribeCluster/2'])
  })

  test('creates topics, and repeats those alone that failed for a reason that may pass', async () => {
    const asked: string[] = []
    serve('b1', {
      [ApiKey.CreateTopics]: ({ topics, validateOnly }) => {
        asked.push(`${topics.map(({ name, numPartitions }) => `${name}:${numPartitions}`).join()} ${validateOnly}`)
        const codes: Record<string, number> = { b: ErrorCode.TOPIC_ALREADY_EXISTS }
        if (asked.length === 1) codes['c'] = ErrorCode.NOT_CONTROLLER
        return {
          topics: topics.map(({ name }) => ({ name, topicId, numPartitions: 3, errorCode: codes[name] ?? 0 })),
        }
      },
    })
    const created = await run(admin.createTopics([{ name: 'a', partitions: 3 }, { name: 'b' }, { name: 'c' }]))
    expect(asked).toEqual(['a:3,b:-1,c:-1 false', 'c:-1 false'])
    expect(created.get('a')).toEqual({ topicId, partitions: 3, replicationFactor: -1 })
    expect(created.get('b')).toMatchObject({ code: 'TOPIC_ALREADY_EXISTS' })
    expect(created.get('c')).toMatchObject({ partitions: 3 })
  })

  test('gives the last error of an item when time is up', async () => {
    serve('b1', {
      [ApiKey.CreatePartitions]: ({ topics }) => ({
        results: topics.map(({ name }) => ({ name, errorCode: name === 'a' ? 0 : ErrorCode.NOT_CONTROLLER })),
      }),
    })
    const outcomes = await run(admin.createPartitions(['a', 'b'].map((name) => ({ name, totalCount: 5 }))))
    expect([...outcomes]).toEqual([
      ['a', null],
      ['b', expect.objectContaining({ code: 'NOT_CONTROLLER' })],
    ])
  })

  test('describes topics; one that there is not is an answer, and is not created', async () => {
    const broker = serve('b1', {
      [ApiKey.Metadata]: ({ topics, allowAutoTopicCreation }) => {
        expect(allowAutoTopicCreation).toBe(false)
        const partitions = [2, 0, 1].map((partitionIndex) => ({
          partitionIndex,
          leaderId: 1,
          replicaNodes: [1],
          isrNodes: [1],
        }))
        return {
          topics: (topics ?? []).map(({ name }) =>
            name === 'a' ? { name, topicId, partitions } : { name, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
          ),
        }
      },
    })
    const topics = await run(admin.metadata(['a', 'b']))
    const a = topics.get('a')
    expect(a instanceof KafkaError ? [] : a?.partitions.map(({ partition }) => partition)).toEqual([0, 1, 2])
    expect(topics.get('b')).toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
    expect(broker.requests).toEqual(['ApiVersions/4', 'Metadata/13'])
  })

  test('lists topics without the internal ones', async () => {
    const topics = [
      { name: 'b', topicId },
      { name: '__consumer_offsets', isInternal: true },
      { name: 'a', topicId },
    ]
    serve('b1', { [ApiKey.Metadata]: () => ({ topics }) })
    expect(await run(admin.listTopics())).toEqual(['a', 'b'])
    expect(await run(admin.listTopics({ includeInternal: true }))).toEqual(['__consumer_offsets', 'a', 'b'])
  })

  test('deletes topics by id: one that is gone is told by its id', async () => {
    const [gone, errorCode] = ['AAAAAAAAAAAAAAAAAAAABQ', ErrorCode.UNKNOWN_TOPIC_ID]
    serve('b1', {
      [ApiKey.DeleteTopics]: ({ topics }) => ({
        responses: topics.map(({ name, topicId: id }) =>
          id === gone ? { name, topicId: id, errorCode } : { name: 'a', topicId: id },
        ),
      }),
    })
    const outcomes = await run(admin.deleteTopics([topicId, gone]))
    expect(outcomes.get(topicId)).toBeNull()
    expect(outcomes.get(gone)).toMatchObject({ code: 'UNKNOWN_TOPIC_ID' })
  })

  test('asks a broker itself for its configuration, any broker for that of topics', async () => {
    const handlers: Handlers = {
      [ApiKey.DescribeConfigs]: ({ resources }) => ({
        results: resources.map(({ resourceName, resourceType }) => ({
          resourceName,
          resourceType,
          configs: [{ name: 'k', value: 'v', configSource: 5 }],
        })),
      }),
    }
    serve('b1', handlers)
    const second = serve('b2', handlers)
    const entry = { name: 'k', value: 'v', source: 'DEFAULT_CONFIG', isReadOnly: false, isSensitive: false }
    expect([...(await run(admin.describeConfigs('broker', ['2'], ['k'])))]).toEqual([['2', [entry]]])
    expect(second.requests.filter((request) => request.startsWith('DescribeConfigs'))).toHaveLength(1)
    expect([...(await run(admin.describeConfigs('topic', ['a', 'b']))).keys()]).toEqual(['a', 'b'])
    await expect(run(admin.describeConfigs('broker', ['7']))).rejects.toMatchObject({ code: 'BROKER_NOT_AVAILABLE' })
  })

  test('changes the keys that are named', async () => {
    const sent: unknown[] = []
    serve('b1', {
      [ApiKey.IncrementalAlterConfigs]: ({ resources }) => {
        sent.push(...resources)
        const errorCode = ErrorCode.INVALID_CONFIG
        return { responses: resources.map(({ resourceName }) => ({ resourceName, errorCode, errorMessage: 'bad' })) }
      },
    })
    const changes = [
      { name: 'retention.ms', operation: 'set', value: '5' },
      { name: 'cleanup.policy', operation: 'delete', value: null },
    ] as const
    const outcomes = await run(admin.incrementalAlterConfigs('topic', new Map([['t', changes]])))
    expect(outcomes.get('t')).toMatchObject({ code: 'INVALID_CONFIG', message: 'bad' })
    expect(sent).toMatchObject([
      {
        resourceType: 2,
        resourceName: 't',
        configs: [
          { name: 'retention.ms', configOperation: 0, value: '5' },
          { name: 'cleanup.policy', configOperation: 1, value: null },
        ],
      },
    ])
  })

  test('describes the log directories of each broker; one that fails does not hide the others', async () => {
    const partitions = [{ partitionIndex: 0, partitionSize: 9n, offsetLag: 0n, isFutureKey: false }]
    serve('b1', {
      [ApiKey.DescribeLogDirs]: () => ({
        results: [
          { logDir: '/a', totalBytes: 10n, usableBytes: 4n, topics: [{ name: 't', partitions }] },
          { logDir: '/b', errorCode: ErrorCode.KAFKA_STORAGE_ERROR },
        ],
      }),
    })
    const directories = await run(admin.describeLogDirs([1, 2]))
    const replica = { topic: 't', partition: 0, sizeBytes: 9n, offsetLag: 0n, isFuture: false }
    expect(directories.get(1)).toMatchObject([
      { path: '/a', error: undefined, totalBytes: 10n, usableBytes: 4n, replicas: [replica] },
      { path: '/b', error: { code: 'KAFKA_STORAGE_ERROR' } },
    ])
    expect(directories.get(2)).toMatchObject({ code: 'NETWORK_EXCEPTION' })
  })

  test('finds a broker again that has another address now', async () => {
    let host = 'gone'
    const handlers: Handlers = {
      [ApiKey.DescribeCluster]: () => ({ brokers: [{ brokerId: 2, host, port: 9092 }] }),
      [ApiKey.DescribeLogDirs]: () => ({ results: [] }),
    }
    serve('b1', handlers)
    await run(admin.describeCluster())
    host = 'b1'
    expect((await run(admin.describeLogDirs([2]))).get(2)).toEqual([])
  })

  test('is of no use after it is closed', async () => {
    serve('b1', {})
    await run(admin.describeCluster())
    await admin[Symbol.asyncDispose]()
    await expect(run(admin.describeCluster())).rejects.toThrow('the client is closed')
  })

  test.each([
    ['nobody answers', 'no broker'],
    ['the versions are asked for', 'silence'],
  ])('ends at once when it is closed, also while %s', async (_, what) => {
    const world = new SimWorld({ seed: 1 })
    const [here, there] = [world.machine('here').start(), world.machine('there').start()]
    let open = 0
    await there.network.listen({ host: '', port: 9092 }, (connection) => {
      open++
      connection.onData(() => {})
      connection.onClose(() => open--)
    })
    if (what === 'no broker') world.network.partition('here', 'there')
    const options = { bootstrap: [{ host: 'there', port: 9092 }] }
    const client = new AdminClient(options, { ...here, random: new SimRandom(1) })
    const asked = client.describeCluster().catch((error: unknown) => error)
    await world.clock.run(500)
    const before = world.clock.monotonicMs()
    await world.clock.runFor(client[Symbol.asyncDispose](), 10_000)
    expect(world.clock.monotonicMs() - before).toBeLessThan(5)
    expect(await world.clock.runFor(asked, 1000)).toBeInstanceOf(KafkaError)
    await world.clock.run(1000)
    expect(open).toBe(0)
  })
})
