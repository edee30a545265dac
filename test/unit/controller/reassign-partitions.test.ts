import { describe, expect, test } from '@jest/globals'
import { alterPartition } from '../../../broker/controller/alter-partition.ts'
import {
  alterPartitionReassignments,
  listPartitionReassignments,
} from '../../../broker/controller/reassign-partitions.ts'
import { type MetadataImage, ResourceType } from '../../../broker/metadata/image.ts'
import type { MetadataRecord } from '../../../broker/protocol/metadata-record.ts'
import { errorName } from '../../../broker/protocol/errors.ts'
import { config, uuid } from '../metadata/records.ts'
import { after, clusterOf, of, partitionIn, type PartitionState, topicWith } from './cluster.ts'

function cluster(state: PartitionState, more: readonly MetadataRecord[] = []): MetadataImage {
  return clusterOf([1, 2, 3, 4, 5], [], [...topicWith(9, state), ...more])
}

function reassign(
  image: MetadataImage,
  replicas: readonly number[] | null,
  { partitionIndex = 0, topic = 'topic-9', mayChangeFactor = true } = {},
) {
  const outcome = alterPartitionReassignments(of(image), {
    timeoutMs: 0,
    allowReplicationFactorChange: mayChangeFactor,
    topics: [{ name: topic, partitions: [{ partitionIndex, replicas: replicas === null ? null : [...replicas] }] }],
  })
  const answer = outcome.response.responses?.[0]?.partitions?.[0]
  const error = errorName(answer?.errorCode ?? 0)
  return { image: after(image, outcome), records: outcome.records, error, message: answer?.errorMessage }
}

/** What the leader, broker 1, says of the partition. */
function inSync(image: MetadataImage, brokerIds: readonly number[]): MetadataImage {
  const { leaderEpoch = -1, partitionEpoch = -1 } = partitionIn(image) ?? {}
  const newIsrWithEpochs = brokerIds.map((brokerId) => ({ brokerId, brokerEpoch: -1n }))
  const asked = { partitionIndex: 0, leaderEpoch, partitionEpoch, newIsr: [], newIsrWithEpochs, leaderRecoveryState: 0 }
  const request = { brokerId: 1, brokerEpoch: 101n, topics: [{ topicId: uuid(9), partitions: [asked] }] }
  return after(image, alterPartition(of(image), request))
}

