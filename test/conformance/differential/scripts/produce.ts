import { ApiKey } from '../../../../broker/protocol/api-key.ts'
import {
  ATTRIBUTES,
  BASE_OFFSET,
  BASE_TIMESTAMP,
  BATCH_LENGTH,
  CRC,
  HEADER_BYTES,
  LAST_OFFSET_DELTA,
  MAGIC,
  MAX_TIMESTAMP,
  PARTITION_LEADER_EPOCH,
  RECORD_COUNT,
} from '../../../../broker/records/batch.ts'
import { batchOf, changed, NOW } from '../batches.ts'
import { type Script, versionsOf } from '../script.ts'

const UNKNOWN_ID = 'AAAAAAAAAAAAAAAAAAAACA'
const DAY_MS = 86_400_000
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

interface Sent {
  readonly topic: string
  readonly topicId?: string
  readonly index?: number
  readonly acks?: number
  readonly transactionalId?: string
}

function requestOf(script: Script, sent: Sent, records: Uint8Array | null) {
  const { topic, topicId = script.topicId(topic), index = 0, acks = -1, transactionalId = null } = sent
  return {
    acks,
    transactionalId,
    timeoutMs: 10_000,
    topicData: [{ name: topic, topicId, partitionData: [{ index, records }] }],
  }
}

/** A fresh copy each time: a broker may not be sent what another has stamped. */
async function send(
  script: Script,
  what: string,
  version: number,
  sent: Sent,
  records: () => Uint8Array | null,
): Promise<void> {
  await script.call(what, ApiKey.Produce, version, requestOf(script, sent, records()))
}

const joined = (...batches: readonly Uint8Array[]): Uint8Array => Buffer.concat(batches)
const tampered = (change: (data: DataView) => void) => () => changed(batchOf({ count: 2 }), change)

/** Old message formats: one message of magic 0 or 1. */
function message(magic: 0 | 1): Uint8Array {
  const bytes = Buffer.alloc(12 + (magic === 0 ? 14 : 22))
  bytes.writeInt32BE(bytes.length - 12, 8)
  bytes.writeInt8(magic, 16)
  bytes.writeInt32BE(-1, bytes.length - 8)
  bytes.writeInt32BE(-1, bytes.length - 4)
  return bytes
}

/** What no producer may send. */
const MALFORMED: Readonly<Record<string, () => Uint8Array | null>> = {
  empty: () => new Uint8Array(0),
  'a few bytes': () => Uint8Array.from([1, 2, 3, 4, 5]),
  'two batches': () => joined(batchOf(), batchOf()),
  'magic 0': () => message(0),
  'magic 1': () => message(1),
  'magic 3': tampered((data) => data.setInt8(MAGIC, 3)),
  'magic -1': tampered((data) => data.setInt8(MAGIC, -1)),
  'bad CRC': () => {
    const batch = batchOf()
    new DataView(batch.buffer).setUint32(CRC, 1)
    return batch
  },
  'cut short': () => batchOf().subarray(0, -1),
  'header only': () => batchOf().subarray(0, HEADER_BYTES),
  'length 0': tampered((data) => data.setInt32(BATCH_LENGTH, 0)),
  'length beyond': () => {
    const batch = batchOf()
    new DataView(batch.buffer).setInt32(BATCH_LENGTH, 10_000)
    return batch
  },
  'count too high': tampered((data) => data.setInt32(RECORD_COUNT, 3)),
  'count too low': tampered((data) => data.setInt32(RECORD_COUNT, 1)),
  'count and delta too high': tampered((data) => {
    data.setInt32(RECORD_COUNT, 3)
    data.setInt32(LAST_OFFSET_DELTA, 2)
  }),
  'no records': tampered((data) => {
    data.setInt32(RECORD_COUNT, 0)
    data.setInt32(LAST_OFFSET_DELTA, -1)
  }),
  'negative count': tampered((data) => data.setInt32(RECORD_COUNT, -1)),
  'delta too high': tampered((data) => data.setInt32(LAST_OFFSET_DELTA, 9)),
  'base offset': tampered((data) => data.setBigInt64(BASE_OFFSET, 5n)),
  'leader epoch': tampered((data) => data.setInt32(PARTITION_LEADER_EPOCH, 9)),
  'unknown codec': tampered((data) => data.setInt16(ATTRIBUTES, 7)),
  'not compressed as it says': tampered((data) => data.setInt16(ATTRIBUTES, 1)),
  'LogAppendTime set': tampered((data) => data.setInt16(ATTRIBUTES, 8)),
  control: tampered((data) => data.setInt16(ATTRIBUTES, 0x20)),
  transactional: tampered((data) => data.setInt16(ATTRIBUTES, 0x10)),
  'unknown attributes': tampered((data) => data.setInt16(ATTRIBUTES, 0x100)),
  'delete horizon': tampered((data) => data.setInt16(ATTRIBUTES, 0x40)),
  'wrong maximum timestamp': tampered((data) => data.setBigInt64(MAX_TIMESTAMP, 1n)),
  'no timestamps': () => batchOf({ baseTimestampMs: -1 }),
  'negative timestamps': () => batchOf({ baseTimestampMs: -5 }),
  'base timestamp changed': tampered((data) => data.setBigInt64(BASE_TIMESTAMP, BigInt(NOW - DAY_MS))),
}

