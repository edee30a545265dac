import { describe, expect, test } from '@jest/globals'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { batchOf } from '../storage/fixture.ts'
import { PartitionRig, stateOf } from './rig.ts'

describe('the leader epoch of a client', () => {
  test.each([
    [-1, ErrorCode.NONE],
    [3, ErrorCode.NONE],
    [2, ErrorCode.FENCED_LEADER_EPOCH],
    [4, ErrorCode.UNKNOWN_LEADER_EPOCH],
  ])('%i gives error %i', async (epoch, error) => {
    const { partition } = await PartitionRig.open()
    expect(partition.checkLeader(epoch)).toBe(error)
  })

  test('is of no use where another broker leads', async () => {
    const { partition } = await PartitionRig.open({ leader: 2 })
    expect(partition.checkLeader(3)).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
  })
})

describe('a replica whose log dir has failed', () => {
  test('says so until another broker leads, and then that', async () => {
    const { partition } = await PartitionRig.open({ replicas: [1, 2], isr: [1, 2] })
    partition.remove(ErrorCode.KAFKA_STORAGE_ERROR)
    expect(partition.checkLeader(-1)).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
    partition.update(stateOf({ leader: 2, leaderEpoch: 4, partitionEpoch: 1, replicas: [1, 2], isr: [2] }))
    expect(partition.checkLeader(-1)).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    expect(partition.checkReader(-1, true)).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
  })
})

describe('what a follower of epoch 3 fetched', () => {
  const of = (baseOffset: number, leaderEpoch: number): Uint8Array => batchOf({ baseOffset, leaderEpoch })

  test('is not appended from where a later leader wrote it', async () => {
    const { partition } = await PartitionRig.open({ leader: 2 })
    expect(partition.appendAsFollower(Buffer.concat([of(0, 2), of(1, 3), of(2, 4)]), 3)).toMatchObject({ ok: true })
    expect(partition.log.logEndOffset).toBe(2)
    expect(partition.appendAsFollower(of(2, 4), 3)).toMatchObject({ ok: false, error: 'CORRUPT_MESSAGE' })
    expect(partition.log.logEndOffset).toBe(2)
    expect(partition.log.leaderEpochs.latestEpoch).toBe(3)
  })
})

describe('the high watermark', () => {
  test('of the only in-sync replica is what is in its file', async () => {
    const rig = await PartitionRig.open()
    rig.outcomeOf({ values: ['a', 'b'] })
    expect(rig.partition.log.highWatermark).toBe(0)
    rig.write()
    expect(rig.partition.log.highWatermark).toBe(2)
  })

  test('waits for other in-sync replicas, and moves when they leave the set', async () => {
    const rig = await PartitionRig.open({ replicas: [1, 2], isr: [1, 2] })
    rig.append('a')
    expect(rig.partition.log.highWatermark).toBe(0)
    rig.fenced.add(2)
    rig.partition.update(stateOf({ replicas: [1, 2], isr: [1], partitionEpoch: 1 }))
    expect(rig.partition.log.highWatermark).toBe(1)
  })

  test('does not wait for one that the controller took out, until that fetches again', async () => {
    const rig = await PartitionRig.open({ replicas: [1, 2], isr: [1, 2] })
    const fetched = (fetchOffset: number): boolean =>
      rig.partition.fetchedBy(2, { fetchOffset, logStartOffset: 0, brokerEpoch: 5 })
    fetched(0)
    rig.append('a')
    // Its log dir has failed: it lives on, and fetches other partitions.
    rig.partition.update(stateOf({ replicas: [1, 2], isr: [1], partitionEpoch: 1 }))
    rig.partition.fetchedUntil(2, { fetchOffset: 0, logStartOffset: 0, brokerEpoch: 5 }, rig.bed.clock.monotonicMs())
    expect(rig.partition.log.highWatermark).toBe(1)
    fetched(1)
    rig.append('b')
    expect(rig.partition.log.highWatermark).toBe(1)
    fetched(2)
    expect(rig.partition.log.highWatermark).toBe(2)
  })

  test('of a follower is not its own affair', async () => {
    const rig = await PartitionRig.open({ leader: 2 })
    rig.partition.log.appendAsFollower(batchOf())
    rig.write()
    expect(rig.partition.log.highWatermark).toBe(0)
  })
})

