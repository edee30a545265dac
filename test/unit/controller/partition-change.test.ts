import { describe, expect, test } from '@jest/globals'
import type { StaticSettings } from '../../../broker/controller/cluster.ts'
import { changePartition, type PartitionTarget } from '../../../broker/controller/partition-change.ts'
import type { MetadataImage } from '../../../broker/metadata/image.ts'
import { LOST_DIRECTORY, UNASSIGNED_DIRECTORY } from '../../../broker/metadata/directory-id.ts'
import type { MetadataRecord } from '../../../broker/protocol/metadata-record.ts'
import { record, uuid } from '../metadata/records.ts'
import { applied, clusterOf, ELR, of, partitionIn, type PartitionState, topicWith } from './cluster.ts'

function cluster(state: PartitionState, fenced: readonly number[] = [], more: readonly MetadataRecord[] = []) {
  return clusterOf([1, 2, 3, 4], fenced, [...more, ...topicWith(9, state)])
}

/** The partition afterwards; null where nothing changes. */
function changed(image: MetadataImage, target: PartitionTarget, settings: Partial<StaticSettings> = {}) {
  const topic = image.topic('topic-9')
  const partition = topic?.partitions[0]
  if (topic === undefined || partition === undefined) throw new Error('no topic-9')
  const change = changePartition(of(image, settings), { topic, partition }, target)
  return change === null ? null : partitionIn(applied(image, [change]))
}

describe('elections', () => {
  test('a leader that may lead stays', () => {
    expect(changed(cluster({ replicas: [1, 2], leader: 2 }), {})).toBeNull()
  })

  test('the first replica in sync follows a leader that may not', () => {
    const image = cluster({ replicas: [1, 2, 3], isr: [3, 2], leader: 1 }, [1])
    expect(changed(image, {})).toMatchObject({ leader: 2, isr: [3, 2], leaderEpoch: 1 })
  })

  test('the last ISR is kept while nobody may lead', () => {
    const image = cluster({ replicas: [1, 2], isr: [1] }, [1])
    expect(changed(image, { isr: [] })).toMatchObject({ leader: -1, isr: [1] })
  })

  test('an unclean leader is alone, and recovers', () => {
    const image = cluster({ replicas: [1, 2], isr: [1] }, [1])
    expect(changed(image, { isr: [], election: 'unclean' })).toMatchObject({
      leader: 2,
      isr: [2],
      leaderRecoveryState: 1,
    })
  })

  test('an unclean election that finds somebody in sync is clean', () => {
    const image = cluster({ replicas: [1, 2], isr: [1, 2] }, [1])
    expect(changed(image, { election: 'unclean' })).toMatchObject({ leader: 2, isr: [1, 2], leaderRecoveryState: 0 })
  })

  test('the preferred leader takes over from one that could stay', () => {
    const image = cluster({ replicas: [1, 2, 3], leader: 3 })
    expect(changed(image, { election: 'preferred' })).toMatchObject({ leader: 1, leaderEpoch: 1 })
  })

  test('without the preferred leader the one that is there stays', () => {
    expect(changed(cluster({ replicas: [1, 2, 3], leader: 3 }, [1]), { election: 'preferred' })).toBeNull()
  })

  test('nobody leads from a directory that has failed', () => {
    const image = cluster({ replicas: [1, 2, 3], directories: [LOST_DIRECTORY, uuid(77), UNASSIGNED_DIRECTORY] })
    expect(changed(image, {})).toMatchObject({ leader: 3 })
  })
})