/** Around max.message.bytes; a megabyte each. */
const LARGE: Readonly<Record<string, () => Uint8Array>> = {
  oversized: () => batchOf({ records: [{ value: 'x'.repeat(1_048_588) }] }),
  'large enough': () => batchOf({ records: [{ value: 'x'.repeat(1_048_000) }] }),
}
const LARGE_VERSIONS = [3, 13]

export async function produce(script: Script): Promise<void> {
  await script.create('produced', { partitions: 2 })
  for (const version of versionsOf(ApiKey.Produce)) {
    const call = (
      what: string,
      sent: Partial<Sent> = {},
      records: () => Uint8Array | null = () => batchOf({ count: 2 }),
    ) => send(script, what, version, { topic: 'produced', ...sent }, records)
    for (const codec of CODECS) await call(codec, {}, () => batchOf({ count: 3, codec }))
    await call('acks 1', { acks: 1 })
    for (const acks of [2, -2, 32_767]) await call(`acks ${acks}`, { acks })
    await call('acks 2, unknown topic', { topic: 'absent', topicId: UNKNOWN_ID, acks: 2 })
    await call('acks 2, unknown partition', { index: 9, acks: 2 })
    await call('a transaction, unknown partition', { index: 9, transactionalId: 't' })
    await call('zstd, unknown partition', { index: 9 }, () => batchOf({ count: 3, codec: 'zstd' }))
    await call('unknown topic', { topic: 'absent', topicId: UNKNOWN_ID })
    await call('bad topic name', { topic: 'a/b', topicId: UNKNOWN_ID })
    await call('no topic id', { topicId: 'AAAAAAAAAAAAAAAAAAAAAA' })
    await call('unknown partition', { index: 9 })
    await call('negative partition', { index: -1 })
    for (const [what, records] of Object.entries(MALFORMED)) await call(what, {}, records)
    if (LARGE_VERSIONS.includes(version))
      for (const [what, records] of Object.entries(LARGE)) await call(what, {}, records)
    await script.call('nothing', ApiKey.Produce, version, { acks: -1, timeoutMs: 1000, topicData: [] })
    await two(script, version)
  }
  await read(script, 'produced')
}

/** Good and bad in one request, the same partition twice. */
async function two(script: Script, version: number): Promise<void> {
  const [name, topicId] = ['produced', script.topicId('produced')]
  const data = (...parts: readonly [number, Uint8Array][]) => ({
    acks: -1,
    timeoutMs: 10_000,
    topicData: [{ name, topicId, partitionData: parts.map(([index, records]) => ({ index, records })) }],
  })
  await script.call('good and bad', ApiKey.Produce, version, data([0, batchOf()], [1, message(1)]))
  await script.call('two partitions', ApiKey.Produce, version, data([0, batchOf()], [1, batchOf()]))
}

/** acks=0: no answer, and the end of the connection where something was wrong. */
export async function unacknowledged(script: Script): Promise<void> {
  await script.create('silent')
  for (const version of versionsOf(ApiKey.Produce)) {
    const call = (what: string, sent: Sent, records: Uint8Array) =>
      script.callUnanswered(what, ApiKey.Produce, version, requestOf(script, { acks: 0, ...sent }, records))
    await call('acks 0', { topic: 'silent' }, batchOf())
    await call('acks 0, unknown topic', { topic: 'absent', topicId: UNKNOWN_ID }, batchOf())
    await call('acks 0, old magic', { topic: 'silent' }, message(1))
    await call('acks 0, bad count', { topic: 'silent' }, tampered((data) => data.setInt32(RECORD_COUNT, 3))())
  }
  await read(script, 'silent')
}

/** Topics with rules of their own. */
const RULED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  compacted: { 'cleanup.policy': 'compact' },
  appended: { 'message.timestamp.type': 'LogAppendTime' },
  timed: { 'message.timestamp.before.max.ms': '1000000', 'message.timestamp.after.max.ms': '100000000' },
  small: { 'max.message.bytes': '200' },
  gzipped: { 'compression.type': 'gzip' },
  plain: { 'compression.type': 'uncompressed' },
  zstandard: { 'compression.type': 'zstd' },
  'appended-lz4': { 'message.timestamp.type': 'LogAppendTime', 'compression.type': 'lz4' },
  'two-in-sync': { 'min.insync.replicas': '2' },
}

