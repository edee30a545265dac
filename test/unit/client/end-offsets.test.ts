import { beforeEach, expect, test } from '@jest/globals'
import { EndOffsets } from '../../../broker/client/end-offsets.ts'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { BusyClock } from '../../fakes/busy-clock.ts'
import { SimClock } from '../../fakes/clock.ts'
import { type Answer, FakeBroker, FakeNetwork } from './fake-broker.ts'

let network: FakeNetwork
let clock: SimClock
let leaders: Record<string, number>
let offsets: EndOffsets

beforeEach(() => {
  network = new FakeNetwork()
  clock = new SimClock()
  leaders = { 't-0': 1, 't-1': 2, 't-2': 1 }
  offsets = new EndOffsets(
    { clientId: 'test', timeoutMs: 1000 },
    {
      network,
      clock,
      leaderOf: (topic, partition) => leaders[`${topic}-${partition}`],
      addressOf: (id) => ({ host: `b${id}`, port: 9092 }),
    },
  )
})

/** A leader whose partitions end at `100 * id + partition`, each with `errorCode`. */
function leader(id: number, errorCode: ErrorCode = ErrorCode.NONE, other?: Answer<never>): FakeBroker {
  const broker = new FakeBroker({
    [ApiKey.ListOffsets]: ({ topics }) =>
      other ?? {
        topics: topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(({ partitionIndex }) => ({
            partitionIndex,
            errorCode,
            offset: errorCode === ErrorCode.NONE ? BigInt(100 * id + partitionIndex) : -1n,
          })),
        })),
      },
  })
  network.brokers.set(`b${id}:9092`, broker)
  return broker
}

function refresh(...partitions: readonly number[]): Promise<void> {
  return offsets.refresh(partitions.map((partition) => ({ topic: 't', partition })))
}

function known(): (number | undefined)[] {
  return [0, 1, 2].map((partition) => offsets.get('t', partition))
}

test('each leader is asked once for all that it leads', async () => {
  const one = leader(1)
  const two = leader(2)
  await refresh(0, 1, 2)
  expect(known()).toEqual([100, 201, 102])
  expect([one, two].map(({ requests }) => requests.filter((name) => name.startsWith('ListOffsets')).length)).toEqual([
    1, 1,
  ])
})

test('a partition that two groups have offsets of is asked for once', async () => {
  leader(1)
  await refresh(0, 0)
  expect(known()).toEqual([100, undefined, undefined])
})

test('while many partitions are gone through others have their turn', async () => {
  const looked: number[] = []
  let seen = 0
  const busy = new BusyClock(() => looked.push(seen))
  const ends = new EndOffsets(
    { clientId: 'test', timeoutMs: 1000 },
    { network, clock: busy, leaderOf: () => undefined, addressOf: () => undefined },
  )
  function* partitions() {
    for (; seen < 600; seen++) yield { topic: `t${seen}`, partition: 0 }
  }
  await ends.refresh(partitions())
  // Once through all of them, and once through their topics.
  expect(looked).toEqual([199, 399, 599, 600, 600])
})

test('what a leader does not answer keeps what was known', async () => {
  leader(1)
  leader(2)
  await refresh(0, 1)
  network.brokers.delete('b2:9092')
  leader(1, ErrorCode.NOT_LEADER_OR_FOLLOWER)
  await refresh(0, 1)
  expect(known()).toEqual([100, 201, undefined])
})

test('what nobody asks for any more is forgotten', async () => {
  leader(1)
  leader(2)
  await refresh(0, 1)
  await refresh(1)
  expect(known()).toEqual([undefined, 201, undefined])
})

test('a partition without a leader is not known', async () => {
  leader(1)
  delete leaders['t-0']
  await refresh(0, 2)
  expect(known()).toEqual([undefined, undefined, 102])
})

test('a leader that is silent holds a refresh up no longer than the time-out', async () => {
  leader(1, ErrorCode.NONE, 'silence')
  leader(2)
  const refreshed = refresh(0, 1)
  await clock.runFor(refreshed, 1100)
  expect(known()).toEqual([undefined, 201, undefined])
})

test('connections to brokers that lead nothing of it any more are closed', async () => {
  leader(1)
  const two = leader(2)
  await refresh(0, 1)
  expect(two.open).toBe(1)
  leaders['t-1'] = 1
  await refresh(0, 1)
  expect(two.open).toBe(0)
})

test('closing ends the connections', async () => {
  const one = leader(1)
  await refresh(0)
  offsets[Symbol.dispose]()
  expect(one.open).toBe(0)
})