describe('an append', () => {
  test('is refused where another broker leads', async () => {
    const rig = await PartitionRig.open({ leader: 2 })
    expect(rig.outcomeOf({}).error).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
  })

  test('with acks=all is refused below min.insync.replicas, with acks=1 it is not', async () => {
    const rig = await PartitionRig.open({ replicas: [1, 2], isr: [1] }, { minInSyncReplicas: 2 })
    expect(rig.outcomeOf({}, true).error).toBe(ErrorCode.NOT_ENOUGH_REPLICAS)
    expect(rig.outcomeOf({}, false).error).toBe(ErrorCode.NONE)
  })

  test('is not held to more in-sync replicas than there are replicas', async () => {
    const rig = await PartitionRig.open({}, { minInSyncReplicas: 2 })
    expect(rig.outcomeOf({}, true).error).toBe(ErrorCode.NONE)
  })

  test('that the log refuses tells where the log starts', async () => {
    const rig = await PartitionRig.open()
    rig.append('a', 'b')
    rig.partition.log.incrementLogStartOffset(1)
    const refused = rig.outcomeOf({ producerId: 7, producerEpoch: 0, baseSequence: 0 })
    expect(refused.error).toBe(ErrorCode.NONE)
    const gap = rig.outcomeOf({ producerId: 7, producerEpoch: 0, baseSequence: 9 })
    expect(gap).toMatchObject({ error: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, logStartOffset: 1 })
  })

  test('that is too large does not', async () => {
    const rig = await PartitionRig.open({}, { maxMessageBytes: 70 })
    const large = rig.outcomeOf({ values: ['x'.repeat(100)] })
    expect(large).toMatchObject({ error: ErrorCode.MESSAGE_TOO_LARGE, logStartOffset: -1 })
  })

  test('is followed by the rules of the topic as they are then', async () => {
    const rig = await PartitionRig.open()
    expect(rig.outcomeOf({}).error).toBe(ErrorCode.NONE)
    rig.partition.configure({ ...rig.partition.rules, compacted: true })
    expect(rig.outcomeOf({}).error).toBe(ErrorCode.INVALID_RECORD)
  })
})

describe("a leader's epoch", () => {
  test('begins at the end of the log, before anything is written', async () => {
    const rig = await PartitionRig.open()
    rig.append('a', 'b')
    rig.partition.update(stateOf({ leaderEpoch: 5 }))
    expect(rig.partition.log.leaderEpochs.entries).toEqual([
      { epoch: 3, startOffset: 0 },
      { epoch: 5, startOffset: 2 },
    ])
  })

  test('is not begun by a follower', async () => {
    const rig = await PartitionRig.open({ leader: 2 })
    expect(rig.partition.log.leaderEpochs.entries).toEqual([])
  })
})

describe('whoever waits', () => {
  test('is told at once of an offset that is reached', async () => {
    const rig = await PartitionRig.open()
    rig.append('a')
    const told: ErrorCode[] = []
    rig.partition.awaitLocal(1, (error) => told.push(error))
    rig.partition.awaitCommitted(1, (error) => told.push(error))
    expect(told).toEqual([ErrorCode.NONE, ErrorCode.NONE])
  })

  test('is told at once of an offset that is reached, also behind others that wait for more', async () => {
    const rig = await PartitionRig.open({ replicas: [1, 2], isr: [1, 2] })
    rig.append('a')
    rig.append('b')
    rig.partition.fetchedBy(2, { fetchOffset: 1, logStartOffset: 0, brokerEpoch: -1 })
    const told: number[] = []
    for (const offset of [2, 1]) rig.partition.awaitCommitted(offset, () => told.push(offset))
    expect(told).toEqual([1])
  })

  test('hears at once that this broker does not lead any more', async () => {
    const rig = await PartitionRig.open({ leader: 2 })
    const told: ErrorCode[] = []
    rig.partition.awaitCommitted(1, (error) => told.push(error))
    rig.partition.awaitLocal(1, (error) => told.push(error))
    expect(told).toEqual([ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.NOT_LEADER_OR_FOLLOWER])
  })

  test('hears that the leadership has ended', async () => {
    const rig = await PartitionRig.open()
    const told: ErrorCode[] = []
    rig.partition.awaitCommitted(1, (error) => told.push(error))
    rig.partition.watchers.add({ changed: (event) => event === 'role' && told.push(ErrorCode.NONE) })
    rig.partition.update(stateOf({ leader: 2, leaderEpoch: 4 }))
    expect(told).toEqual([ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.NONE])
  })

  test('hears that the replica is gone, also when it comes later', async () => {
    const rig = await PartitionRig.open()
    const told: ErrorCode[] = []
    rig.partition.awaitLocal(1, (error) => told.push(error))
    rig.partition.remove(ErrorCode.KAFKA_STORAGE_ERROR)
    rig.partition.awaitLocal(1, (error) => told.push(error))
    expect(told).toEqual([ErrorCode.KAFKA_STORAGE_ERROR, ErrorCode.KAFKA_STORAGE_ERROR])
    expect(rig.partition.checkLeader(-1)).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
    expect(rig.partition.isLeader).toBe(false)
  })

  test('hears that brokers have come or gone, where it waits for followers', async () => {
    const rig = await PartitionRig.open()
    let told = 0
    rig.partition.onFollowers(() => told++)
    rig.partition.reconsider()
    expect(told).toBe(1)
  })

  test('is left alone once it has given up', async () => {
    const rig = await PartitionRig.open()
    let told = 0
    rig.partition.awaitCommitted(1, () => told++).cancel()
    rig.partition.onFollowers(() => told++).cancel()
    rig.append('a')
    rig.partition.reconsider()
    expect(told).toBe(0)
  })
})
