import { describe, expect, test } from '@jest/globals'
import { alterPartition } from '../../../broker/controller/alter-partition.ts'
import { LOST_DIRECTORY } from '../../../broker/metadata/directory-id.ts'
import type { MetadataImage } from '../../../broker/metadata/image.ts'
import { ErrorCode, errorName } from '../../../broker/protocol/errors.ts'
import { record, uuid } from '../metadata/records.ts'
import { after, clusterOf, of, partitionIn, type PartitionState, topicWith } from './cluster.ts'

interface Asked {
  readonly brokerId?: number
  readonly brokerEpoch?: number
  readonly topicId?: string
  readonly partition?: number
  readonly leaderEpoch?: number
  readonly partitionEpoch?: number
  readonly recovering?: boolean
  /** Broker epochs by id, as v3 has them; ids alone are v2's. */
  readonly epochs?: Readonly<Record<number, number>>
}

function ask(image: MetadataImage, isr: readonly number[], asked: Asked = {}) {
  const brokerId = asked.brokerId ?? 1
  const withEpochs = isr.map((id) => ({ brokerId: id, brokerEpoch: BigInt(asked.epochs?.[id] ?? -1) }))
  const isV3 = asked.epochs !== undefined
  const outcome = alterPartition(of(image), {
    brokerId,
    brokerEpoch: BigInt(asked.brokerEpoch ?? brokerId + 100),
    topics: [
      {
        topicId: asked.topicId ?? uuid(9),
        partitions: [
          {
            partitionIndex: asked.partition ?? 0,
            leaderEpoch: asked.leaderEpoch ?? 5,
            partitionEpoch: asked.partitionEpoch ?? 7,
            newIsrWithEpochs: isV3 ? withEpochs : [],
            newIsr: isV3 ? [] : [...isr],
            leaderRecoveryState: asked.recovering === true ? 1 : 0,
          },
        ],
      },
    ],
  })
  const answer = outcome.response.topics?.[0]?.partitions?.[0]
  return { image: after(image, outcome), records: outcome.records, answer, error: errorName(answer?.errorCode ?? 0) }
}

/** Brokers 1 to 4; topic 9 on 1, 2 and 3. */
function cluster(state: Partial<PartitionState> = {}, fenced: readonly number[] = []) {
  const partition = { replicas: [1, 2, 3], leaderEpoch: 5, partitionEpoch: 7, ...state }
  return clusterOf([1, 2, 3, 4], fenced, topicWith(9, partition))
}

describe('the ISR of a leader', () => {
  test('it shrinks in the same leader epoch', () => {
    const { image, answer } = ask(cluster(), [1, 3])
    const stands = { isr: [1, 3], leaderEpoch: 5, partitionEpoch: 8 }
    expect(partitionIn(image)).toMatchObject({ ...stands, leader: 1 })
    expect(answer).toMatchObject({ ...stands, leaderId: 1, errorCode: ErrorCode.NONE })
  })

  test('before metadata.version 3.6 a smaller ISR begins a leader epoch', () => {
    const partition = topicWith(9, { replicas: [1, 2, 3], leaderEpoch: 5, partitionEpoch: 7 })
    const old = clusterOf(
      [1, 2, 3],
      [],
      [record('FeatureLevelRecord', { name: 'metadata.version', featureLevel: 11 }), ...partition],
    )
    expect(partitionIn(ask(old, [1, 3]).image)).toMatchObject({ isr: [1, 3], leader: 1, leaderEpoch: 6 })
  })

  test('it grows', () => {
    const { image } = ask(cluster({ isr: [1] }), [1, 2], { epochs: { 1: 101, 2: 102 } })
    expect(partitionIn(image)?.isr).toEqual([1, 2])
  })

  test('an ISR that it has already makes no record', () => {
    const { records, answer } = ask(cluster(), [1, 2, 3])
    expect(records).toEqual([])
    expect(answer).toMatchObject({ errorCode: ErrorCode.NONE, partitionEpoch: 7, isr: [1, 2, 3] })
  })

  test('a leader that has recovered says so', () => {
    const { image, answer } = ask(cluster({ isr: [1], recovering: true }), [1])
    expect(partitionIn(image)).toMatchObject({ leaderRecoveryState: 0, partitionEpoch: 8 })
    expect(answer?.leaderRecoveryState).toBe(0)
  })
})

