import { afterEach, expect, jest, test } from '@jest/globals'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Peer } from '../../../broker/client/peer.ts'
import type { CodecName } from '../../../broker/env/compute.ts'
import { NodeCompute } from '../../../broker/host/compute.ts'
import { BufferPool } from '../../../broker/lib/buffer-pool.ts'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { buildBatch } from '../../../broker/records/build.ts'
import { batches, readRecords } from '../../../broker/records/read.ts'
import { TestCluster } from './bed.ts'

const COMPUTE = new NodeCompute()
/** More than the pool keeps: what is let go of it is the garbage collector's. */
const LARGE_BYTES = 5_000_000

afterEach(() => {
  jest.restoreAllMocks()
})

/** Bytes that hardly compress, others for each `seed`. */
function noise(seed: number, size: number): Uint8Array {
  let state = seed + 1
  return Uint8Array.from({ length: size }, () => (state = Math.imul(state, 1_103_515_245) + 12_345) >>> 24)
}

function batchOf(value: Uint8Array, codec: CodecName): Uint8Array {
  return buildBatch({ records: [{ key: null, value }], baseTimestampMs: 1_700_000_000_000, codec }, COMPUTE)
}

/** A topic whose partitions all have `replicas`. */
const topicOf = (name: string, partitions: number, replicas: number[], config: Record<string, string> = {}) => ({
  name,
  numPartitions: -1,
  replicationFactor: -1,
  assignments: Array.from({ length: partitions }, (_, partitionIndex) => ({ partitionIndex, brokerIds: replicas })),
  configs: Object.entries(config).map(([key, value]) => ({ name: key, value })),
})

async function clusterWith(
  nodes: number,
  topics: ReturnType<typeof topicOf>[],
  properties: Record<string, string> = {},
): Promise<{ cluster: TestCluster; idOf: (name: string) => string; producer: () => Peer }> {
  const roles = Array.from({ length: nodes }, (_, index) => (index === 0 ? 'broker,controller' : 'broker'))
  const cluster = new TestCluster(roles, { 'message.max.bytes': '10000000', ...properties })
  await cluster.start()
  const created = await cluster.ask(cluster.nodes[0], ApiKey.CreateTopics, { topics, timeoutMs: 5000 })
  await cluster.world.clock.run(5000)
  const { network, clock } = cluster.world.machine('producer').start()
  const address = { host: 'node-1', port: 9092 }
  const timeouts = { connectTimeoutMs: 1000, requestTimeoutMs: 600_000 }
  return {
    cluster,
    idOf: (name) => created?.topics.find((topic) => topic.name === name)?.topicId ?? '',
    producer: () => new Peer({ address, clientId: 'producer', ...timeouts }, { network, clock }),
  }
}

/** The memory that requests of this size are received in from now on, as far as anybody holds it. */
function watchMemory(bytes: number): () => number {
  const taken: WeakRef<ArrayBufferLike>[] = []
  const take = Reflect.get(BufferPool.prototype, 'take')
  const watched = jest.spyOn(BufferPool.prototype, 'take').mockImplementation(function (this: BufferPool, size) {
    const memory = take.call(this, size)
    if (size >= bytes) taken.push(new WeakRef(memory.buffer))
    return memory
  })
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  return () => {
    // It keeps what was returned.
    watched.mockClear()
    collect()
    expect(taken.length).toBeGreaterThan(0)
    return taken.filter((memory) => memory.deref() !== undefined).length
  }
}

test('a request that waits for the replicas does not hold what was appended of it', async () => {
  const { cluster, idOf, producer } = await clusterWith(2, [topicOf('t', 1, [1, 2])], {
    'broker.session.timeout.ms': '600000',
    'replica.lag.time.max.ms': '600000',
  })
  cluster.nodes[1]?.machine.stopProcess()
  const held = watchMemory(LARGE_BYTES)
  const records = batchOf(noise(0, LARGE_BYTES), 'none')
  const topicData = [{ topicId: idOf('t'), partitionData: [{ index: 0, records: [records] }] }]
  const answers = Array.from({ length: 4 }, () =>
    producer().request(ApiKey.Produce, { acks: -1, timeoutMs: 60_000, topicData }),
  )
  await cluster.world.clock.run(1000)
  expect(held()).toBe(0)
  const outcomes = await cluster.world.clock.runFor(Promise.all(answers), 120_000)
  const partitions = outcomes.map(({ responses }) => responses[0]?.partitionResponses[0])
  expect(partitions.map((partition) => partition?.errorCode)).toEqual(partitions.map(() => ErrorCode.REQUEST_TIMED_OUT))
  const stored = cluster.nodes[0]?.machine.disk.readFile('/data/t-0/00000000000000000000.log')
  expect([...batches(stored ?? new Uint8Array(), { torn: 'throw' })].length).toBe(answers.length)
})

test('the memory of a request is used again when all that was appended of it is in the file, and not before', async () => {
  const topics = [topicOf('as-sent', 2, [1]), topicOf('anew', 1, [1], { 'compression.type': 'gzip' })]
  const { cluster, idOf, producer } = await clusterWith(1, topics)
  const giveBack = Reflect.get(BufferPool.prototype, 'giveBack')
  let givenBack = 0
  jest.spyOn(BufferPool.prototype, 'giveBack').mockImplementation(function (this: BufferPool, bytes) {
    if (this.isLent(bytes)) {
      givenBack++
      bytes.fill(0xdb)
    }
    giveBack.call(this, bytes)
  })
  const peer = producer()
  const places = [
    ['as-sent', 0],
    ['as-sent', 1],
    ['anew', 0],
  ] as const
  // The second and the third partition of a request are decided in another order than they came, and what comes next waits for them.
  const codecs: readonly CodecName[] = ['none', 'lz4', 'zstd', 'none', 'gzip', 'none']
  const values = codecs.map((_, round) => places.map((_place, at) => noise(3 * round + at, 300_000)))
  const answers = values.map((ofRound, round) => {
    const topicData = places.map(([topic, index], at) => {
      const codec = codecs[(round + at) % codecs.length] ?? 'none'
      return {
        topicId: idOf(topic),
        partitionData: [{ index, records: [batchOf(ofRound[at] as Uint8Array, codec)] }],
      }
    })
    return peer.request(ApiKey.Produce, { acks: -1, timeoutMs: 60_000, topicData })
  })
  const outcomes = await cluster.world.clock.runFor(Promise.all(answers), 60_000)
  const errors = outcomes.flatMap(({ responses }) =>
    responses.flatMap(({ partitionResponses }) => partitionResponses.map(({ errorCode }) => errorCode)),
  )
  expect(new Set(errors)).toEqual(new Set([ErrorCode.NONE]))
  expect(givenBack).toBeGreaterThanOrEqual(codecs.length)
  for (const [at, [topic, index]] of places.entries()) {
    const file = cluster.nodes[0]?.machine.disk.readFile(`/data/${topic}-${index}/00000000000000000000.log`)
    const stored = [...batches(file ?? new Uint8Array(), { torn: 'throw' })]
    expect(stored.map((batch) => batch.computeCrc() === batch.crc)).toEqual(codecs.map(() => true))
    const found = stored.flatMap((batch) =>
      [...readRecords(batch, COMPUTE)].map(({ value }) => Buffer.from(value ?? [])),
    )
    expect(found.map((value, round) => value.equals(values[round]?.[at] ?? new Uint8Array()))).toEqual(
      codecs.map(() => true),
    )
  }
  await cluster.stop()
})
