import { describe, expect, test } from '@jest/globals'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { FetchLimits } from '../../../broker/replication/fetch-read.ts'
import type { Partition } from '../../../broker/replication/partition.ts'
import type { LogSlice } from '../../../broker/storage/log.ts'
import { emptySlice } from '../../../broker/storage/read.ts'
import { settle } from '../../fakes/clock.ts'
import { type Answered, CONSUMER, FetchBed, FOLLOWER, naming, REPLICA, SessionClient } from './fetch-clients.ts'
import { batchOf } from '../storage/fixture.ts'
import { LAG_MAX_MS } from './rig.ts'

const REPLICATED = { replicas: [1, FOLLOWER], isr: [1, FOLLOWER] }

/** A session of `count` partitions with nothing left to be told. */
async function resting(count: number, limits: FetchLimits) {
  const bed = await FetchBed.open(count, limits.replica === undefined ? {} : REPLICATED)
  const client = new SessionClient(bed)
  await client.fetch({ named: Array.from({ length: count }, (_, index) => naming(index)) }, limits)
  return { bed, client }
}

const FOLLOWING: FetchLimits = { ...CONSUMER, mayFollow: true }

/** A broker that follows, with one of two records committed, and a consumer that has it. */
async function following() {
  const bed = await FetchBed.open(1, REPLICATED)
  bed.append(0, 'a')
  bed.append(0, 'b')
  bed.update(0, { leader: FOLLOWER, leaderEpoch: 4 })
  bed.partition(0).followed(1, 0)
  const client = new SessionClient(bed)
  await client.fetch({ named: [naming(0, { fetchOffset: 1 })] }, FOLLOWING)
  await client.fetch({}, FOLLOWING)
  expect(client.visits).toBe(0)
  return { bed, client }
}

const indexesOf = (answer: readonly Answered[] | undefined): number[] =>
  (answer ?? []).map(({ partition }) => partition)

describe.each([
  ['follower', REPLICA],
  ['consumer', CONSUMER],
])('a session of a %s', (_, limits) => {
  test('of 3,000 partitions has none looked at when nothing has happened, and one when one has more', async () => {
    const { bed, client } = await resting(3000, limits)
    expect(await client.fetch({}, limits)).toEqual([])
    expect(client.visits).toBe(0)
    bed.append(1234, 'a')
    expect(await client.fetch({}, limits)).toMatchObject([{ partition: 1234, values: ['a'] }])
    expect(client.visits).toBe(1)
    await client.fetch({ named: [naming(1234, { fetchOffset: 1 })] }, limits)
    expect(client.visits).toBe(1)
    await client.fetch({}, limits)
    await client.fetch({}, limits)
    expect(client.visits).toBe(0)
  })

  test('hears at once when one has more while it waits', async () => {
    const { bed, client } = await resting(30, limits)
    const pending = client.fetch({}, { ...limits, maxWaitMs: 500 })
    expect(client.visits).toBe(0)
    bed.append(7, 'a')
    expect(await pending).toMatchObject([{ partition: 7, values: ['a'] }])
  })
})

test('a consumer has nothing looked at for what is not committed', async () => {
  const bed = await FetchBed.open(1, REPLICATED)
  const client = new SessionClient(bed)
  await client.fetch({ named: [naming(0)] }, CONSUMER)
  bed.append(0, 'a')
  await client.fetch({}, CONSUMER)
  expect(client.visits).toBe(0)
})

