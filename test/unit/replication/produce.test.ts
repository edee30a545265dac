import { describe, expect, test } from '@jest/globals'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { type AppendOutcome, refusedAppend } from '../../../broker/replication/append-outcome.ts'
import type { Partition } from '../../../broker/replication/partition.ts'
import { produce } from '../../../broker/replication/produce.ts'
import { batchOf } from '../storage/fixture.ts'
import { PartitionRig, stateOf } from './rig.ts'

const errorsOf = (outcomes: readonly AppendOutcome[]): ErrorCode[] => outcomes.map(({ error }) => error)

/** What a promise has come to, without waiting for it. */
function watch<T>(promise: T | Promise<T>): { value: T | undefined } {
  const seen: { value: T | undefined } = { value: undefined }
  void Promise.resolve(promise).then((value) => (seen.value = value))
  return seen
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('an answer', () => {
  test('with acks=0 does not wait', async () => {
    const { partition, bed } = await PartitionRig.open()
    const outcomes = produce([{ partition, records: batchOf() }], 0, 1000, bed.clock)
    expect(outcomes).toMatchObject([{ error: ErrorCode.NONE, baseOffset: 0 }])
  })

  test.each([1, -1] as const)('with acks=%i waits for the file', async (acks) => {
    const rig = await PartitionRig.open()
    const { partition, bed } = rig
    const seen = watch(produce([{ partition, records: batchOf() }], acks, 1000, bed.clock))
    await settle()
    expect(seen.value).toBeUndefined()
    rig.write()
    await settle()
    expect(seen.value).toMatchObject([{ error: ErrorCode.NONE, baseOffset: 0 }])
  })

  test('with acks=all waits for the other in-sync replicas too', async () => {
    const rig = await PartitionRig.open({ replicas: [1, 2], isr: [1, 2] })
    const { partition, bed } = rig
    const seen = watch(produce([{ partition, records: batchOf() }], -1, 1000, bed.clock))
    rig.write()
    await settle()
    expect(seen.value).toBeUndefined()
    rig.fenced.add(2)
    partition.update(stateOf({ replicas: [1, 2], isr: [1], partitionEpoch: 1 }))
    await settle()
    expect(errorsOf(seen.value ?? [])).toEqual([ErrorCode.NONE])
  })

  test('does not come before all is appended: the memory of the request is used again after it', async () => {
    const rig = await PartitionRig.open({ replicas: [1, 2], isr: [1, 2] })
    const slow = Promise.withResolvers<AppendOutcome>()
    const appending = { append: () => slow.promise } as unknown as Partition
    const entries = [
      { partition: rig.partition, records: batchOf() },
      { partition: appending, records: batchOf() },
    ]
    const seen = watch(produce(entries, -1, 1000, rig.bed.clock))
    rig.write()
    await rig.bed.clock.run(1000)
    await settle()
    expect(seen.value).toBeUndefined()
    slow.resolve({ ...refusedAppend(ErrorCode.NONE), baseOffset: 0, nextOffset: 1 })
    await settle()
    expect(errorsOf(seen.value ?? [])).toEqual([ErrorCode.REQUEST_TIMED_OUT, ErrorCode.REQUEST_TIMED_OUT])
  })

  test('may be far away when all is decided: nobody looks at the records any more', async () => {
    const rig = await PartitionRig.open({ replicas: [1, 2], isr: [1, 2] })
    const slow = [Promise.withResolvers<AppendOutcome>(), Promise.withResolvers<AppendOutcome>()]
    const entries = [
      { partition: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, records: batchOf() },
      { partition: rig.partition, records: batchOf() },
      { partition: rig.partition, records: null },
      ...slow.map(({ promise }) => ({
        partition: { append: () => promise } as unknown as Partition,
        records: batchOf(),
      })),
    ]
    let decided = 0
    const seen = watch(produce(entries, -1, 1000, rig.bed.clock, () => decided++))
    rig.write()
    slow[0]?.reject(new Error('a bug'))
    await rig.bed.clock.run(1000)
    expect(decided).toBe(0)
    slow[1]?.resolve({ ...refusedAppend(ErrorCode.NONE), baseOffset: 0, nextOffset: 1, recordCount: 3 })
    await settle()
    expect(decided).toBe(1)
    expect(seen.value?.map(({ error, recordCount }) => [error, recordCount])).toEqual([
      [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 0],
      [ErrorCode.REQUEST_TIMED_OUT, 1],
      [ErrorCode.INVALID_RECORD, 0],
      [ErrorCode.UNKNOWN_SERVER_ERROR, 0],
      [ErrorCode.REQUEST_TIMED_OUT, 3],
    ])
  })

  test('waits on for the replicas when all is decided', async () => {
    const { partition, bed } = await PartitionRig.open({ replicas: [1, 2], isr: [1, 2] })
    let decided = 0
    const seen = watch(produce([{ partition, records: batchOf() }], -1, 1000, bed.clock, () => decided++))
    await settle()
    expect([decided, seen.value]).toEqual([1, undefined])
  })

  test('comes at the time-out, and what was appended stays', async () => {
    const rig = await PartitionRig.open({ replicas: [1, 2], isr: [1, 2] })
    const { partition, bed } = rig
    const other = await PartitionRig.open({ leader: 2 })
    const entries = [
      { partition, records: batchOf() },
      { partition: other.partition, records: batchOf() },
    ]
    const seen = watch(produce(entries, -1, 1000, bed.clock))
    rig.write()
    await bed.clock.run(1000)
    await settle()
    expect(errorsOf(seen.value ?? [])).toEqual([ErrorCode.REQUEST_TIMED_OUT, ErrorCode.NOT_LEADER_OR_FOLLOWER])
    expect(partition.log.logEndOffset).toBe(1)
  })

  test('says at the time-out what is committed all the same', async () => {
    const rig = await PartitionRig.open({ replicas: [1, 2], isr: [1, 2] })
    const alone = await PartitionRig.open()
    const entries = [rig, alone].map(({ partition }) => ({ partition, records: batchOf() }))
    const seen = watch(produce(entries, -1, 1000, rig.bed.clock))
    for (const each of [rig, alone]) each.write()
    await rig.bed.clock.run(1000)
    await settle()
    expect(seen.value).toMatchObject([{ error: ErrorCode.REQUEST_TIMED_OUT }, { error: ErrorCode.NONE, baseOffset: 0 }])
  })

  test('has an outcome for each partition, in their order', async () => {
    const rig = await PartitionRig.open()
    const entries = [
      { partition: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, records: batchOf() },
      { partition: rig.partition, records: null },
      { partition: rig.partition, records: batchOf() },
    ]
    const pending = produce(entries, 1, 1000, rig.bed.clock)
    rig.write()
    expect(errorsOf(await pending)).toEqual([
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      ErrorCode.INVALID_RECORD,
      ErrorCode.NONE,
    ])
  })

  test('says that the leadership has ended meanwhile', async () => {
    const { partition, bed } = await PartitionRig.open()
    const pending = produce([{ partition, records: batchOf() }], -1, 1000, bed.clock)
    partition.update(stateOf({ leader: 2, leaderEpoch: 4 }))
    expect(errorsOf(await pending)).toEqual([ErrorCode.NOT_LEADER_OR_FOLLOWER])
  })

  test('to nothing is nothing', async () => {
    const { bed } = await PartitionRig.open()
    expect(produce([], -1, 1000, bed.clock)).toEqual([])
  })
})
