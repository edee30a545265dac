import { describe, expect, test } from '@jest/globals'
import { AnswerBudget } from '../../../broker/lib/answer-budget.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { FetchedPartition, FetchLimits } from '../../../broker/replication/fetch-read.ts'
import { fetch } from '../../../broker/replication/fetch.ts'
import { batchOf, valuesOf } from '../storage/fixture.ts'
import { asking, finding, PartitionRig, stateOf, targetsOf, type Wanted } from './rig.ts'

const MIB = 1 << 20
const LIMITS: FetchLimits = { minBytes: 1, maxBytes: 1 << 20, maxWaitMs: 100, readCommitted: false }

function entry({ partition }: PartitionRig, changes: Partial<Wanted> = {}): Wanted {
  return asking({ partition, ...changes })
}

const ABSENT = asking({ partition: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, maxBytes: 1 })

/** A fetch under way: its result once there is one, and how its client goes away. */
function start(rig: PartitionRig, wanted: readonly Wanted[], limits: Partial<FetchLimits> = {}) {
  const under: { result: FetchedPartition[] | undefined; leave: () => void } = { result: undefined, leave: () => {} }
  const deps = { clock: rig.bed.clock, find: finding(wanted) }
  const pending = fetch(targetsOf(wanted), { ...LIMITS, ...limits }, deps, (gone) => (under.leave = gone))
  void Promise.resolve(pending).then((fetched) => (under.result = [...fetched.values()]))
  return under
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function valuesIn(result: readonly FetchedPartition[] | undefined): string[][] {
  return (result ?? []).map(({ buffers, sizeInBytes }) => valuesOf({ buffers, sizeInBytes } as never))
}

describe('a fetch', () => {
  test('gives what is committed', async () => {
    const rig = await PartitionRig.open()
    rig.append('a')
    rig.append('b')
    const under = start(rig, [entry(rig)])
    await settle()
    expect(valuesIn(under.result)).toEqual([['a', 'b']])
    expect(under.result).toMatchObject([{ error: ErrorCode.NONE, highWatermark: 2, logStartOffset: 0 }])
  })

  test('does not give what other in-sync replicas lack', async () => {
    const rig = await PartitionRig.open({ replicas: [1, 2], isr: [1, 2] })
    rig.append('a')
    const under = start(rig, [entry(rig)], { maxWaitMs: 0 })
    await settle()
    expect(under.result).toMatchObject([{ highWatermark: 0, sizeInBytes: 0 }])
  })

  test('waits for data, and is answered when it comes', async () => {
    const rig = await PartitionRig.open()
    const under = start(rig, [entry(rig)])
    await settle()
    expect(under.result).toBeUndefined()
    rig.append('a')
    await settle()
    expect(valuesIn(under.result)).toEqual([['a']])
  })

  test('waits for as many bytes as are wanted, and no longer than it should', async () => {
    const rig = await PartitionRig.open()
    rig.append('a')
    const under = start(rig, [entry(rig)], { minBytes: 1 << 20 })
    await rig.bed.clock.run(99)
    await settle()
    expect(under.result).toBeUndefined()
    await rig.bed.clock.run(1)
    await settle()
    expect(valuesIn(under.result)).toEqual([['a']])
  })

  test('reads again only what has moved on, and all at its end', async () => {
    const rigs = [await PartitionRig.open(), await PartitionRig.open()] as const
    rigs[0].append('a')
    const entries = rigs.map((rig) => entry(rig))
    const under = start(rigs[0], entries, { minBytes: 10_000 })
    await settle()
    const before = rigs[0].bed.disk.counts.read
    rigs[1].append('b')
    await settle()
    expect(rigs[0].bed.disk.counts.read).toBe(before)
    await rigs[0].bed.clock.run(200)
    await settle()
    expect(rigs[0].bed.disk.counts.read).toBeGreaterThan(before)
    expect(valuesIn(under.result)).toEqual([['a'], ['b']])
  })

  test('of a follower tells high watermarks as they are when it is answered', async () => {
    const options = { replicas: [1, 2, 3], isr: [1, 2, 3] }
    const rigs = [await PartitionRig.open(options), await PartitionRig.open(options)] as const
    rigs[0].append('a')
    const at = (fetchOffset: number) => ({ fetchOffset, logStartOffset: 0, brokerEpoch: -1 })
    rigs[0].partition.fetchedBy(3, at(0))
    const entries = [entry(rigs[0], { fetchOffset: 1 }), entry(rigs[1])]
    const under = start(rigs[0], entries, { replica: { brokerId: 2, brokerEpoch: -1 } })
    await settle()
    expect(under.result).toBeUndefined()
    rigs[0].partition.fetchedBy(3, at(1))
    rigs[1].append('b')
    await settle()
    expect(under.result).toMatchObject([{ highWatermark: 1 }, { highWatermark: 0 }])
    expect(valuesIn(under.result)).toEqual([[], ['b']])
  })

  test('of a client that has gone ends', async () => {
    const rig = await PartitionRig.open()
    const under = start(rig, [entry(rig)])
    under.leave()
    await settle()
    expect(under.result).toEqual([])
  })

  test('ends when the leadership does', async () => {
    const rig = await PartitionRig.open()
    const under = start(rig, [entry(rig)])
    rig.partition.update(stateOf({ leader: 2, leaderEpoch: 4 }))
    await settle()
    expect(under.result).toMatchObject([{ error: ErrorCode.NOT_LEADER_OR_FOLLOWER, highWatermark: -1 }])
  })
})

describe('errors', () => {
  test('that was still being read when another began to lead gives nothing: the log may have been cut', async () => {
    const rig = await PartitionRig.open({ replicas: [1, 2], isr: [1, 2] })
    rig.append('a')
    const under = start(rig, [entry(rig, { currentLeaderEpoch: 3 })], { replica: { brokerId: 2, brokerEpoch: 1 } })
    rig.partition.update(stateOf({ replicas: [1, 2], isr: [1, 2], leader: 2, leaderEpoch: 4 }))
    await settle()
    expect(under.result).toMatchObject([{ error: ErrorCode.FENCED_LEADER_EPOCH, sizeInBytes: 0 }])
  })

  test.each([-1, 3])('an offset outside the log (%i) tells no offsets', async (fetchOffset) => {
    const rig = await PartitionRig.open()
    rig.append('a', 'b')
    const under = start(rig, [entry(rig, { fetchOffset })])
    await settle()
    expect(under.result).toMatchObject([
      { error: ErrorCode.OFFSET_OUT_OF_RANGE, highWatermark: -1, logStartOffset: -1 },
    ])
  })

  test('a partition that is not there ends no wait of the others', async () => {
    const rig = await PartitionRig.open()
    const under = start(rig, [entry(rig), ABSENT])
    await settle()
    expect(under.result).toBeUndefined()
    rig.append('a')
    await settle()
    expect(under.result?.map(({ error }) => error)).toEqual([ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION])
  })

  test('nothing but partitions that are not there is answered at once', async () => {
    const rig = await PartitionRig.open()
    const under = start(rig, [ABSENT])
    await settle()
    expect(under.result).toMatchObject([{ error: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }])
  })

  test('an old leader epoch is answered at once', async () => {
    const rig = await PartitionRig.open()
    const under = start(rig, [entry(rig, { currentLeaderEpoch: 2 })])
    await settle()
    expect(under.result).toMatchObject([{ error: ErrorCode.FENCED_LEADER_EPOCH }])
  })

  test.each([
    [-1, ErrorCode.NOT_LEADER_OR_FOLLOWER],
    [3, ErrorCode.UNKNOWN_LEADER_EPOCH],
  ])('a follower that is no replica, and names the epoch %i, is told so', async (currentLeaderEpoch, error) => {
    const rig = await PartitionRig.open()
    const replica = { brokerId: 9, brokerEpoch: -1 }
    const under = start(rig, [entry(rig, { currentLeaderEpoch })], { replica })
    await settle()
    expect(under.result).toMatchObject([{ error, sizeInBytes: 0 }])
  })

  test('a log that leaves the one that the client has tells where', async () => {
    const rig = await PartitionRig.open()
    rig.append('a', 'b')
    rig.partition.update(stateOf({ leaderEpoch: 5 }))
    rig.append('c')
    const under = start(rig, [entry(rig, { fetchOffset: 3, lastFetchedEpoch: 3 })])
    await settle()
    expect(under.result).toMatchObject([{ error: ErrorCode.NONE, diverging: { epoch: 3, endOffset: 2 } }])
  })

  test('a log that leaves the one that the client has, and begins behind what it asks for, only tells the latter', async () => {
    const rig = await PartitionRig.open()
    rig.append('a', 'b', 'c')
    rig.partition.update(stateOf({ leaderEpoch: 5 }))
    rig.append('d')
    rig.partition.log.updateHighWatermark(2)
    rig.partition.log.incrementLogStartOffset(2)
    const under = start(rig, [entry(rig, { fetchOffset: 1, lastFetchedEpoch: 4 })])
    await settle()
    expect(under.result).toMatchObject([{ error: ErrorCode.OFFSET_OUT_OF_RANGE, diverging: undefined }])
  })
})

describe('limits', () => {
  test('the first partition with data gives one batch, however large', async () => {
    const rig = await PartitionRig.open()
    rig.append('a')
    rig.append('b')
    const under = start(rig, [entry(rig, { maxBytes: 1 })])
    await settle()
    expect(valuesIn(under.result)).toEqual([['a']])
  })

  test('what one partition gives is missing for the next', async () => {
    const [rig, other] = [await PartitionRig.open(), await PartitionRig.open()]
    rig.append('a')
    other.append('b')
    const under = start(rig, [entry(rig), entry(other)], { maxBytes: 1 })
    await settle()
    expect(valuesIn(under.result)).toEqual([['a'], []])
  })

  describe('a read that a limit has ended counts with that limit, or whoever wants more than whole batches give waits with a full log', () => {
    const size = batchOf({ values: ['a'] }).length
    const wanted = size * 2 - 1

    async function full(state?: Parameters<typeof PartitionRig.open>[0]): Promise<PartitionRig> {
      const rig = await PartitionRig.open(state)
      for (const value of ['a', 'b', 'c']) rig.append(value)
      return rig
    }

    test('of the partition', async () => {
      const rig = await full()
      const under = start(rig, [entry(rig, { maxBytes: wanted })], { minBytes: wanted })
      await settle()
      expect(valuesIn(under.result)).toEqual([['a']])
    })

    test('of the answer', async () => {
      const rig = await full()
      const under = start(rig, [entry(rig)], { minBytes: wanted, maxBytes: wanted })
      await settle()
      expect(valuesIn(under.result)).toEqual([['a']])
    })

    test('of the answer, in which the next partition has no room for a batch', async () => {
      const [rig, other] = [await full(), await full()]
      const limits = { minBytes: size * 4 - 1, maxBytes: size * 4 - 1 }
      const under = start(rig, [entry(rig), entry(other)], limits)
      await settle()
      expect(valuesIn(under.result)).toEqual([['a', 'b', 'c'], []])
    })

    test('of a follower', async () => {
      const rig = await full({ replicas: [1, 2], isr: [1, 2] })
      const replica = { brokerId: 2, brokerEpoch: -1 }
      const under = start(rig, [entry(rig, { maxBytes: wanted })], { minBytes: wanted, replica })
      await settle()
      expect(valuesIn(under.result)).toEqual([['a']])
    })

    test('while it waits', async () => {
      const rig = await PartitionRig.open()
      rig.append('a')
      const under = start(rig, [entry(rig, { maxBytes: wanted })], { minBytes: wanted })
      await settle()
      expect(under.result).toBeUndefined()
      rig.append('b')
      await settle()
      expect(valuesIn(under.result)).toEqual([['a']])
    })

    test('and not where the limit is too small', async () => {
      const rig = await full()
      const under = start(rig, [entry(rig, { maxBytes: wanted })], { minBytes: wanted + 1 })
      await settle()
      expect(under.result).toBeUndefined()
    })
  })
})

describe('a batch that is larger than what the budget leaves', () => {
  const RULES = { maxMessageBytes: MIB }
  const large = 'a'.repeat(100_000)
  const lengthsIn = (result: readonly FetchedPartition[] | undefined): number[][] =>
    valuesIn(result).map((values) => values.map(({ length }) => length))

  /** Such a batch, and all that the budget has for such taken. */
  async function crowded() {
    const rig = await PartitionRig.open({}, RULES)
    rig.append(large)
    const budget = new AnswerBudget()
    budget.hold(256 * MIB)
    return { rig, budget }
  }

  test('waits until others have taken their answers', async () => {
    const { rig, budget } = await crowded()
    const under = start(rig, [entry(rig)], { budget })
    await settle()
    expect([under.result, budget.isWanted]).toEqual([undefined, true])
    budget.release(MIB)
    await settle()
    expect(lengthsIn(under.result)).toEqual([[large.length]])
    expect([budget.isWanted, budget.heldBytes]).toEqual([false, 255 * MIB])
  })

  test('is no part of the answer where the wait is over before', async () => {
    const { rig, budget } = await crowded()
    const under = start(rig, [entry(rig)], { budget })
    await rig.bed.clock.run(100)
    await settle()
    expect(under.result).toMatchObject([{ error: ErrorCode.NONE, highWatermark: 1, sizeInBytes: 0 }])
    expect(budget.isWanted).toBe(false)
  })

  test('is waited for by nobody once the client has gone', async () => {
    const { rig, budget } = await crowded()
    const under = start(rig, [entry(rig)], { budget })
    await settle()
    under.leave()
    expect(budget.isWanted).toBe(false)
  })

  test('does not keep back those of other partitions, nor batches that are not larger', async () => {
    const rigs = [await PartitionRig.open({}, RULES), await PartitionRig.open({}, RULES)] as const
    rigs[0].append(large)
    rigs[1].append('b')
    const budget = new AnswerBudget()
    budget.hold(256 * MIB)
    const under = start(
      rigs[0],
      rigs.map((rig) => entry(rig)),
      { budget },
    )
    await settle()
    expect(lengthsIn(under.result)).toEqual([[], [1]])
  })

  test('is given at once where there is room, and to a client that asks for nothing', async () => {
    const rig = await PartitionRig.open({}, RULES)
    rig.append(large)
    const budget = new AnswerBudget()
    budget.hold(128 * MIB)
    const all = [start(rig, [entry(rig)], { budget }), start(rig, [entry(rig, { maxBytes: 0 })], { budget })]
    await settle()
    expect(all.map(({ result }) => lengthsIn(result))).toEqual([[[large.length]], [[large.length]]])
  })

  test('is given a follower: what is not replicated is not committed', async () => {
    const rig = await PartitionRig.open({ replicas: [1, 2], isr: [1, 2] }, RULES)
    rig.append(large)
    const under = start(rig, [entry(rig)], { replica: { brokerId: 2, brokerEpoch: -1 } })
    await settle()
    expect(lengthsIn(under.result)).toEqual([[large.length]])
  })
})