describe('a partition is looked at again', () => {
  test('when its log has been cut at the front', async () => {
    const { bed, client } = await resting(2, CONSUMER)
    bed.append(1, 'a')
    await client.fetch({ named: [naming(1, { fetchOffset: 1 })] }, CONSUMER)
    bed.partition(1).log.incrementLogStartOffset(1)
    expect(await client.fetch({}, CONSUMER)).toMatchObject([{ partition: 1, logStartOffset: 1 }])
  })

  test('when its log has been cut at the front, also by the time of the answer to a fetch that waits for others', async () => {
    const { bed, client } = await resting(2, REPLICA)
    bed.append(0, 'a')
    for (let fetches = 0; fetches < 3; fetches++)
      await client.fetch({ named: [naming(0, { fetchOffset: 1 })] }, REPLICA)
    const pending = client.fetch({}, { ...REPLICA, maxWaitMs: 500 })
    bed.partition(0).log.incrementLogStartOffset(1)
    bed.append(1, 'b')
    expect(await pending).toMatchObject([{ partition: 0, logStartOffset: 1 }, { partition: 1 }])
  })

  test('when its log has been cut at the front between the end of a wait and the answer', async () => {
    const { bed, client } = await resting(1, CONSUMER)
    bed.append(0, 'a')
    const pending = client.fetch({ named: [naming(0, { fetchOffset: 1 })] }, { ...CONSUMER, maxWaitMs: 500 })
    bed.clock.advance(500)
    bed.partition(0).log.incrementLogStartOffset(1)
    await pending
    expect(await client.fetch({}, CONSUMER)).toMatchObject([{ logStartOffset: 1 }])
  })

  test('when the follower that is read from has more that is committed, which ends the wait', async () => {
    const { bed, client } = await following()
    const pending = client.fetch({}, { ...FOLLOWING, maxWaitMs: 500 })
    bed.partition(0).followed(2, 0)
    expect(await pending).toMatchObject([{ highWatermark: 2, values: ['b'] }])
  })

  test('when the follower that is read from has been cut', async () => {
    const { bed, client } = await following()
    await bed.partition(0).truncate((log) => log.truncateTo(0))
    expect(await client.fetch({}, FOLLOWING)).toMatchObject([{ error: ErrorCode.OFFSET_OUT_OF_RANGE }])
  })

  test('when it has another leader, which ends the wait', async () => {
    const { bed, client } = await resting(2, CONSUMER)
    const pending = client.fetch({}, { ...CONSUMER, maxWaitMs: 500 })
    bed.update(1, { leader: 3, leaderEpoch: 4 })
    expect(await pending).toMatchObject([{ partition: 1, error: ErrorCode.NOT_LEADER_OR_FOLLOWER }])
  })

  test('when this broker leads in another epoch, and does not know where its followers are', async () => {
    const { bed, client } = await resting(1, REPLICA)
    const pending = client.fetch({}, { ...REPLICA, maxWaitMs: 500 })
    bed.update(0, { leaderEpoch: 4 })
    bed.clock.advance(500)
    await pending
    await client.fetch({}, REPLICA)
    expect(bed.partition(0).remotes).toMatchObject([{ brokerId: FOLLOWER, logEndOffset: 0 }])
  })

  test('with every fetch, as long as it is an error', async () => {
    const { bed, client } = await resting(2, CONSUMER)
    bed.partition(0).remove(ErrorCode.KAFKA_STORAGE_ERROR)
    for (let fetches = 0; fetches < 3; fetches++) expect(indexesOf(await client.fetch({}, CONSUMER))).toEqual([0])
  })

  test('when the replica has gone and another has come', async () => {
    const { bed, client } = await resting(2, CONSUMER)
    bed.replace(1)
    bed.append(1, 'a')
    expect(await client.fetch({}, CONSUMER)).toMatchObject([{ partition: 1, values: ['a'] }])
  })

  test('with every fetch, as long as a follower is not in sync', async () => {
    const { bed, client } = await resting(2, REPLICA)
    bed.fenced.add(FOLLOWER)
    bed.update(0, { isr: [1] })
    for (let fetches = 0; fetches < 2; fetches++) await client.fetch({}, REPLICA)
    expect([client.visits, bed.proposals]).toEqual([1, []])
    bed.fenced.clear()
    await client.fetch({}, REPLICA)
    expect(bed.proposals).toMatchObject([[0, { change: 'expand' }]])
  })

  test('with every fetch, as long as not all of it is committed', async () => {
    const bed = await FetchBed.open(1, { replicas: [1, FOLLOWER, 3], isr: [1, FOLLOWER, 3] })
    const client = new SessionClient(bed)
    bed.append(0, 'a')
    await client.fetch({ named: [naming(0, { fetchOffset: 1 })] }, REPLICA)
    for (let fetches = 0; fetches < 2; fetches++) {
      await client.fetch({}, REPLICA)
      expect(client.visits).toBe(1)
    }
  })

  test('when its client wants it otherwise, or is another process', async () => {
    const { client } = await resting(2, REPLICA)
    await client.fetch({ named: [naming(1, { logStartOffset: -1 })] }, REPLICA)
    expect(client.visits).toBe(1)
    await client.fetch({}, { ...REPLICA, replica: { brokerId: FOLLOWER, brokerEpoch: 8 } })
    expect(client.visits).toBe(2)
  })

  test('when the answer that had it reached nobody', async () => {
    const { bed, client } = await resting(1, CONSUMER)
    bed.append(0, 'a')
    bed.append(0, 'b')
    void client.fetch({ named: [naming(0, { fetchOffset: 2 })] }, { ...CONSUMER, maxWaitMs: 500 })
    client.leave()
    expect(await client.fetch({}, CONSUMER)).toMatchObject([{ highWatermark: 2 }])
  })

  test('with every fetch, where a nearer replica may come to be in sync', async () => {
    const { client } = await resting(2, { ...CONSUMER, preferredReplica: () => -1 })
    await client.fetch({}, { ...CONSUMER, preferredReplica: () => 3 })
    expect(client.visits).toBe(2)
  })
})

