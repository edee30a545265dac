import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { AdminClient } from '../../../../broker/client/admin-client.ts'
import { describeFeatures, updateFeature } from '../../../../broker/client/admin-features.ts'
import { ApiKey } from '../../../../broker/protocol/api-key.ts'
import type { ResponseOf } from '../../../../broker/protocol/apis.ts'
import { ErrorCode } from '../../../../broker/protocol/errors.ts'
import type { Runner } from '../../../../operator/kafka/one-broker.ts'
import { readKafkaState } from '../../../../operator/kafka/read-state.ts'
import { TestCluster } from '../../broker/bed.ts'

let cluster: TestCluster
let admin: AdminClient

beforeEach(async () => {
  const properties = {
    'default.replication.factor': '3',
    'min.insync.replicas': '2',
    'broker.session.timeout.ms': '2000',
  }
  cluster = new TestCluster(['controller,broker', 'controller,broker', 'controller,broker'], properties)
  await cluster.start()
  const env = cluster.world.machine('operator').start()
  admin = new AdminClient({ bootstrap: [1, 2, 3].map((id) => ({ host: `node-${id}`, port: 9092 })) }, env)
})

afterEach(async () => {
  await cluster.world.clock.runFor(admin[Symbol.asyncDispose]())
  await cluster.stop()
})

function run<T>(operation: Promise<T>): Promise<T> {
  return cluster.world.clock.runFor(operation, 60_000)
}

async function createTopics(): Promise<void> {
  const durable = { name: 'durable', partitions: 2, configs: { 'min.insync.replicas': '3' } }
  await run(admin.createTopics([durable, { name: 'single', partitions: 1, replicationFactor: 1 }]))
  await cluster.world.clock.run(1000)
}

test('the state of a cluster is that of its nodes', async () => {
  await createTopics()
  const state = await run(readKafkaState(admin))
  expect(state.clusterId).toBe('test')
  expect(new Set(state.brokers.keys())).toEqual(new Set([1, 2, 3]))
  expect([1, 2, 3]).toContain(state.quorum.leaderId)
  expect(new Set(state.quorum.voters.map(({ id }) => id))).toEqual(new Set([1, 2, 3]))
  for (const { lagMs } of state.quorum.voters) expect(lagMs).toBeLessThan(5000)
  expect(state.partitions.map(({ topic, partition, minIsr }) => `${topic}-${partition} ${minIsr}`)).toEqual([
    'durable-0 3',
    'durable-1 3',
    'single-0 2',
  ])
  for (const { topic, replicas, isr, leader } of state.partitions) {
    expect(replicas).toHaveLength(topic === 'single' ? 1 : 3)
    expect(new Set(isr)).toEqual(new Set(replicas))
    expect(replicas).toContain(leader)
  }
  expect(state.metadataVersion).toMatchObject({ finalized: 30, max: 30 })
})

// A million lists of three brokers would be half of the memory that the operator has.
test('partitions with the same replicas share one list of them', async () => {
  await run(admin.createTopics([{ name: 'large', partitions: 20 }]))
  await cluster.world.clock.run(1000)
  const { partitions } = await run(readKafkaState(admin))
  const lists = partitions.flatMap(({ replicas, isr }) => [replicas, isr])
  expect(new Set(lists).size).toBe(new Set(lists.map((ids) => ids.join())).size)
})

test('a node that is gone is missing everywhere', async () => {
  await createTopics()
  const before = await run(readKafkaState(admin))
  const gone = [1, 2, 3].find((id) => id !== before.quorum.leaderId) ?? 0
  cluster.nodes.find(({ id }) => id === gone)?.machine.kill()
  await cluster.world.clock.run(20_000)
  const state = await run(readKafkaState(admin))
  expect(state.brokers.has(gone)).toBe(false)
  expect(state.quorum.voters.find(({ id }) => id === gone)?.lagMs).toBeGreaterThan(10_000)
  for (const { isr, leader } of state.partitions) expect([...isr, leader]).not.toContain(leader === null ? 0 : gone)
})

test('a topic whose min ISR cannot be told is not taken for one that is not there', async () => {
  await createTopics()
  const withOutcome = (code: number): Runner => ({
    run: (operation) =>
      admin.run((ask) =>
        operation(async (key, body, brokerId) => {
          const answer = await ask(key, body, brokerId)
          if (key === ApiKey.DescribeConfigs) {
            const { results } = answer as ResponseOf<typeof ApiKey.DescribeConfigs>
            const durable = results.find(({ resourceName }) => resourceName === 'durable')
            Object.assign(durable ?? {}, { errorCode: code })
          }
          return answer
        }),
      ),
  })
  const unknown = run(readKafkaState(withOutcome(ErrorCode.UNKNOWN_SERVER_ERROR)))
  await expect(unknown).rejects.toMatchObject({ code: 'UNKNOWN_SERVER_ERROR' })
  const gone = await run(readKafkaState(withOutcome(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)))
  expect(gone.partitions.map(({ topic }) => topic)).toEqual(['single'])
})

type Listed = ResponseOf<typeof ApiKey.ListPartitionReassignments>['topics']

/** The controller's lists of reassignments are these, one after the other. */
function withReassignments(...lists: Listed[]): Runner {
  return {
    run: (operation) =>
      admin.run((ask) =>
        operation(async (key, body, brokerId) => {
          const answer = await ask(key, body, brokerId)
          if (key === ApiKey.ListPartitionReassignments) Object.assign(answer, { topics: lists.shift() })
          return answer
        }),
      ),
  }
}

const move = { partitionIndex: 0, replicas: [4, 2, 3, 1], addingReplicas: [4], removingReplicas: [1] }
const moving: Listed = [{ name: 'durable', partitions: [move] }]

// The broker's own replicas, without the ones that come, would be two: another replication factor.
test.each<[string, Listed[]]>([
  ['begins', [[], moving]],
  ['ends', [moving, []]],
])('a reassignment that %s during the look is under way, with the replicas of the controller', async (_, lists) => {
  await createTopics()
  const { partitions } = await run(readKafkaState(withReassignments(...lists)))
  expect(partitions[0]).toMatchObject({ partition: 0, replicas: [4, 2, 3, 1], adding: [4], removing: [1] })
  expect(partitions[1]).toMatchObject({ partition: 1, adding: [], removing: [] })
})

test('a level of metadata.version that cannot be had is refused for good, in words', async () => {
  expect((await run(describeFeatures(admin))).get('metadata.version')).toEqual({ min: 7, max: 30, finalized: 30 })
  for (const [level, how] of [
    [29, 'safe-downgrade'],
    [99, 'upgrade'],
  ] as const) {
    const update = run(updateFeature(admin, 'metadata.version', level, how))
    await expect(update).rejects.toMatchObject({
      isRetriable: false,
      message: expect.stringContaining('metadata.version'),
    })
  }
})
