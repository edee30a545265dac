import { describe, expect, test } from '@jest/globals'
import { produceHandler } from '../../../broker/handlers/produce.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { ProduceRequest, ProduceResponse } from '../../../broker/protocol/messages/produce.ts'
import { batchOf } from '../storage/fixture.ts'
import { CLIENT, contextOf } from './context.ts'
import { RULES, stateOf } from '../replication/rig.ts'
import { hosting, TOPIC_ID } from './hosting.ts'

/** The answer to one batch for each of `partitions`. */
async function produced(
  world: Awaited<ReturnType<typeof hosting>>,
  {
    partitions = [0],
    acks = 1,
    apiVersion = 12,
    topic = world.log.topic,
    topicId = TOPIC_ID,
    clientId = CLIENT,
    records = batchOf({ values: ['a', 'b'] }),
  },
): Promise<ProduceResponse | 'none' | 'close'> {
  const request: ProduceRequest = {
    transactionalId: null,
    acks,
    timeoutMs: 1000,
    topicData: [{ name: topic, topicId, partitionData: partitions.map((index) => ({ index, records })) }],
  }
  const pending = produceHandler(world.deps).handle(request, contextOf({ apiVersion, clientId }))
  world.log.writeStaged()
  return (await pending) as ProduceResponse | 'none' | 'close'
}

const partitionsOf = (answer: ProduceResponse | 'none' | 'close') =>
  typeof answer === 'string' ? answer : answer.responses.flatMap(({ partitionResponses }) => partitionResponses)

