import { describe, expect, test } from '@jest/globals'
import { fetchCountedAs } from '../../../broker/handlers/fetch-replica.ts'
import { fetchHandler } from '../../../broker/handlers/fetch.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { FetchRequest, FetchResponse } from '../../../broker/protocol/messages/fetch.ts'
import { batchOf } from '../storage/fixture.ts'
import { contextOf } from './context.ts'
import { NODE } from '../replication/rig.ts'
import { hosting, TOPIC_ID } from './hosting.ts'

type World = Awaited<ReturnType<typeof hosting>>

interface Asked {
  readonly partitions?: readonly (readonly [index: number, offset: number])[]
  readonly apiVersion?: number
  readonly sessionId?: number
  readonly sessionEpoch?: number
  readonly maxWaitMs?: number
  readonly minBytes?: number
  readonly maxBytes?: number
  /** Of a follower. */
  readonly replicaId?: number
  /** The client has gone. */
  readonly isClosed?: boolean
}

function fetched(world: World, asked: Asked = {}): Promise<FetchResponse> {
  const { partitions = [[0, 0]], apiVersion = 12, sessionId = 0, sessionEpoch = -1 } = asked
  const { maxWaitMs = 0, minBytes = 1, maxBytes = 1_000_000 } = asked
  const request: FetchRequest = {
    clusterId: null,
    replicaId: asked.replicaId ?? -1,
    replicaState: { replicaId: -1, replicaEpoch: -1n },
    maxWaitMs,
    minBytes,
    maxBytes,
    isolationLevel: 0,
    sessionId,
    sessionEpoch,
    topics: [
      {
        topic: apiVersion >= 13 ? '' : world.log.topic,
        topicId: TOPIC_ID,
        partitions: partitions.map(([partition, offset]) => ({
          partition,
          currentLeaderEpoch: -1,
          fetchOffset: BigInt(offset),
          lastFetchedEpoch: -1,
          logStartOffset: -1n,
          partitionMaxBytes: 100_000,
          replicaDirectoryId: 'AAAAAAAAAAAAAAAAAAAAAA',
          highWatermark: 0n,
        })),
      },
    ],
    forgottenTopicsData: [],
    rackId: '',
  }
  const connection = { onClosed: () => {}, isClosed: asked.isClosed === true, takenBytes: 0 }
  const context = contextOf({ apiVersion, connection })
  return Promise.resolve(fetchHandler(world.deps).handle(request, context)) as Promise<FetchResponse>
}

const partitionsOf = ({ responses }: FetchResponse) => responses.flatMap(({ partitions }) => partitions)

const recordsOf = (response: FetchResponse): Buffer =>
  Buffer.concat(partitionsOf(response).flatMap(({ records }) => (records ?? []) as unknown as Uint8Array[]))

async function withRecords(batches = [['a', 'b']], state: Parameters<typeof hosting>[0] = {}): Promise<World> {
  const world = await hosting(state)
  for (const values of batches) {
    await world.partition.append(batchOf({ values }), false)
    world.log.writeStaged()
  }
  return world
}

