import { describe, expect, test } from '@jest/globals'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { type FetchContext, FetchSessions, type SessionRequest } from '../../../broker/replication/fetch-session.ts'
import type { FetchTarget, SessionPartition } from '../../../broker/replication/fetch-target.ts'
import { inOrder } from '../../../broker/replication/fetch-targets.ts'
import { ZERO_UUID } from '../../../broker/lib/uuid.ts'
import { SimClock } from '../../fakes/clock.ts'
import { SimRandom } from '../../fakes/random.ts'

function sessions(slots = 10): { fetchSessions: FetchSessions; clock: SimClock } {
  const clock = new SimClock()
  return { fetchSessions: new FetchSessions({ slots }, { clock, random: new SimRandom(1) }), clock }
}

function partition(index: number, fetchOffset = 0): SessionPartition {
  return {
    topic: 't',
    topicId: ZERO_UUID,
    partition: index,
    fetchOffset,
    maxBytes: 100,
    currentLeaderEpoch: -1,
    lastFetchedEpoch: -1,
    logStartOffset: -1,
  }
}

function request(
  sessionId: number,
  sessionEpoch: number,
  partitions: SessionPartition[],
  forgotten: number[] = [],
  isFollower = false,
): SessionRequest {
  return {
    sessionId,
    sessionEpoch,
    usesTopicIds: false,
    isFollower,
    partitions,
    forgotten: forgotten.map((index) => ({ topic: 't', topicId: ZERO_UUID, partition: index })),
  }
}

function result(highWatermark: number, sizeInBytes = 0) {
  const nothing = { error: ErrorCode.NONE, logStartOffset: 0, diverging: undefined, preferredReadReplica: -1 }
  return { ...nothing, highWatermark, sizeInBytes }
}

/** What the fetch is to look at: nobody watches here, so that nothing rests. */
function due({ targets }: FetchContext): SessionPartition[] {
  return inOrder(targets.due).map(({ asked }) => asked)
}

function first({ targets }: FetchContext): FetchTarget {
  return inOrder(targets.due)[0] as FetchTarget
}