describe('Produce', () => {
  test('tells where a batch was put', async () => {
    const world = await hosting()
    await produced(world, {})
    expect(partitionsOf(await produced(world, {}))).toMatchObject([
      { index: 0, errorCode: ErrorCode.NONE, baseOffset: 2n, logAppendTimeMs: -1n, logStartOffset: 0n },
    ])
  })

  test('lets the request go when all is appended, but for what each partition takes until the answer', async () => {
    const world = await hosting({ replicas: [1, 2], isr: [1, 2] })
    const held: number[] = []
    const received = { frame: new Uint8Array(), letGo: (bytes: number) => void held.push(bytes) }
    for (const partitions of [1, 40]) {
      const partitionData = Array.from({ length: partitions }, () => ({ index: 0, records: batchOf() }))
      const topicData = [{ name: world.log.topic, topicId: TOPIC_ID, partitionData }]
      const request = { transactionalId: null, acks: -1, timeoutMs: 1000, topicData }
      void produceHandler(world.deps).handle(request, contextOf({ apiVersion: 12, received }))
    }
    expect(held).toEqual([held[0], 40 * (held[0] ?? 0)])
    expect(held[0]).toBeGreaterThan(500)
  })

  test('answers each partition for itself: here, on another broker, and unknown', async () => {
    const answer = await produced(await hosting(), { partitions: [1, 0, 7] })
    expect(partitionsOf(answer)).toMatchObject([
      { index: 1, errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER, baseOffset: -1n },
      { index: 0, errorCode: ErrorCode.NONE },
      { index: 7, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
    ])
  })

  test('finds a topic by its id from v13 on', async () => {
    const world = await hosting()
    const known = await produced(world, { apiVersion: 13, topic: '' })
    expect(partitionsOf(known)).toMatchObject([{ errorCode: ErrorCode.NONE }])
    const unknown = await produced(world, { apiVersion: 13, topic: '', topicId: 'AAAAAAAAAAAAAAAAAAAABg' })
    expect(partitionsOf(unknown)).toMatchObject([{ errorCode: ErrorCode.UNKNOWN_TOPIC_ID }])
  })

  test('with acks=0 answers nothing, and ends the connection where something went wrong', async () => {
    const world = await hosting()
    expect(await produced(world, { acks: 0 })).toBe('none')
    expect(await produced(world, { acks: 0, partitions: [7] })).toBe('close')
  })

  test.each([2, -2])('refuses acks=%d and writes nothing', async (acks) => {
    const world = await hosting()
    expect(partitionsOf(await produced(world, { acks }))).toMatchObject([
      { errorCode: ErrorCode.INVALID_REQUIRED_ACKS },
    ])
    expect(world.log.logEndOffset).toBe(0)
  })

  test.each([
    ['as always', 1],
    ['also where it is refused as a whole', 2],
  ])('tells of each topic once, and of none without partitions: %s', async (_, acks) => {
    const world = await hosting()
    const topic = (name: string, ...partitions: number[]) => ({
      name,
      topicId: TOPIC_ID,
      partitionData: partitions.map((index) => ({ index, records: batchOf() })),
    })
    const topicData = [topic(world.log.topic, 0), topic('other'), topic('another', 4), topic(world.log.topic, 1)]
    const request = { transactionalId: null, acks, timeoutMs: 1000, topicData }
    const pending = produceHandler(world.deps).handle(request, contextOf({ apiVersion: 12 }))
    world.log.writeStaged()
    const { responses } = (await pending) as ProduceResponse
    expect(
      responses.map(({ name, partitionResponses }) => [name, partitionResponses.map(({ index }) => index)]),
    ).toEqual([
      [world.log.topic, [0, 1]],
      ['another', [4]],
    ])
    expect(partitionsOf(await produced(world, { partitions: [] }))).toEqual([])
  })

  test('tells of an unknown partition before of what is wrong with the request', async () => {
    const world = await hosting()
    const zstd = batchOf({ values: ['a'] })
    zstd[22] = 4
    for (const asked of [{ acks: 2 }, { apiVersion: 6, records: zstd }]) {
      const [, , unknown] = partitionsOf(await produced(world, { partitions: [0, 1, 7], ...asked }))
      expect(unknown).toMatchObject({ index: 7, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION })
    }
    const elsewhere = partitionsOf(await produced(world, { partitions: [1], acks: 2 }))
    expect(elsewhere).toMatchObject([{ errorCode: ErrorCode.INVALID_REQUIRED_ACKS }])
  })

  test('refuses a request with a transactional batch and no transactional id as a whole, and writes nothing', async () => {
    const world = await hosting()
    const transactional = () => batchOf({ producerId: 7, producerEpoch: 0, baseSequence: 0, isTransactional: true })
    const refused = { errorCode: ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, baseOffset: -1n, errorMessage: null }
    for (const acks of [-1, 1, 2]) {
      const answer = await produced(world, { acks, partitions: [0, 7], records: transactional() })
      expect(partitionsOf(answer)).toMatchObject([
        { index: 0, ...refused },
        { index: 7, ...refused },
      ])
    }
    expect(await produced(world, { acks: 0, records: transactional() })).toBe('close')
    const partitionData = [
      { index: 0, records: batchOf() },
      { index: 1, records: transactional() },
    ]
    const topicData = [{ name: world.log.topic, topicId: TOPIC_ID, partitionData }]
    const request = { transactionalId: null, acks: 1, timeoutMs: 1000, topicData }
    const mixed = await produceHandler(world.deps).handle(request, contextOf({ apiVersion: 12 }))
    expect(partitionsOf(mixed as ProduceResponse)).toMatchObject([refused, refused])
    expect(world.log.logEndOffset).toBe(0)
  })

  test('refuses acks=all where too few replicas are in sync', async () => {
    const world = await hosting({ replicas: [1, 2], isr: [1] })
    world.partition.configure({ ...world.partition.rules, minInSyncReplicas: 2 })
    expect(partitionsOf(await produced(world, { acks: -1 }))).toMatchObject([
      { errorCode: ErrorCode.NOT_ENOUGH_REPLICAS },
    ])
  })

  test("lets nobody but Kafka's own admin client write what coordinators keep", async () => {
    const world = await hosting()
    const topic = '__consumer_offsets'
    const log = await world.bed.open({}, { topic, directory: `/data/${topic}-0` })
    world.deps.replicas.host({ topicId: 'AAAAAAAAAAAAAAAAAAAABg', log, state: stateOf(), rules: RULES })
    expect(await produced(world, { topic, acks: 0 })).toBe('close')
    expect(log.logEndOffset).toBe(0)
    expect(partitionsOf(await produced(world, { topic }))).toMatchObject([
      { errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION },
    ])
    await produced(world, { topic, acks: 0, clientId: '__admin_client' })
    expect(log.logEndOffset).toBe(2)
  })

  test('counts bytes, records and failures by topic', async () => {
    const world = await hosting()
    const records = batchOf({ values: ['a', 'b'] })
    await produced(world, { records: records.slice() })
    await produced(world, { records: records.slice(0, 20) })
    expect(world.deps.metrics.brokerTopic(world.log.topic)).toMatchObject({
      totalProduceRequests: 2,
      failedProduceRequests: 1,
      messagesIn: 2,
      bytesIn: records.length,
    })
  })

  test('counts what was wrong with batches; mistakes of clients are no failures of the broker', async () => {
    const world = await hosting()
    const corrupt = batchOf({ values: ['a'] })
    corrupt[20] = (corrupt[20] as number) ^ 1
    const large = batchOf({ values: ['a'.repeat(2000)] })
    const counts = world.deps.metrics.brokerTopic(world.log.topic)
    await produced(world, { records: corrupt })
    await produced(world, { records: batchOf({ values: ['a'], producerId: 7, baseSequence: -1 }) })
    expect(counts).toMatchObject({
      invalidMessageCrcRecords: 1,
      invalidOffsetOrSequenceRecords: 1,
      failedProduceRequests: 1,
    })
    world.partition.configure({ ...RULES, maxMessageBytes: 1000, compacted: true })
    await produced(world, { records: large })
    await produced(world, { records: batchOf({ values: ['a', 'b', 'c'] }) })
    expect(counts).toMatchObject({
      bytesRejected: large.length,
      noKeyCompactedTopicRecords: 3,
      failedProduceRequests: 2,
    })
  })

  test('counts what was appended and not replicated in time as produced', async () => {
    const world = await hosting({ replicas: [1, 2], isr: [1, 2] })
    const records = batchOf({ values: ['a', 'b'] })
    const pending = produced(world, { acks: -1, records })
    await world.bed.clock.run(1000)
    expect(partitionsOf(await pending)).toMatchObject([{ errorCode: ErrorCode.REQUEST_TIMED_OUT }])
    expect(world.deps.metrics.brokerTopic(world.log.topic)).toMatchObject({
      failedProduceRequests: 0,
      messagesIn: 2,
      bytesIn: records.length,
    })
  })
})
