import { expect, test } from '@jest/globals'
import { RemoteReplica } from '../../../broker/replication/remote-replica.ts'

const at = (fetchOffset: number) => ({ fetchOffset, logStartOffset: 0, brokerEpoch: 7 })

test('a follower was caught up when it fetched last, where it has by now what there was then', () => {
  const follower = new RemoteReplica(2, undefined)
  follower.fetched(at(0), 5, 1000)
  follower.fetched(at(5), 9, 1020)
  expect([10, 20].map((lagMaxMs) => follower.isCaughtUp(9, 1020, lagMaxMs))).toEqual([false, true])
})

test('a follower that has left the ISR was not caught up before', () => {
  const follower = new RemoteReplica(2, 0)
  follower.fetched(at(0), 0, 1000)
  follower.leftIsr(1000)
  follower.fetched(at(0), 5, 1010)
  expect(follower.isCaughtUp(5, 1010, 30_000)).toBe(false)
  follower.fetched(at(5), 9, 1020)
  expect(follower.isCaughtUp(9, 1020, 10)).toBe(true)
})