describe('eligible leader replicas', () => {
  const MIN_2 = { minInSyncReplicas: 2 }

  test('whoever leaves the ISR below its minimum is eligible', () => {
    const image = cluster({ replicas: [1, 2, 3], isr: [1, 2] }, [], [ELR])
    expect(changed(image, { isr: [1] }, MIN_2)).toMatchObject({ isr: [1], eligibleLeaderReplicas: [2] })
  })

  test('nobody is while the ISR has its minimum', () => {
    const image = cluster({ replicas: [1, 2, 3] }, [], [ELR])
    expect(changed(image, { isr: [1, 2] }, MIN_2)).toMatchObject({ eligibleLeaderReplicas: [] })
    const below = cluster({ replicas: [1, 2, 3], isr: [1], elr: [2, 3] }, [], [ELR])
    expect(changed(below, { isr: [1, 3] }, MIN_2)).toMatchObject({ eligibleLeaderReplicas: [] })
  })

  test('the minimum is at most the replication factor', () => {
    const image = cluster({ replicas: [1, 2] }, [], [ELR])
    expect(changed(image, { isr: [1] }, { minInSyncReplicas: 5 })).toMatchObject({ eligibleLeaderReplicas: [2] })
    const one = cluster({ replicas: [1], isr: [1] }, [], [ELR])
    expect(changed(one, { leaderRecoveryState: 1 }, { minInSyncReplicas: 5 })?.eligibleLeaderReplicas).toEqual([])
  })

  test('a broker that may have lost its log is not', () => {
    const image = cluster({ replicas: [1, 2, 3], isr: [1, 2], elr: [3] }, [], [ELR])
    expect(changed(image, { isr: [1], mayHaveLost: 2 }, MIN_2)).toMatchObject({ eligibleLeaderReplicas: [3] })
  })

  test('the ISR may become empty, and the last leader is remembered', () => {
    const image = cluster({ replicas: [1, 2], isr: [1], elr: [2] }, [1, 2], [ELR])
    expect(changed(image, { isr: [] }, MIN_2)).toMatchObject({
      leader: -1,
      isr: [],
      eligibleLeaderReplicas: [1, 2],
      lastKnownElr: [1],
    })
  })

  test('the first that is eligible leads, and is in sync', () => {
    const image = cluster({ replicas: [1, 2, 3], isr: [], leader: -1, elr: [2, 3], lastKnownElr: [1] }, [1], [ELR])
    expect(changed(image, {}, MIN_2)).toMatchObject({
      leader: 2,
      isr: [2],
      eligibleLeaderReplicas: [3],
      lastKnownElr: [],
      leaderRecoveryState: 0,
    })
  })

  test('nobody that is eligible leads while somebody is in sync', () => {
    const image = cluster({ replicas: [1, 2], isr: [1], leader: -1, elr: [2] }, [1], [ELR])
    expect(changed(image, {}, MIN_2)).toBeNull()
  })

  test('the last leader leads where nobody is eligible, as an unclean one', () => {
    const image = cluster({ replicas: [1, 2], isr: [], leader: -1, lastKnownElr: [2] }, [], [ELR])
    expect(changed(image, {}, MIN_2)).toMatchObject({ leader: 2, isr: [2], leaderRecoveryState: 1, lastKnownElr: [] })
  })

  test('an unclean election forgets them', () => {
    const image = cluster({ replicas: [1, 2, 3], isr: [], leader: -1, elr: [1], lastKnownElr: [1] }, [1], [ELR])
    expect(changed(image, { election: 'unclean' }, MIN_2)).toMatchObject({
      leader: 2,
      isr: [2],
      eligibleLeaderReplicas: [],
      lastKnownElr: [],
    })
  })

  test('those that an older feature level left are cleared by the next change', () => {
    const image = cluster({ replicas: [1, 2, 3], isr: [1, 2], elr: [3] })
    expect(changed(image, { isr: [1] })).toMatchObject({ isr: [1], eligibleLeaderReplicas: [] })
  })
})

describe('directories', () => {
  test('a replica is where its broker says', () => {
    const image = cluster({ replicas: [1, 2] })
    expect(changed(image, { directory: { brokerId: 2, id: uuid(55) } })?.directories).toEqual([uuid(1), uuid(55)])
  })

  test('metadata of before has none', () => {
    const old = record('FeatureLevelRecord', { name: 'metadata.version', featureLevel: 16 })
    const image = cluster({ replicas: [1, 2] }, [], [old])
    expect(changed(image, { directory: { brokerId: 2, id: uuid(55) } })).toBeNull()
  })
})
