import { expect, test } from '@jest/globals'
import { parseProperties } from '../../../broker/config/properties.ts'
import { parseServerConfig } from '../../../broker/config/server-config.ts'
import { AutoTopics } from '../../../broker/handlers/auto-topics.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { ControllerRequests } from '../../../broker/replication/controller-requests.ts'
import { SimClock } from '../../fakes/clock.ts'
import { MemoryLogger } from '../../fakes/logger.ts'

const STATIC = `process.roles=broker
node.id=1
listeners=PLAINTEXT://h:9092
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=h:9093
`

test('what clients go on asking for and cannot be created is told now and then, not each time', async () => {
  const clock = new SimClock()
  const logger = new MemoryLogger()
  const refused = {
    name: '__consumer_offsets',
    errorCode: ErrorCode.INVALID_REPLICATION_FACTOR,
    errorMessage: 'too few brokers',
  }
  const controller = { request: async () => ({ topics: [refused] }) } as unknown as ControllerRequests
  const server = parseServerConfig(parseProperties(STATIC)).config
  const topics = new AutoTopics({ controller, server: () => server, settled: async () => {}, clock, logger })
  for (let asked = 0; asked < 100; asked++) {
    const created = topics.createOffsetsTopic()
    await clock.run(100)
    expect(await created).toBe(ErrorCode.INVALID_REPLICATION_FACTOR)
  }
  expect(logger.events).toHaveLength(1)
  void topics.createOffsetsTopic()
  await clock.run(100)
  expect(logger.events).toMatchObject([{ level: 'warn' }, { fields: { reason: 'too few brokers' } }])
})

test('a controller is given time: Apache Kafka begins nothing that has none', async () => {
  const clock = new SimClock()
  const asked: number[] = []
  const controller = {
    request: async (_: unknown, { timeoutMs }: { timeoutMs: number }) => {
      asked.push(timeoutMs)
      return { topics: [{ errorCode: ErrorCode.NONE, errorMessage: null }] }
    },
  } as unknown as ControllerRequests
  const server = parseServerConfig(parseProperties(`${STATIC}request.timeout.ms=4000`)).config
  const logger = new MemoryLogger()
  const topics = new AutoTopics({ controller, server: () => server, settled: async () => {}, clock, logger })
  void topics.createOffsetsTopic()
  await clock.run(1)
  expect(asked).toEqual([4000])
})

interface AskedTopic {
  readonly name: string
  readonly numPartitions: number
  readonly replicationFactor: number
  readonly configs: readonly { readonly name: string; readonly value: string }[]
}

/** The requests that the controller gets when a client names topics that do not exist. */
async function requestsFor(settings: string, ...names: string[]): Promise<AskedTopic[][]> {
  const requests: AskedTopic[][] = []
  const controller = {
    request: async (_: unknown, { topics }: { topics: AskedTopic[] }) => {
      requests.push(topics)
      return { topics: topics.map(({ name }) => ({ name, errorCode: ErrorCode.NONE, errorMessage: null })) }
    },
  } as unknown as ControllerRequests
  const server = parseServerConfig(parseProperties(STATIC + settings)).config
  const clock = new SimClock()
  const deps = { controller, server: () => server, settled: async () => {}, clock }
  const topics = new AutoTopics({ ...deps, logger: new MemoryLogger() })
  for (const name of names) expect(topics.onUnknown(name)).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  await clock.run(1)
  return requests
}

async function askedFor(settings: string, ...names: string[]): Promise<AskedTopic[]> {
  return (await requestsFor(settings, ...names)).flat()
}

const named = (count: number) => Array.from({ length: count }, (_, index) => `t${index}`)

test('topics that are named at once are made with one request, each name once', async () => {
  const requests = await requestsFor('', 'a', 'b', 'a', 'c')
  expect(requests.map((topics) => topics.map(({ name }) => name))).toEqual([['a', 'b', 'c']])
})

test.each([
  ['a thousand topics', 'num.partitions=1', 2500, [1000, 1000, 500]],
  ['ten thousand partitions', 'num.partitions=4000', 5, [2, 2, 1]],
  ['one topic, however many its partitions', 'num.partitions=10001', 2, [1, 1]],
])('one request makes at most %s', async (_, settings, count, expected) => {
  expect((await requestsFor(settings, ...named(count))).map(({ length }) => length)).toEqual(expected)
})

test('of very many topics, the last are begun when they are asked for again', async () => {
  expect(await askedFor('', ...named(5000))).toHaveLength(4000)
})

test('each topic of a request has its own answer', async () => {
  const clock = new SimClock()
  const logger = new MemoryLogger()
  const answers = [
    { name: '__consumer_offsets', errorCode: ErrorCode.NONE, errorMessage: null },
    { name: 'orders', errorCode: ErrorCode.POLICY_VIOLATION, errorMessage: 'not this one' },
  ]
  const controller = { request: async () => ({ topics: answers }) } as unknown as ControllerRequests
  const server = parseServerConfig(parseProperties(STATIC)).config
  const topics = new AutoTopics({ controller, server: () => server, settled: async () => {}, clock, logger })
  topics.onUnknown('orders')
  expect(await clock.runFor(topics.createOffsetsTopic())).toBe(ErrorCode.NONE)
  expect(logger.events).toMatchObject([
    { level: 'warn', fields: { topic: 'orders', reason: 'not this one' } },
    { level: 'info', fields: { topic: '__consumer_offsets' } },
  ])
})

test('a topic that a client names is made with the defaults', async () => {
  expect(await askedFor('num.partitions=7\ndefault.replication.factor=2', 'orders')).toMatchObject([
    { name: 'orders', numPartitions: 7, replicationFactor: 2, configs: [] },
  ])
})

test.each([
  ['__consumer_offsets', 'offsets.topic', '', ['compact', 'producer', undefined]],
  ['__transaction_state', 'transaction.state.log', 'transaction.state.log.min.isr=1', ['compact', 'uncompressed', '1']],
  [
    '__share_group_state',
    'share.coordinator.state.topic',
    'share.coordinator.state.topic.min.isr=1',
    ['delete', 'producer', '1'],
  ],
])('%s is made as a coordinator needs it', async (name, prefix, minIsr, expected) => {
  const settings = `${prefix}.num.partitions=11\n${prefix}.replication.factor=2\n${prefix}.segment.bytes=2000000\n${minIsr}`
  const [topic] = await askedFor(settings, name)
  expect(topic).toMatchObject({ name, numPartitions: 11, replicationFactor: 2 })
  const configs = new Map(topic?.configs.map((each) => [each.name, each.value]))
  expect(configs.get('segment.bytes')).toBe('2000000')
  expect(['cleanup.policy', 'compression.type', 'min.insync.replicas'].map((key) => configs.get(key))).toEqual(expected)
})

test('nothing is made for a client where auto.create.topics.enable says so', async () => {
  expect(await askedFor('auto.create.topics.enable=false', 'orders', '__consumer_offsets')).toEqual([])
})
