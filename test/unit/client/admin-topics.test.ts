import { beforeEach, expect, test } from '@jest/globals'
import { AdminClient } from '../../../broker/client/admin-client.ts'
import { describeAllTopics, listReassignments } from '../../../broker/client/admin-topics.ts'
import type { TopicPartitionDescription } from '../../../broker/client/admin-topics.ts'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { SimClock } from '../../fakes/clock.ts'
import { SimRandom } from '../../fakes/random.ts'
import { FakeBroker, FakeNetwork } from './fake-broker.ts'

const topicId = 'AAAAAAAAAAAAAAAAAAAABA'
let network: FakeNetwork
let clock: SimClock
let admin: AdminClient

beforeEach(() => {
  network = new FakeNetwork()
  clock = new SimClock()
  const bootstrap = [{ host: 'b1', port: 9092 }]
  admin = new AdminClient({ bootstrap }, { network, clock, random: new SimRandom(1) })
})

function serve(handlers: ConstructorParameters<typeof FakeBroker>[0]): void {
  network.brokers.set('b1:9092', new FakeBroker(handlers))
}

function run<T>(operation: Promise<T>): Promise<T> {
  return clock.runFor(operation, 200_000)
}

function topic(name: string, first: number, count: number) {
  const partitions = Array.from({ length: count }, (_, index) => ({
    errorCode: ErrorCode.NONE,
    partitionIndex: first + index,
    leaderId: 1,
    replicaNodes: [1, 2],
    isrNodes: [1],
    offlineReplicas: [],
  }))
  return { errorCode: ErrorCode.NONE, name, topicId, isInternal: false, partitions }
}

test('topics come page by page, and a topic may go over several', async () => {
  const cursors: unknown[] = []
  serve({
    [ApiKey.DescribeTopicPartitions]: ({ cursor }) => {
      cursors.push(cursor)
      if (cursor === null) return { topics: [topic('a', 0, 2)], nextCursor: { topicName: 'a', partitionIndex: 2 } }
      const gone = { ...topic('b', 0, 0), errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
      return { topics: [topic('a', 2, 1), gone, topic('c', 0, 1)], nextCursor: null }
    },
  })
  const pages: (readonly TopicPartitionDescription[])[] = []
  const asked: number[] = []
  const read = async (): Promise<void> => {
    for await (const page of describeAllTopics(admin)) {
      asked.push(cursors.length)
      pages.push(page)
    }
  }
  await run(read())
  const found = pages.flat()
  // The next one is asked for when this one has been dealt with.
  expect(asked).toEqual([1, 2])
  expect(found.map((one) => `${one.topic}-${one.partition}`)).toEqual(['a-0', 'a-1', 'a-2', 'c-0'])
  expect(found[0]).toEqual({ topic: 'a', topicId, partition: 0, leader: 1, replicas: [1, 2], isr: [1] })
  expect(cursors).toEqual([null, { topicName: 'a', partitionIndex: 2 }])
})

test('reassignments under way are listed', async () => {
  const moving = { partitionIndex: 3, replicas: [1, 2, 3], addingReplicas: [3], removingReplicas: [1] }
  serve({
    [ApiKey.ListPartitionReassignments]: () => ({
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      topics: [{ name: 'a', partitions: [moving] }],
    }),
  })
  expect(await run(listReassignments(admin))).toEqual([
    { topic: 'a', partition: 3, replicas: [1, 2, 3], adding: [3], removing: [1] },
  ])
})
