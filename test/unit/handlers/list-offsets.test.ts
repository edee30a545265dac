import { describe, expect, test } from '@jest/globals'
import { listOffsetsHandler } from '../../../broker/handlers/list-offsets.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { ListOffsetsResponse } from '../../../broker/protocol/messages/list-offsets.ts'
import { NODE } from '../replication/rig.ts'
import { append } from '../storage/fixture.ts'
import { contextOf } from './context.ts'
import { hosting } from './hosting.ts'

const MAX_TIMESTAMP = -3n
const VERSION = 7

/** The answer for a partition, to a consumer or to who names itself by `replicaId`. */
async function lookedUp(
  world: Awaited<ReturnType<typeof hosting>>,
  timestamp: bigint,
  replicaId = -1,
  partitionIndex = 0,
  currentLeaderEpoch = -1,
) {
  const asked = { partitionIndex, currentLeaderEpoch, timestamp }
  const request = {
    replicaId,
    isolationLevel: 0,
    topics: [{ name: world.log.topic, partitions: [asked] }],
    timeoutMs: 0,
  }
  const answer = await listOffsetsHandler(world.deps).handle(request, contextOf({ apiVersion: VERSION }))
  return (answer as ListOffsetsResponse).topics[0]?.partitions[0]
}

describe('the record with the largest timestamp', () => {
  test('is told to consumers once it is committed', async () => {
    const world = await hosting({ replicas: [NODE, 2], isr: [NODE, 2] })
    append(world.log, { values: ['a'] })
    const none = { errorCode: ErrorCode.NONE, offset: -1n, timestamp: -1n }
    expect(await lookedUp(world, MAX_TIMESTAMP)).toMatchObject(none)
    world.log.updateHighWatermark(1)
    expect(await lookedUp(world, MAX_TIMESTAMP)).toMatchObject({ offset: 0n, timestamp: 1_700_000_000_000n })
  })

  test('is told to followers as it is', async () => {
    const world = await hosting({ replicas: [NODE, 2], isr: [NODE, 2] })
    append(world.log, { values: ['a'] })
    expect(await lookedUp(world, MAX_TIMESTAMP, 2)).toMatchObject({ offset: 0n })
  })
})

test.each([-4n, -7n])(
  'the timestamp %d is of no version before 8, whether there is such a partition or not',
  async (timestamp) => {
    const world = await hosting()
    for (const partitionIndex of [0, 9])
      expect(await lookedUp(world, timestamp, -1, partitionIndex)).toMatchObject({
        partitionIndex,
        errorCode: ErrorCode.UNSUPPORTED_VERSION,
      })
  },
)

test('each topic is told once, whatever the request does', async () => {
  const world = await hosting()
  const topic = (name: string, ...partitions: number[]) => ({
    name,
    partitions: partitions.map((partitionIndex) => ({ partitionIndex, currentLeaderEpoch: -1, timestamp: -1n })),
  })
  const topics = [topic(world.log.topic, 0), topic('other'), topic('another', 4), topic(world.log.topic, 1, 4, 4)]
  const request = { replicaId: -1, isolationLevel: 0, timeoutMs: 0, topics }
  const answer = await listOffsetsHandler(world.deps).handle(request, contextOf({ apiVersion: VERSION }))
  const told = (answer as ListOffsetsResponse).topics
  expect(told.map(({ name, partitions }) => [name, partitions.map(({ partitionIndex }) => partitionIndex)])).toEqual([
    [world.log.topic, [0, 1, 4]],
    ['another', [4]],
  ])
})

test('a log that cannot be read is the error of its partition, not of the request', async () => {
  const world = await hosting()
  append(world.log, { values: ['a'] })
  world.log.updateHighWatermark(1)
  world.bed.disk.fault = (operation) => (operation === 'read' ? 'EMFILE' : undefined)
  expect(await lookedUp(world, 0n)).toMatchObject({ partitionIndex: 0, errorCode: ErrorCode.KAFKA_STORAGE_ERROR })
  world.bed.disk.fault = undefined
  expect(await lookedUp(world, 0n)).toMatchObject({ errorCode: ErrorCode.NONE, offset: 0n })
})

describe('who looks for faults (replica id -2), as in Apache Kafka,', () => {
  test.each([
    ['the leader', NODE],
    ['a follower', 2],
  ])('is told by %s what there is, committed or not', async (_, leader) => {
    const world = await hosting({ replicas: [NODE, 2], isr: [NODE, 2], leader })
    append(world.log, { values: ['a'], baseTimestampMs: 7 })
    expect(await lookedUp(world, -1n, -2)).toMatchObject({ errorCode: ErrorCode.NONE, offset: 1n, leaderEpoch: 3 })
    expect(await lookedUp(world, -2n, -2)).toMatchObject({ errorCode: ErrorCode.NONE, offset: 0n })
    expect(await lookedUp(world, 7n, -2)).toMatchObject({ errorCode: ErrorCode.NONE, offset: 0n, timestamp: 7n })
    expect(await lookedUp(world, -1n, -2, 0, 2)).toMatchObject({ errorCode: ErrorCode.FENCED_LEADER_EPOCH })
  })

  test('is who may ask a follower; of all others only consumers are not told what is not committed', async () => {
    const led = await hosting({ replicas: [NODE, 2], isr: [NODE, 2] })
    const followed = await hosting({ replicas: [NODE, 2], isr: [NODE, 2], leader: 2 })
    append(led.log, { values: ['a'] })
    expect(await lookedUp(led, -1n, -1)).toMatchObject({ offset: 0n })
    for (const replicaId of [2, -3]) expect(await lookedUp(led, -1n, replicaId)).toMatchObject({ offset: 1n })
    for (const replicaId of [2, -1, -3])
      expect(await lookedUp(followed, -1n, replicaId)).toMatchObject({ errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER })
  })
})