describe('FetchSessions', () => {
  test('epoch 0 opens a session, and the next epoch continues it with what changed', () => {
    const { fetchSessions } = sessions()
    const full = fetchSessions.open(request(0, 0, [partition(0), partition(1)]))
    expect(full.sessionId).toBeGreaterThan(0)
    const next = fetchSessions.open(request(full.sessionId, 1, [partition(1, 7)]))
    expect(due(next).map((asked) => [asked.partition, asked.fetchOffset])).toEqual([
      [0, 0],
      [1, 7],
    ])
  })

  test('an incremental answer leaves out a partition with nothing new', () => {
    const { fetchSessions } = sessions()
    const full = fetchSessions.open(request(0, 0, [partition(0)]))
    expect(full.includes(first(full), result(5))).toBe(true)
    const same = fetchSessions.open(request(full.sessionId, 1, []))
    expect(same.includes(first(same), result(5))).toBe(false)
    const moved = fetchSessions.open(request(full.sessionId, 2, []))
    expect(moved.includes(first(moved), result(6))).toBe(true)
  })

  test('an incremental answer sends a consumer to a nearer replica, though nothing else is new', () => {
    const { fetchSessions } = sessions()
    const full = fetchSessions.open(request(0, 0, [partition(0)]))
    full.includes(first(full), result(5))
    const next = fetchSessions.open(request(full.sessionId, 1, []))
    const nearer = { ...result(5), preferredReadReplica: 3 }
    expect(next.includes(first(next), nearer)).toBe(true)
  })

  test('a forgotten partition is not read any more', () => {
    const { fetchSessions } = sessions()
    const full = fetchSessions.open(request(0, 0, [partition(0), partition(1)]))
    const next = fetchSessions.open(request(full.sessionId, 1, [], [0]))
    expect(due(next).map((asked) => asked.partition)).toEqual([1])
  })

  test('a partition that is named among the changed and the forgotten is gone', () => {
    const { fetchSessions } = sessions()
    const full = fetchSessions.open(request(0, 0, [partition(0), partition(1)]))
    const next = fetchSessions.open(request(full.sessionId, 1, [partition(0, 5), partition(2)], [0, 2]))
    expect(due(next).map((asked) => asked.partition)).toEqual([1])
  })

  test('an unknown session and a wrong epoch have their own errors', () => {
    const { fetchSessions } = sessions()
    const full = fetchSessions.open(request(0, 0, [partition(0)]))
    expect(fetchSessions.open(request(full.sessionId, 5, [])).error).toBe(ErrorCode.INVALID_FETCH_SESSION_EPOCH)
    expect(fetchSessions.open(request(full.sessionId + 1, 1, [])).error).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
  })

  test('epoch -1 closes the session', () => {
    const { fetchSessions } = sessions()
    const full = fetchSessions.open(request(0, 0, [partition(0)]))
    expect(fetchSessions.open(request(full.sessionId, -1, [partition(0)])).sessionId).toBe(0)
    expect(fetchSessions.size).toBe(0)
  })

  test('without a free slot a fetch goes without a session, and an idle one makes room', () => {
    const { fetchSessions, clock } = sessions(1)
    fetchSessions.open(request(0, 0, [partition(0)]))
    expect(fetchSessions.open(request(0, 0, [partition(0)])).sessionId).toBe(0)
    clock.advance(120_001)
    expect(fetchSessions.open(request(0, 0, [partition(0)])).sessionId).toBeGreaterThan(0)
    expect(fetchSessions.size).toBe(1)
  })

  test('a follower takes the place of the consumer that was idle longest, and of no other follower', () => {
    const { fetchSessions, clock } = sessions(3)
    const isFollower = [true, false, false, true, true, true]
    const opened = isFollower.map((follower) => {
      clock.advance(1)
      return fetchSessions.open(request(0, 0, [partition(0)], [], follower)).sessionId
    })
    expect(opened.map((id) => id > 0)).toEqual([true, true, true, true, true, false])
    const next = opened.slice(0, 5).map((id) => fetchSessions.open(request(id, 1, [])).error)
    const gone = ErrorCode.FETCH_SESSION_ID_NOT_FOUND
    expect(next).toEqual([ErrorCode.NONE, gone, gone, ErrorCode.NONE, ErrorCode.NONE])
  })

  test('the smallest of those that have lasted makes room for one of more partitions, and of its own kind', () => {
    const { fetchSessions, clock } = sessions(3)
    const named = (count: number): SessionPartition[] => Array.from({ length: count }, (_, index) => partition(index))
    const open = (count: number, isFollower = false): number =>
      fetchSessions.open(request(0, 0, named(count), [], isFollower)).sessionId
    const opened = [open(3), open(2), open(1, true)]
    for (let epoch = 1; epoch <= 2; epoch++) {
      clock.advance(60_000)
      expect(open(4) > 0).toBe(epoch === 2)
      for (const id of opened) fetchSessions.open(request(id, epoch, []))
    }
    expect(open(2)).toBe(0)
    expect(open(4)).toBeGreaterThan(0)
    const errors = opened.map((id) => fetchSessions.open(request(id, 3, [])).error)
    const gone = ErrorCode.FETCH_SESSION_ID_NOT_FOUND
    expect(errors).toEqual([gone, gone, ErrorCode.NONE])
    expect([fetchSessions.size, fetchSessions.partitionCount, fetchSessions.evictions]).toEqual([3, 9, 2])
  })

  test('a partition that gave data goes behind the others', () => {
    const { fetchSessions } = sessions()
    const full = fetchSessions.open(request(0, 0, [partition(0), partition(1)]))
    const next = fetchSessions.open(request(full.sessionId, 1, []))
    next.includes(first(next), result(9, 100))
    const after = fetchSessions.open(request(full.sessionId, 2, []))
    expect(due(after).map((asked) => asked.partition)).toEqual([1, 0])
  })
})