describe('Fetch', () => {
  test('gives what is there, and where the log begins and ends', async () => {
    expect(partitionsOf(await fetched(await withRecords()))).toMatchObject([
      { partitionIndex: 0, errorCode: ErrorCode.NONE, highWatermark: 2n, lastStableOffset: 2n, logStartOffset: 0n },
    ])
  })

  test('reads nothing for a client that has gone', async () => {
    expect(partitionsOf(await fetched(await withRecords(), { isClosed: true }))).toEqual([])
  })

  test('answers each partition for itself: on another broker, unknown, and past the end', async () => {
    const world = await withRecords()
    const asked = [[1, 0] as const, [7, 0] as const, [0, 9] as const]
    expect(partitionsOf(await fetched(world, { partitions: asked })).map(({ errorCode }) => errorCode)).toEqual([
      ErrorCode.NOT_LEADER_OR_FOLLOWER,
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      ErrorCode.OFFSET_OUT_OF_RANGE,
    ])
  })

  test('finds a topic by its id from v13 on', async () => {
    const world = await withRecords()
    expect(partitionsOf(await fetched(world, { apiVersion: 13 }))).toMatchObject([{ errorCode: ErrorCode.NONE }])
  })

  test('leaves out of a session what has not changed (KIP-227)', async () => {
    const world = await withRecords()
    const first = await fetched(world, { partitions: [[0, 2]], sessionEpoch: 0 })
    expect(first.sessionId).toBeGreaterThan(0)
    expect(partitionsOf(first)).toHaveLength(1)
    const next = { partitions: [], sessionId: first.sessionId, sessionEpoch: 1 }
    expect(partitionsOf(await fetched(world, next))).toEqual([])
  })

  test('says when it does not know a session', async () => {
    const answer = await fetched(await withRecords(), { sessionId: 99, sessionEpoch: 1 })
    expect(answer).toMatchObject({ errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND, responses: [] })
  })

  test('waits for records no longer than it was asked to', async () => {
    const world = await withRecords()
    let answer: FetchResponse | undefined
    void fetched(world, { partitions: [[0, 2]], maxWaitMs: 500 }).then((response) => (answer = response))
    await world.bed.clock.run(499)
    expect(answer).toBeUndefined()
    await world.bed.clock.run(1)
    expect(partitionsOf(answer as unknown as FetchResponse)).toMatchObject([{ errorCode: ErrorCode.NONE }])
  })

  test('waits for no more than it may be given', async () => {
    const answer = await fetched(await withRecords(), { maxWaitMs: 500, minBytes: 2000, maxBytes: 50 })
    expect(partitionsOf(answer)).toMatchObject([{ errorCode: ErrorCode.NONE, highWatermark: 2n }])
  })

  test.each([
    { version: 17, replicaId: 2, inState: -1, name: 'FetchConsumer' },
    { version: 17, replicaId: -1, inState: 2, name: 'FetchFollower' },
    { version: 14, replicaId: -1, inState: 2, name: 'FetchConsumer' },
    { version: 14, replicaId: 2, inState: -1, name: 'FetchFollower' },
  ])('of version $version from $replicaId, $inState is counted as $name', ({ version, replicaId, inState, name }) => {
    const request = { replicaId, replicaState: { replicaId: inState, replicaEpoch: 1n } }
    expect(fetchCountedAs(request, version)).toBe(name)
  })

  test('gives a follower no more than fetch.max.bytes', async () => {
    const world = await withRecords([['a', 'b'], ['c']], { replicas: [NODE, 2] })
    const sizeOf = async (fetchMaxBytes: number) => {
      const deps = { ...world.deps, fetchMaxBytes: () => fetchMaxBytes }
      return recordsOf(await fetched({ ...world, deps }, { replicaId: 2 })).length
    }
    const first = batchOf({ values: ['a', 'b'] }).length
    expect([await sizeOf(100_000), await sizeOf(first)]).toEqual([first + batchOf({ values: ['c'] }).length, first])
  })

  test('gives a consumer less, but not nothing, while others do not take what they asked for', async () => {
    const values = ['x'.repeat(900)]
    const world = await withRecords(Array.from({ length: 120 }, () => values))
    const sizeOf = async () => recordsOf(await fetched(world)).length
    const { answers } = world.deps
    const free = await sizeOf()
    answers.hold(1e9)
    const scarce = await sizeOf()
    expect([free, scarce].map((bytes) => Math.round(bytes / 10_000))).toEqual([10, 6])
    expect(answers.heldBytes).toBe(1e9)
  })

  test('counts what it has read while it waits for more', async () => {
    const world = await withRecords()
    const pending = fetched(world, { maxWaitMs: 500, minBytes: 1000 })
    await world.bed.clock.run(1)
    const { answers } = world.deps
    expect(answers.heldBytes).toBe(batchOf({ values: ['a', 'b'] }).length)
    await world.bed.clock.run(500)
    await pending
    expect(answers.heldBytes).toBe(0)
  })

  test('counts requests, failures and bytes by topic', async () => {
    const world = await withRecords()
    await fetched(world)
    await fetched(world, { partitions: [[0, 9]] })
    expect(world.deps.metrics.brokerTopic(world.log.topic)).toMatchObject({
      totalFetchRequests: 2,
      failedFetchRequests: 0,
      bytesOut: batchOf({ values: ['a', 'b'] }).length,
    })
  })

  test('counts as failed what nobody expects', async () => {
    const world = await withRecords()
    world.partition.remove(ErrorCode.CORRUPT_MESSAGE)
    await fetched(world)
    expect(world.deps.metrics.brokerTopic(world.log.topic)).toMatchObject({
      totalFetchRequests: 1,
      failedFetchRequests: 1,
      bytesOut: 0,
    })
  })
})