test('a leader is not even with a follower before all is synced that flush.messages wants synced', async () => {
  const bed = await FetchBed.open(1, { ...REPLICATED, leader: FOLLOWER })
  const { log } = bed.partition(0)
  log.updateConfig({ ...log.config, flushMessages: 1 })
  bed.partition(0).appendAsFollower(batchOf(), 3)
  bed.write(0)
  bed.partition(0).followed(1, 0)
  bed.update(0, { leader: 1, leaderEpoch: 4 })
  const position = { fetchOffset: 1, logStartOffset: 0, brokerEpoch: 7 }
  bed.partition(0).fetchedBy(FOLLOWER, position)
  expect(bed.partition(0).isEven(FOLLOWER, position)).toBe(false)
  await log.flush()
  expect(bed.partition(0).isEven(FOLLOWER, position)).toBe(true)
})

describe('a follower for which everything rests', () => {
  const idle = async (ms: number) => {
    const { bed, client } = await resting(2, REPLICA)
    for (let fetches = 0; fetches < 10; fetches++) {
      bed.clock.advance(ms / 10)
      await client.fetch({}, REPLICA)
    }
    return { bed, client }
  }

  test('has been caught up all the time', async () => {
    const { bed } = await idle(10 * LAG_MAX_MS)
    bed.append(0, 'a')
    bed.clock.advance(LAG_MAX_MS)
    bed.partition(0).shrinkIsr()
    expect(bed.proposals).toEqual([])
  })

  test('leaves the ISR for want of fetches, and where there is something that it lacks', async () => {
    const { bed } = await idle(10 * LAG_MAX_MS)
    bed.append(0, 'a')
    bed.clock.advance(LAG_MAX_MS + 1)
    for (const partition of bed.partitions) partition.shrinkIsr()
    expect(bed.proposals).toMatchObject([[0, { change: 'shrink', isr: [1] }]])
  })

  test('has been caught up until its session ended', async () => {
    const { bed, client } = await idle(10 * LAG_MAX_MS)
    client.restart()
    bed.clock.advance(1)
    await client.fetch({ named: [naming(1)] }, REPLICA)
    bed.append(0, 'a')
    bed.clock.advance(LAG_MAX_MS - 1)
    bed.partition(0).shrinkIsr()
    expect(bed.proposals).toEqual([])
    bed.clock.advance(1)
    bed.partition(0).shrinkIsr()
    expect(bed.proposals).toMatchObject([[0, { change: 'shrink' }]])
  })

  test('has been caught up by what it fetches now, whatever an earlier session of its knows', async () => {
    const { bed } = await idle(10)
    bed.clock.advance(LAG_MAX_MS)
    const pending = new SessionClient(bed).fetch({ named: [naming(0)] }, { ...REPLICA, maxWaitMs: 500 })
    bed.append(0, 'a')
    await pending
    bed.clock.advance(LAG_MAX_MS)
    bed.partition(0).shrinkIsr()
    expect(bed.proposals).toEqual([])
  })

  test('is not waited for by a leader in whose epoch it has not been in sync', async () => {
    const { bed } = await idle(LAG_MAX_MS)
    bed.update(0, { leaderEpoch: 4, isr: [1] })
    bed.append(0, 'a')
    expect(bed.partition(0).log.highWatermark).toBe(1)
  })

  test('is not taken for the process that came after it', async () => {
    const { bed, client } = await idle(LAG_MAX_MS)
    const position = { fetchOffset: 0, logStartOffset: 0, brokerEpoch: 8 }
    expect(bed.partition(0).fetchedBy(FOLLOWER, position)).toBe(true)
    expect(await client.fetch({}, REPLICA)).toMatchObject([{ partition: 0, error: ErrorCode.NOT_LEADER_OR_FOLLOWER }])
  })
})

/** How many watch a partition. */
function watchersOf({ watchers }: Partition): () => number {
  let watching = 0
  const [add, remove] = [watchers.add.bind(watchers), watchers.delete.bind(watchers)]
  watchers.add = (watcher) => (watching++, add(watcher))
  watchers.delete = (watcher) => (watching--, remove(watcher))
  return () => watching
}

describe('nobody watches a partition any more for a fetch without a session', () => {
  const wait = { ...CONSUMER, maxWaitMs: 500 }

  test('that is over', async () => {
    const bed = await FetchBed.open(1)
    const watching = watchersOf(bed.partition(0))
    const client = new SessionClient(bed)
    for (const end of [() => client.leave(), () => bed.clock.advance(500)]) {
      client.finish()
      const pending = client.fetch({ named: [naming(0)] }, wait)
      expect(watching()).toBe(1)
      end()
      await pending
      expect(watching()).toBe(0)
    }
  })

  test('whose client has gone while a log was read', async () => {
    const bed = await FetchBed.open(2)
    const watching = bed.partitions.map(watchersOf)
    bed.append(0, 'a')
    const slow = Promise.withResolvers<LogSlice>()
    bed.partition(0).log.read = () => slow.promise
    const client = new SessionClient(bed)
    client.finish()
    const pending = client.fetch({ named: [naming(0), naming(1)] }, wait)
    client.leave()
    await pending
    slow.resolve(emptySlice(0))
    await settle()
    expect(watching.map((count) => count())).toEqual([0, 0])
  })
})
