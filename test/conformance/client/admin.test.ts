/** Our admin client against a running broker: this repository's, or with KAFKA_TARGET=apache Apache Kafka 4.3.1. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { AdminClient } from '../../../broker/client/admin-client.ts'
import type { LogDirDescription, TopicDescription } from '../../../broker/client/admin-types.ts'
import { KafkaError } from '../../../broker/client/kafka-error.ts'
import { nodeEnv } from '../../../broker/host/env.ts'
import type { RunningNode } from '../../tools/node.ts'
import { describeWith } from '../../tools/requires.ts'
import { startTarget, TARGET } from '../../tools/target.ts'

const START_MS_MAX = 15 * 60_000
const suite: (name: string, body: () => void) => void =
  TARGET === 'apache' ? (name, body) => describeWith(['java', 'mvn'], name, body) : describe

/** The outcome of `name`, which is a success. */
function succeeded<T>(outcomes: ReadonlyMap<string, T | KafkaError>, name: string): T {
  const outcome = outcomes.get(name)
  if (outcome instanceof KafkaError) throw outcome
  if (outcome === undefined) throw new Error(`nothing about ${name}`)
  return outcome
}

/** Asks until `done`: a broker applies a change some time after the controller has committed it. The test's time limit ends it. */
async function until<T>(ask: () => Promise<T>, done: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (done(answer)) return answer
  }
}

suite(`the admin client against ${TARGET}`, () => {
  let node: RunningNode
  let admin: AdminClient
  beforeAll(async () => {
    node = await startTarget()
    const bootstrap = [{ host: node.host, port: node.port }]
    admin = new AdminClient({ bootstrap, requestTimeoutMs: 10_000, timeoutMs: 30_000 }, nodeEnv())
  }, START_MS_MAX)
  afterAll(async () => {
    await admin?.[Symbol.asyncDispose]()
    await node?.stop()
  }, 60_000)

  /** The topic, once it has that many partitions, each with a leader. */
  async function described(name: string, count: number): Promise<TopicDescription> {
    const ready = (topic: TopicDescription | KafkaError | undefined): boolean =>
      topic !== undefined &&
      !(topic instanceof KafkaError) &&
      topic.partitions.length === count &&
      topic.partitions.every(({ leader }) => leader >= 0)
    const topics = await until(
      () => admin.metadata([name]),
      (answer) => ready(answer.get(name)),
    )
    return succeeded(topics, name)
  }

  test('describes the cluster', async () => {
    const cluster = await admin.describeCluster()
    expect(cluster.clusterId).toHaveLength(22)
    expect(cluster.brokers).toMatchObject([{ id: cluster.controllerId, port: node.port }])
  })

  test('creates, describes, lists and deletes a topic', async () => {
    const made = await admin.createTopics([
      { name: 'life', partitions: 3, replicationFactor: 1, configs: { 'retention.ms': '1234567' } },
    ])
    const { topicId, partitions, replicationFactor } = succeeded(made, 'life')
    expect([topicId.length, partitions, replicationFactor]).toEqual([22, 3, 1])
    expect((await admin.createTopics([{ name: 'life' }])).get('life')).toMatchObject({ code: 'TOPIC_ALREADY_EXISTS' })

    const topic = await described('life', 3)
    expect(topic).toMatchObject({ topicId, isInternal: false })
    const leader = topic.partitions[0]?.leader ?? -1
    expect(topic.partitions.map(({ partition, replicas, isr }) => ({ partition, replicas, isr }))).toEqual(
      [0, 1, 2].map((partition) => ({ partition, replicas: [leader], isr: [leader] })),
    )
    expect(await admin.listTopics()).toContain('life')

    const never = 'JEXY6aqzQY-32P5TStzaFg'
    const deleted = await admin.deleteTopics([topicId, never])
    expect(deleted.get(topicId)).toBeNull()
    expect(deleted.get(never)).toMatchObject({ code: 'UNKNOWN_TOPIC_ID' })
    await until(
      () => admin.listTopics(),
      (names) => !names.includes('life'),
    )
  }, 60_000)

  test('validates without creating', async () => {
    const outcomes = await admin.createTopics([{ name: 'dry', partitions: 1 }], { validateOnly: true })
    expect(outcomes.get('dry')).not.toBeInstanceOf(KafkaError)
    expect(await admin.listTopics()).not.toContain('dry')
  })

  test('adds partitions, and is refused to take some away', async () => {
    succeeded(await admin.createTopics([{ name: 'grow', partitions: 1 }]), 'grow')
    expect((await admin.createPartitions([{ name: 'grow', totalCount: 4 }])).get('grow')).toBeNull()
    expect((await described('grow', 4)).partitions).toHaveLength(4)
    const shrink = await admin.createPartitions([{ name: 'grow', totalCount: 2 }])
    expect(shrink.get('grow')).toMatchObject({ code: 'INVALID_PARTITIONS' })
  })

  test('changes the configuration of a topic', async () => {
    succeeded(await admin.createTopics([{ name: 'conf', partitions: 1 }]), 'conf')
    const set = [{ name: 'retention.ms', operation: 'set', value: '777' }] as const
    expect((await admin.incrementalAlterConfigs('topic', new Map([['conf', set]]))).get('conf')).toBeNull()
    const entries = await until(
      async () => succeeded(await admin.describeConfigs('topic', ['conf'], ['retention.ms', 'cleanup.policy']), 'conf'),
      (answer) => answer.some(({ value }) => value === '777'),
    )
    expect(new Map(entries.map(({ name, value, source }) => [name, `${value} ${source}`]))).toEqual(
      new Map([
        ['cleanup.policy', 'delete DEFAULT_CONFIG'],
        ['retention.ms', '777 DYNAMIC_TOPIC_CONFIG'],
      ]),
    )
    const bad = [{ name: 'retention.ms', operation: 'set', value: 'x' }] as const
    expect((await admin.incrementalAlterConfigs('topic', new Map([['conf', bad]]))).get('conf')).toMatchObject({
      code: 'INVALID_CONFIG',
    })
  })

  test('reads the configuration of a broker', async () => {
    const { controllerId } = await admin.describeCluster()
    const configs = succeeded(await admin.describeConfigs('broker', [String(controllerId)]), String(controllerId))
    expect(configs.find(({ name }) => name === 'node.id')).toMatchObject({
      value: String(controllerId),
      source: 'STATIC_BROKER_CONFIG',
      isReadOnly: true,
    })
  })

  test('describes the log directories', async () => {
    succeeded(await admin.createTopics([{ name: 'dirs', partitions: 2 }]), 'dirs')
    const { controllerId } = await admin.describeCluster()
    const ask = async () => (await admin.describeLogDirs([controllerId])).get(controllerId)
    const directories = await until(ask, (answer) => sizesOf(answer, 'dirs').size === 2)
    expect(sizesOf(directories, 'dirs')).toEqual(
      new Map([
        [0, 0n],
        [1, 0n],
      ]),
    )
    if (directories instanceof KafkaError) throw directories
    expect(directories?.map(({ path, error }) => [path, error])).toEqual([[node.logDir, undefined]])
  })
})

/** The size of each partition of `topic`. */
function sizesOf(
  directories: readonly LogDirDescription[] | KafkaError | undefined,
  topic: string,
): Map<number, bigint> {
  if (directories === undefined || directories instanceof KafkaError) return new Map()
  const replicas = directories.flatMap((directory) => directory.replicas).filter((replica) => replica.topic === topic)
  return new Map(replicas.map(({ partition, sizeBytes }) => [partition, sizeBytes]))
}