describe('a reassignment', () => {
  test('adds first what comes, and keeps what goes', () => {
    const { image, error } = reassign(cluster({ replicas: [1, 2, 3] }), [4, 5, 1])
    expect(error).toBe('NONE')
    expect(partitionIn(image)).toMatchObject({
      replicas: [4, 5, 1, 2, 3],
      addingReplicas: [4, 5],
      removingReplicas: [2, 3],
      isr: [1, 2, 3],
      leader: 1,
      leaderEpoch: 0,
      partitionEpoch: 1,
      directories: [4, 5, 1, 2, 3].map((id) => uuid(id)),
    })
  })

  test('that only takes replicas away is complete at once', () => {
    const { image } = reassign(cluster({ replicas: [1, 2, 3] }), [3, 2])
    expect(partitionIn(image)).toMatchObject({ replicas: [3, 2], isr: [2, 3], leader: 3, removingReplicas: [] })
  })

  test('that only changes the order is complete at once, and leaves the leader', () => {
    const { image } = reassign(cluster({ replicas: [1, 2, 3] }), [3, 2, 1])
    expect(partitionIn(image)).toMatchObject({ replicas: [3, 2, 1], leader: 1, leaderEpoch: 0, partitionEpoch: 1 })
  })

  test('to where the partition is makes no record', () => {
    expect(reassign(cluster({ replicas: [1, 2, 3] }), [1, 2, 3])).toMatchObject({ records: [], error: 'NONE' })
  })

  test('takes the place of the one before it', () => {
    const first = reassign(cluster({ replicas: [1, 2] }), [1, 3]).image
    expect(partitionIn(reassign(first, [1, 4]).image)).toMatchObject({
      replicas: [1, 4, 2, 3],
      addingReplicas: [4],
      removingReplicas: [2, 3],
    })
  })

  test('back to where the partition was ends at once', () => {
    const first = reassign(cluster({ replicas: [1, 2] }), [1, 2, 3]).image
    const back = { replicas: [1, 2], isr: [1, 2], addingReplicas: [], removingReplicas: [] }
    expect(partitionIn(reassign(first, [1, 2]).image)).toMatchObject(back)
  })

  test('back to where the partition was waits for what stays to be in sync', () => {
    const first = reassign(cluster({ replicas: [1, 2], isr: [1] }), [1, 2, 3]).image
    const moving = reassign(first, [1, 2]).image
    expect(partitionIn(moving)).toMatchObject({ replicas: [1, 2, 3], addingReplicas: [], removingReplicas: [3] })
    const back = { replicas: [1, 2], isr: [1, 2], addingReplicas: [], removingReplicas: [] }
    expect(partitionIn(inSync(moving, [1, 2, 3]))).toMatchObject(back)
  })

  test('goes on to wait for what the one before it was adding', () => {
    const first = reassign(cluster({ replicas: [1, 2] }), [1, 3]).image
    const second = reassign(first, [1, 3, 4]).image
    const moving = { replicas: [1, 3, 4, 2], addingReplicas: [3, 4], removingReplicas: [2] }
    expect(partitionIn(second)).toMatchObject(moving)
    expect(partitionIn(inSync(second, [1, 2, 4]))).toMatchObject({ ...moving, isr: [1, 2, 4] })
    const done = { replicas: [1, 3, 4], isr: [1, 3, 4], addingReplicas: [], removingReplicas: [] }
    expect(partitionIn(inSync(second, [1, 2, 3, 4]))).toMatchObject(done)
  })

  test('keeps what the one before it was taking away', () => {
    const first = reassign(cluster({ replicas: [1, 2] }), [1, 3]).image
    const moving = { replicas: [1, 3, 2], addingReplicas: [3], removingReplicas: [] }
    expect(partitionIn(reassign(first, [1, 3, 2]).image)).toMatchObject(moving)
  })

  test('frees a partition that is to add and to remove the same replica', () => {
    const hanging = cluster({ replicas: [1, 2, 3], isr: [1, 2, 3], leader: 1, adding: [3], removing: [3] })
    const freed = { replicas: [1, 2], isr: [1, 2], addingReplicas: [], removingReplicas: [] }
    expect(partitionIn(reassign(hanging, [1, 2]).image)).toMatchObject(freed)
  })

  test.each<[string, readonly number[], object, string, string]>([
    ['an unknown topic', [1], { topic: 'none' }, 'UNKNOWN_TOPIC_OR_PARTITION', 'Unable to find a topic named none.'],
    [
      'an unknown partition',
      [1],
      { partitionIndex: 3 },
      'UNKNOWN_TOPIC_OR_PARTITION',
      'Unable to find partition topic-9:3.',
    ],
    [
      'no replica',
      [],
      {},
      'INVALID_REPLICA_ASSIGNMENT',
      'The manual partition assignment includes an empty replica list.',
    ],
    [
      'a broker that is not there',
      [1, 9],
      {},
      'INVALID_REPLICA_ASSIGNMENT',
      'The manual partition assignment includes broker 9, but no such broker is registered.',
    ],
    [
      'a broker twice',
      [1, 1],
      {},
      'INVALID_REPLICA_ASSIGNMENT',
      'The manual partition assignment includes the broker 1 more than once.',
    ],
    [
      'another replication factor',
      [1, 2],
      { mayChangeFactor: false },
      'INVALID_REPLICATION_FACTOR',
      'The replication factor is changed from 3 to 2',
    ],
  ])('is refused to %s', (_what, replicas, options, error, message) => {
    expect(reassign(cluster({ replicas: [1, 2, 3] }), replicas, options)).toMatchObject({ records: [], error, message })
  })
})