describe('refusals', () => {
  test.each<[string, readonly number[], Asked, string]>([
    ['a topic that is not there', [1], { topicId: uuid(8) }, 'UNKNOWN_TOPIC_ID'],
    ['a partition that is not there', [1], { partition: 4 }, 'UNKNOWN_TOPIC_OR_PARTITION'],
    ['a leader epoch of the future', [1], { leaderEpoch: 6 }, 'NOT_CONTROLLER'],
    ['a partition epoch of the future', [1], { partitionEpoch: 8 }, 'NOT_CONTROLLER'],
    ['a leader epoch that is over', [1], { leaderEpoch: 4 }, 'FENCED_LEADER_EPOCH'],
    ['a partition epoch that is over', [1], { partitionEpoch: 6 }, 'INVALID_UPDATE_VERSION'],
    ['a broker that does not lead', [1, 2], { brokerId: 2 }, 'INVALID_REQUEST'],
    ['an ISR without its leader', [2, 3], {}, 'INVALID_REQUEST'],
    ['an ISR with a stranger', [1, 4], {}, 'INVALID_REQUEST'],
    ['an ISR that names a replica twice', [1, 2, 2], {}, 'INVALID_REQUEST'],
    ['a leader that was recovered and recovers', [1], { recovering: true }, 'INVALID_REQUEST'],
    ['another incarnation of a broker', [1, 2], { epochs: { 1: 101, 2: 99 } }, 'INELIGIBLE_REPLICA'],
  ])('%s', (_what, isr, asked, error) => {
    expect(ask(cluster(), isr, asked)).toMatchObject({ records: [], error })
  })

  test('a recovering leader is alone', () => {
    const image = cluster({ isr: [1], recovering: true })
    expect(ask(image, [1, 2], { recovering: true }).error).toBe('INVALID_REQUEST')
  })

  test('a fenced broker does not join', () => {
    expect(ask(cluster({ isr: [1] }, [2]), [1, 2]).error).toBe('INELIGIBLE_REPLICA')
  })

  test('a replica that is lost does not join', () => {
    const image = cluster({ isr: [1], directories: [uuid(1), LOST_DIRECTORY, uuid(3)] })
    expect(ask(image, [1, 2]).error).toBe('INELIGIBLE_REPLICA')
    expect(ask(image, [1, 3]).error).toBe('NONE')
  })

  test('a broker in controlled shutdown does not join', () => {
    const change = { brokerId: 2, brokerEpoch: 102n, inControlledShutdown: 1 }
    const partition = topicWith(9, { replicas: [1, 2], isr: [1], leaderEpoch: 5, partitionEpoch: 7 })
    const image = clusterOf([1, 2], [], [record('BrokerRegistrationChangeRecord', change, 1), ...partition])
    expect(ask(image, [1, 2]).error).toBe('INELIGIBLE_REPLICA')
  })

  test('a broker of another epoch changes nothing at all', () => {
    expect(() => ask(cluster(), [1], { brokerEpoch: 9 })).toThrow(
      expect.objectContaining({ code: ErrorCode.STALE_BROKER_EPOCH }),
    )
  })
})

describe('reassignments', () => {
  test('complete when what comes is in sync', () => {
    const image = cluster({ replicas: [1, 4, 3, 2], isr: [1, 2, 3], adding: [4], removing: [2] })
    const { image: next, error } = ask(image, [1, 2, 3, 4])
    expect(error).toBe('NONE')
    expect(partitionIn(next)).toMatchObject({
      replicas: [1, 4, 3],
      isr: [1, 3, 4],
      addingReplicas: [],
      removingReplicas: [],
      directories: [uuid(1), uuid(4), uuid(3)],
      leader: 1,
      leaderEpoch: 6,
    })
  })

  test('a leader that goes hands over', () => {
    const image = cluster({ replicas: [4, 2, 3, 1], isr: [1, 2, 3], leader: 1, adding: [4], removing: [1] })
    const { image: next, error } = ask(image, [1, 2, 3, 4])
    expect(error).toBe('NEW_LEADER_ELECTED')
    expect(partitionIn(next)).toMatchObject({ replicas: [4, 2, 3], leader: 4, leaderEpoch: 6, isr: [2, 3, 4] })
  })

  test('go on while what comes is not in sync', () => {
    const image = cluster({ replicas: [1, 4, 3, 2], isr: [1, 2, 3], adding: [4], removing: [2] })
    expect(partitionIn(ask(image, [1, 3]).image)).toMatchObject({ replicas: [1, 4, 3, 2], addingReplicas: [4] })
  })

  test('with fewer replicas than before wait for all that stay', () => {
    const image = cluster({ replicas: [1, 2, 3], isr: [1, 3], removing: [3] })
    expect(partitionIn(ask(image, [1]).image)).toMatchObject({ replicas: [1, 2, 3], removingReplicas: [3] })
    expect(partitionIn(ask(image, [1, 2]).image)).toMatchObject({ replicas: [1, 2], removingReplicas: [] })
  })
})
