import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { parseAllDocuments } from 'yaml'
import { AdminClient } from '../../../broker/client/admin-client.ts'
import { nodeEnv } from '../../../broker/host/env.ts'
import { resetMinIsr } from '../../../operator/policy/min-isr.ts'
import { TopicRefusal } from '../../../operator/topic/admin.ts'
import { KafkaTopicAdmin } from '../../../operator/topic/kafka-admin.ts'
import type { RunningNode } from '../../tools/node.ts'
import { startOurs } from '../../tools/ours.ts'
import { run } from '../../tools/run.ts'

const ROOT = resolve(import.meta.dirname, '..', '..', '..')
const MANY = 120

let broker: RunningNode
let client: AdminClient
let topics: KafkaTopicAdmin

beforeAll(async () => {
  broker = await startOurs()
  client = new AdminClient({ bootstrap: [{ host: broker.host, port: broker.port }] }, nodeEnv())
  topics = new KafkaTopicAdmin(client)
}, 60_000)

afterAll(async () => {
  await client[Symbol.asyncDispose]()
  await broker.stop()
})

const made = (name: string, config: Record<string, string> = {}) =>
  topics.create({ name, partitions: 2, replicas: 1, config: new Map(Object.entries(config)) })

test('what a creation answers is what the topic is', async () => {
  const state = await made('one', { 'retention.ms': '1000' })
  expect(state).toMatchObject({ partitions: 2, replicas: 1, config: new Map([['retention.ms', '1000']]) })
  expect(await topics.describe('one')).toEqual(state)
})

test('many at a time each get their own answer', async () => {
  const names = Array.from({ length: MANY }, (_, index) => `many-${index}`)
  const states = await Promise.all(names.map((name) => made(name)))
  expect(new Set(states.map(({ topicId }) => topicId)).size).toBe(MANY)
  await Promise.all(names.map((name, index) => topics.grow(name, 3 + (index % 2))))
  await Promise.all(names.map((name, index) => topics.alterConfig(name, new Map([['retention.ms', `${index}`]]), [])))
  const described = await Promise.all(names.map((name) => topics.describe(name)))
  expect(described.map((state) => [state?.topicId, state?.partitions, state?.config.get('retention.ms')])).toEqual(
    states.map(({ topicId }, index) => [topicId, 3 + (index % 2), `${index}`]),
  )
  await Promise.all(states.map(({ topicId }) => topics.delete(topicId)))
  // The controller has answered; brokers hear of it a moment later.
  let left = names.length
  while (left > 0)
    left = (await Promise.all(names.map((name) => topics.describe(name)))).filter((state) => state !== null).length
}, 30_000)

test('one that is refused does not harm the others', async () => {
  const outcomes = await Promise.allSettled([
    made('fine'),
    topics.create({ name: 'greedy', partitions: 1, replicas: 9, config: new Map() }),
    made('wrong', { 'retention.ms': 'soon' }),
  ])
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
  const [, greedy] = outcomes as PromiseRejectedResult[]
  expect(greedy?.reason).toBeInstanceOf(TopicRefusal)
  expect(greedy?.reason).toMatchObject({ code: 'INVALID_REPLICATION_FACTOR' })
})

test('a topic that is not there has no state, and its deletion is no error', async () => {
  expect(await topics.describe('nowhere')).toBeNull()
  await topics.delete('AAAAAAAAAAAAAAAAAAAABA')
})

test('a topic has records once something was written to it', async () => {
  await made('written')
  await made('empty')
  const kafkajs = (await import('kafkajs')).default
  const producer = new kafkajs.Kafka({ brokers: [broker.bootstrap], logLevel: 0 }).producer()
  await producer.connect()
  await producer.send({ topic: 'written', messages: [{ value: 'x' }] })
  await producer.disconnect()
  expect(await Promise.all(['written', 'empty', 'nowhere'].map((name) => topics.hasRecords(name)))).toEqual([
    true,
    false,
    false,
  ])
}, 30_000)

test('min.insync.replicas goes from the topics that have it set for themselves', async () => {
  await made('strict', { 'min.insync.replicas': '1', 'retention.ms': '5' })
  await made('plain')
  expect(await resetMinIsr(client, ['strict', 'plain', 'nowhere'])).toEqual(['strict'])
  expect((await topics.describe('strict'))?.config).toEqual(new Map([['retention.ms', '5']]))
})

test('ottla import prints them as KafkaTopics, without internal ones', async () => {
  await made('Imported_Topic', { 'cleanup.policy': 'compact' })
  const args = [
    'operator/main.ts',
    'import',
    '--bootstrap',
    broker.bootstrap,
    '--cluster',
    'orders',
    '--namespace',
    'team',
  ]
  const { stdout } = await run(process.execPath, args, { cwd: join(ROOT) })
  const documents = parseAllDocuments(stdout).map((document) => document.toJS() as { metadata: { name: string } })
  expect(documents.find(({ metadata }) => metadata.name === 'imported-topic')).toEqual({
    apiVersion: 'kafka.ottla.dev/v1alpha1',
    kind: 'KafkaTopic',
    metadata: { name: 'imported-topic', namespace: 'team' },
    spec: {
      cluster: { name: 'orders' },
      topicName: 'Imported_Topic',
      partitions: 2,
      replicas: 1,
      config: { 'cleanup.policy': 'compact' },
      deletionPolicy: 'retain',
    },
  })
}, 30_000)