describe('a partition that is named more than once', () => {
  const twice = (...targets: (number[] | null)[]) => {
    const image = cluster({ replicas: [1, 2] })
    const outcome = alterPartitionReassignments(of(image), {
      timeoutMs: 0,
      allowReplicationFactorChange: true,
      topics: targets.map((replicas) => ({ name: 'topic-9', partitions: [{ partitionIndex: 0, replicas }] })),
    })
    const answers = outcome.response.responses?.flatMap(({ partitions }) => partitions ?? [])
    return {
      errors: answers?.map(({ errorCode }) => errorName(errorCode ?? 0)),
      partition: partitionIn(after(image, outcome)),
    }
  }

  test('goes where the last one says, without a trace of the others', () => {
    const { errors, partition } = twice([3], [1, 2, 4])
    expect(errors).toEqual(['NONE', 'NONE'])
    expect(partition).toMatchObject({
      replicas: [1, 2, 4],
      addingReplicas: [4],
      removingReplicas: [],
      partitionEpoch: 1,
    })
  })

  test('stays where the last one says that it is', () => {
    expect(twice([3, 4], [1, 2]).partition).toMatchObject({ replicas: [1, 2], addingReplicas: [], partitionEpoch: 0 })
  })

  test('does not follow one that is refused', () => {
    const { errors, partition } = twice([1, 3], [9], null)
    expect(errors).toEqual(['NONE', 'INVALID_REPLICA_ASSIGNMENT', 'NO_REASSIGNMENT_IN_PROGRESS'])
    expect(partition).toMatchObject({ replicas: [1, 3, 2], addingReplicas: [3], removingReplicas: [2] })
  })
})

describe('a cancellation', () => {
  const moving: PartitionState = { replicas: [4, 5, 1, 2], isr: [1, 2, 4], leader: 1, adding: [4, 5], removing: [2] }

  test('goes back to the replicas of before', () => {
    expect(partitionIn(reassign(cluster(moving), null).image)).toMatchObject({
      replicas: [1, 2],
      isr: [1, 2],
      leader: 1,
      leaderEpoch: 1,
      addingReplicas: [],
      removingReplicas: [],
    })
  })

  test('takes the lead from a replica that goes', () => {
    expect(partitionIn(reassign(cluster({ ...moving, leader: 4 }), null).image)).toMatchObject({ leader: 1 })
  })

  test('needs something to cancel', () => {
    expect(reassign(cluster({ replicas: [1] }), null)).toMatchObject({
      error: 'NO_REASSIGNMENT_IN_PROGRESS',
      message: null,
    })
  })

  test('does not lose records unless that is allowed', () => {
    const ahead = { ...moving, isr: [4], leader: 4 }
    expect(reassign(cluster(ahead), null)).toMatchObject({ records: [], error: 'INVALID_REPLICA_ASSIGNMENT' })
    const allowed = config(ResourceType.TOPIC, 'topic-9', 'unclean.leader.election.enable', 'true')
    expect(partitionIn(reassign(cluster(ahead, [allowed]), null).image)).toMatchObject({ replicas: [1, 2], leader: 1 })
  })
})

test('the reassignments that go on are listed, of all topics or of those that are named', () => {
  const image = clusterOf(
    [1, 2, 3],
    [],
    [
      ...topicWith(8, { replicas: [1, 2] }),
      ...topicWith(9, { replicas: [1] }, { replicas: [3, 1], isr: [1], leader: 1, adding: [3], removing: [1] }),
    ],
  )
  const moving = { partitionIndex: 1, replicas: [3, 1], addingReplicas: [3], removingReplicas: [1] }
  const listed = (topics: { name: string; partitionIndexes: number[] }[] | null) =>
    listPartitionReassignments(image, { timeoutMs: 0, topics }).topics
  expect(listed(null)).toEqual([{ name: 'topic-9', partitions: [moving] }])
  expect(listed([{ name: 'topic-9', partitionIndexes: [0, 1, 7] }])).toEqual([
    { name: 'topic-9', partitions: [moving] },
  ])
  expect(listed([{ name: 'topic-8', partitionIndexes: [0] }])).toEqual([])
})
