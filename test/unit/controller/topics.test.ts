import { describe, expect, test } from '@jest/globals'
import { createPartitions } from '../../../broker/controller/create-partitions.ts'
import { createTopics } from '../../../broker/controller/create-topics.ts'
import { deleteTopics } from '../../../broker/controller/delete-topics.ts'
import { ResourceType } from '../../../broker/metadata/image.ts'
import type { ApiKey } from '../../../broker/protocol/api-key.ts'
import type { RequestOf } from '../../../broker/protocol/apis.ts'
import { ErrorCode, errorName } from '../../../broker/protocol/errors.ts'
import { SimRandom } from '../../fakes/random.ts'
import { topic, uuid } from '../metadata/records.ts'
import { after, clusterOf, RULES } from './cluster.ts'

type NewTopic = RequestOf<typeof ApiKey.CreateTopics>['topics'][number]

const rules = () => ({ defaults: { numPartitions: 2, replicationFactor: 1 }, configs: RULES, random: new SimRandom(1) })
const asked = (name: string, more: Partial<NewTopic> = {}): NewTopic => ({
  name,
  numPartitions: -1,
  replicationFactor: -1,
  assignments: [],
  configs: [],
  ...more,
})
const request = (topics: NewTopic[], validateOnly = false) => ({ topics, timeoutMs: 0, validateOnly })

describe('createTopics', () => {
  test('leaders are spread over the unfenced brokers, fenced ones only follow', () => {
    const image = clusterOf([1, 2, 3], [3])
    const outcome = createTopics(image, request([asked('t', { numPartitions: 6, replicationFactor: 3 })]), rules())
    const partitions = after(image, outcome).topic('t')?.partitions ?? []
    const leaders = partitions.map(({ leader }) => leader)
    expect(leaders.filter((id) => id === 1).length).toBe(3)
    expect(leaders.filter((id) => id === 2).length).toBe(3)
    for (const { replicas, isr, leaderEpoch, partitionEpoch } of partitions) {
      expect(new Set(replicas)).toEqual(new Set([1, 2, 3]))
      expect(new Set(isr)).toEqual(new Set([1, 2]))
      expect([leaderEpoch, partitionEpoch]).toEqual([0, 0])
    }
  })

  test("each replica gets its broker's only directory", () => {
    const image = clusterOf([1])
    const outcome = createTopics(image, request([asked('t')]), rules())
    expect(after(image, outcome).topic('t')?.partitions[0]?.directories).toEqual([uuid(1)])
  })

  test('a topic that is refused does not refuse the others', () => {
    const image = clusterOf([1])
    const bad = asked('bad', { configs: [{ name: 'x', value: 'bad' }] })
    const outcome = createTopics(
      image,
      request([bad, asked('good', { configs: [{ name: 'x', value: 'y' }] })]),
      rules(),
    )
    expect(outcome.response.topics?.map(({ name, errorCode }) => `${name} ${errorName(errorCode ?? 0)}`)).toEqual([
      'bad INVALID_CONFIG',
      'good NONE',
    ])
    const made = after(image, outcome)
    expect([...made.topics.byName.keys()]).toEqual(['good'])
    expect([...made.configsOf(ResourceType.TOPIC, 'good')]).toEqual([['x', 'y']])
  })

  test('validateOnly answers the same and makes nothing', () => {
    const image = clusterOf([1])
    const { records, response } = createTopics(image, request([asked('t')], true), rules())
    expect(records).toEqual([])
    expect(response.topics?.[0]).toMatchObject({ errorCode: ErrorCode.NONE, numPartitions: 2, replicationFactor: 1 })
  })

  test('without an unfenced broker there is no place', () => {
    const { response } = createTopics(clusterOf([1], [1]), request([asked('t')]), rules())
    expect(response.topics?.[0]).toMatchObject({
      errorCode: ErrorCode.INVALID_REPLICATION_FACTOR,
      errorMessage:
        'Unable to replicate the partition 1 time(s): All brokers are currently fenced, or have all their log directories cordoned.',
    })
  })

  test('too many partitions in one request refuse it all', () => {
    const { response, records } = createTopics(
      clusterOf([1]),
      request([asked('t', { numPartitions: 10_000 }), asked('u', { numPartitions: 1 })]),
      rules(),
    )
    expect(records).toEqual([])
    expect(response.topics?.map(({ errorCode }) => errorCode)).toEqual([
      ErrorCode.POLICY_VIOLATION,
      ErrorCode.POLICY_VIOLATION,
    ])
  })

  test('ten thousand partitions are one request', () => {
    const image = clusterOf([1])
    const outcome = createTopics(image, request([asked('t', { numPartitions: 10_000 })]), rules())
    expect(after(image, outcome).topic('t')?.partitions.length).toBe(10_000)
  })
})

test("createPartitions goes on with the indexes, at the topic's replication factor", () => {
  const image = clusterOf([1], [], topic(5, 2))
  const topics = [{ name: 'topic-5', count: 4, assignments: null }]
  const outcome = createPartitions(image, { topics, timeoutMs: 0, validateOnly: false }, new SimRandom(1))
  const made = after(image, outcome).topic('topic-5')?.partitions
  expect(made?.map(({ index, replicas }) => [index, replicas])).toEqual([
    [0, [1]],
    [1, [1]],
    [2, [1]],
    [3, [1]],
  ])
})

test('createPartitions adds no more in one request than CreateTopics may', () => {
  const image = clusterOf([1], [], [...topic(1, 1), ...topic(2, 1)])
  const topics = [
    { name: 'topic-1', count: 9001, assignments: null },
    { name: 'topic-2', count: 1002, assignments: null },
    { name: 'topic-2x', count: 2_147_483_647, assignments: null },
  ]
  const { records, response } = createPartitions(image, { topics, timeoutMs: 0, validateOnly: false }, new SimRandom(1))
  expect(response.results?.map(({ errorCode }) => errorCode)).toEqual([
    ErrorCode.NONE,
    ErrorCode.POLICY_VIOLATION,
    ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ])
  expect(records.length).toBe(9000)
})

describe('deleteTopics', () => {
  const image = clusterOf([1], [], [...topic(5, 1), ...topic(6, 1)])
  const remove = (topics: { name: string | null; topicId: string }[], topicNames: string[] = []) =>
    deleteTopics(image, { topics, topicNames, timeoutMs: 0 })

  test('takes names and ids', () => {
    const outcome = remove([{ name: null, topicId: uuid(5) }], ['topic-6'])
    expect(after(image, outcome).topics.byId.size).toBe(0)
  })

  test('a topic that is named both ways is not deleted', () => {
    const outcome = remove([{ name: null, topicId: uuid(5) }], ['topic-5'])
    expect(outcome.records).toEqual([])
    expect(outcome.response.responses?.[0]?.errorMessage).toBe(
      'The provided topic name maps to an ID that was already supplied.',
    )
  })

  test('an id that is not there is told by its id', () => {
    const { response } = remove([{ name: null, topicId: uuid(9) }])
    expect(response.responses).toMatchObject([{ topicId: uuid(9), errorCode: ErrorCode.UNKNOWN_TOPIC_ID, name: null }])
  })
})