export async function rules(script: Script): Promise<void> {
  for (const [name, configs] of Object.entries(RULED)) await script.create(`rule-${name}`, { configs })
  const time = (timestampMs: number, key = 'k') => ({ key, value: 'v', timestampMs })
  const BATCHES: Readonly<Record<string, () => Uint8Array>> = {
    keyless: () => batchOf({ records: [{ key: null, value: 'v' }] }),
    'keyless among others': () =>
      batchOf({ records: [{ key: 'k', value: 'v' }, { value: 'v' }, { key: 'k' }, { value: 'w' }] }),
    'keyless among others, lz4': () => batchOf({ codec: 'lz4', records: [{ key: 'k', value: 'v' }, { value: 'v' }] }),
    'too old': () => batchOf({ records: [time(NOW - DAY_MS)] }),
    'too new': () => batchOf({ records: [time(NOW + 3 * DAY_MS)] }),
    'one of three too old': () => batchOf({ records: [time(NOW), time(NOW - 2 * DAY_MS), time(NOW)] }),
    'one of three too new, gzip': () =>
      batchOf({ codec: 'gzip', records: [time(NOW), time(NOW + 9 * DAY_MS), time(NOW)] }),
    'time out of order': () => batchOf({ records: [time(NOW + 100), time(NOW), time(NOW + 50)] }),
    'LogAppendTime set': tampered((data) => data.setInt16(ATTRIBUTES, 8)),
    good: () => batchOf({ count: 3 }),
    'good, zstd': () => batchOf({ count: 3, codec: 'zstd' }),
    'good, snappy': () => batchOf({ count: 3, codec: 'snappy' }),
    long: () => batchOf({ records: [{ key: 'k', value: 'x'.repeat(300) }] }),
    'long, gzip': () => batchOf({ codec: 'gzip', records: [{ key: 'k', value: 'x'.repeat(300) }] }),
  }
  for (const name of Object.keys(RULED)) {
    for (const [what, records] of Object.entries(BATCHES)) {
      for (const version of [3, 7, 8, 12, 13])
        await send(script, `${name}: ${what}`, version, { topic: `rule-${name}` }, records)
    }
    await read(script, `rule-${name}`)
  }
}

/** Idempotence: KIP-98, KIP-360. */
export async function idempotence(script: Script): Promise<void> {
  await script.create('sequenced')
  const fresh = { transactionalId: null, transactionTimeoutMs: 0 }
  await script.until(ApiKey.InitProducerId, 1, fresh, ({ errorCode }) => errorCode === 0)
  await script.inEveryVersion('new', ApiKey.InitProducerId, fresh)
  const call = (what: string, producerId: number, producerEpoch: number, baseSequence: number, count = 2) =>
    send(script, what, 9, { topic: 'sequenced' }, () => batchOf({ producerId, producerEpoch, baseSequence, count }))
  await call('an unknown producer, from 5', 900, 0, 5)
  await call('an unknown producer, from 0', 901, 0, 0)
  await call('first', 902, 0, 0)
  await call('duplicate', 902, 0, 0)
  await call('duplicate of another size', 902, 0, 0, 1)
  await call('next', 902, 0, 2)
  await call('gap', 902, 0, 9)
  await call('back', 902, 0, 1)
  for (let sequence = 4; sequence < 16; sequence += 2) await call(`from ${sequence}`, 902, 0, sequence)
  await call('duplicate of the last', 902, 0, 14)
  await call('duplicate of the fifth last', 902, 0, 6)
  await call('duplicate of the sixth last', 902, 0, 4)
  await call('new epoch, not from 0', 902, 1, 16)
  await call('new epoch', 902, 1, 0)
  await call('old epoch', 902, 0, 16)
  await call('old epoch, duplicate', 902, 0, 14)
  await call('two epochs later', 902, 3, 0)
  await call('negative epoch', 903, -1, 0)
  await call('negative sequence', 903, 0, -1)
  await call('near the end', 904, 0, 2_147_483_646, 1)
  await call('at the end', 905, 0, 0, 2)
  await call('a producer id without the rest', 906, -1, -1)
  await send(script, 'wrapped', 9, { topic: 'sequenced' }, () =>
    batchOf({ producerId: 904, producerEpoch: 0, baseSequence: 2_147_483_646, count: 4 }),
  )
  await call('after the wrap', 904, 0, 2)
  await script.call('producers', ApiKey.DescribeProducers, 0, {
    topics: [
      { name: 'sequenced', partitionIndexes: [0, 7] },
      { name: 'absent', partitionIndexes: [0] },
      { name: 'a/b', partitionIndexes: [0] },
    ],
  })
  await read(script, 'sequenced')
}

export async function producerIds(script: Script): Promise<void> {
  const init = (what: string, request: object) =>
    script.inEveryVersion(what, ApiKey.InitProducerId, {
      transactionalId: null,
      transactionTimeoutMs: 60_000,
      ...request,
    })
  await init('epoch to bump', { producerId: 5n, producerEpoch: 3 })
  await init('epoch at its end', { producerId: 5n, producerEpoch: 32_766 })
  await init('epoch past its end', { producerId: 5n, producerEpoch: 32_767 })
  await init('id without epoch', { producerId: 5n })
  await init('epoch without id', { producerEpoch: 3 })
  await init('negative id', { producerId: -2n, producerEpoch: 0 })
  await init('empty transactional id', { transactionalId: '' })
}

/** All that a topic has, as batches. */
async function read(script: Script, topic: string): Promise<void> {
  for (const fetchOffset of [0n, 1n]) {
    await script.call(`${topic} from ${fetchOffset}`, ApiKey.Fetch, 11, {
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: 50_000_000,
      topics: [{ topic, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 50_000_000 }] }],
    })
  }
}
