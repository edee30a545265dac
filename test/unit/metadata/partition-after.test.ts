import { expect, test } from '@jest/globals'
import { MetadataDelta } from '../../../broker/metadata/delta.ts'
import {
  isOnlineDirectory,
  isReservedDirectory,
  LOST_DIRECTORY,
  MIGRATING_DIRECTORY,
  UNASSIGNED_DIRECTORY,
} from '../../../broker/metadata/directory-id.ts'
import { MetadataImage, type PartitionImage } from '../../../broker/metadata/image.ts'
import { partitionAfter } from '../../../broker/metadata/partition-after.ts'
import { record, topic, uuid } from './records.ts'

const BEFORE: PartitionImage = {
  index: 0,
  replicas: [1, 2],
  directories: [uuid(1), uuid(2)],
  isr: [1, 2],
  removingReplicas: [],
  addingReplicas: [],
  leader: 1,
  leaderEpoch: 4,
  partitionEpoch: 9,
  leaderRecoveryState: 0,
  eligibleLeaderReplicas: [],
  lastKnownElr: [],
}
const CHANGE = { topicId: uuid(9), partitionId: 0 }

test('a change counts in the partition epoch, one that names the leader in the leader epoch too', () => {
  expect(partitionAfter(BEFORE, { ...CHANGE, isr: [1] })).toMatchObject({ leaderEpoch: 4, partitionEpoch: 10 })
  expect(partitionAfter(BEFORE, { ...CHANGE, leader: 1 })).toMatchObject({ leaderEpoch: 5, partitionEpoch: 10 })
})

test('replicas without directories are in none that is known', () => {
  expect(partitionAfter(BEFORE, { ...CHANGE, replicas: [1, 2, 3] }).directories).toEqual([
    MIGRATING_DIRECTORY,
    MIGRATING_DIRECTORY,
    MIGRATING_DIRECTORY,
  ])
})

test('clearing the eligible leader replicas is a change of the partitions that had some', () => {
  const start = new MetadataDelta(MetadataImage.EMPTY)
  for (const made of topic(9, 2)) start.replay(made)
  start.replay(record('PartitionChangeRecord', { ...CHANGE, eligibleLeaderReplicas: [2] }, 2))
  start.replay(record('ClearElrRecord', { topicName: '' }))
  const image = start.finish(MetadataImage.EMPTY.provenance)
  const stands = image.topic('topic-9')?.partitions.map((of) => [of.partitionEpoch, of.eligibleLeaderReplicas])
  expect(stands).toEqual([
    [2, []],
    [0, []],
  ])
})

test('ids below 100 stand for no directory', () => {
  for (const id of [MIGRATING_DIRECTORY, UNASSIGNED_DIRECTORY, LOST_DIRECTORY, 'no uuid']) {
    expect(isReservedDirectory(id)).toBe(true)
  }
  expect(isReservedDirectory(uuid(1))).toBe(false)
})

test('what is not in a directory yet is online, what was lost is not', () => {
  expect([MIGRATING_DIRECTORY, UNASSIGNED_DIRECTORY, uuid(1)].map((id) => isOnlineDirectory(id, [uuid(1)]))).toEqual([
    true,
    true,
    true,
  ])
  expect([LOST_DIRECTORY, uuid(2)].map((id) => isOnlineDirectory(id, [uuid(1)]))).toEqual([false, false])
  expect(isOnlineDirectory(uuid(2), [])).toBe(true)
})
