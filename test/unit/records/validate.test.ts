import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import type { CodecName } from '../../../broker/env/compute.ts'
import { NodeCompute } from '../../../broker/host/compute.ts'
import { BatchView, CRC, LAST_OFFSET_DELTA, MAGIC, MAX_TIMESTAMP, RECORD_COUNT } from '../../../broker/records/batch.ts'
import { type BatchOptions, buildBatch } from '../../../broker/records/build.ts'
import { readRecords } from '../../../broker/records/read.ts'
import { type ProduceRules, validateProduce } from '../../../broker/records/validate.ts'

const NOW = 1_700_000_000_000
const HOUR = 3_600_000
const compute = new NodeCompute()
const rules: ProduceRules = {
  maxMessageBytes: 1_000_000,
  compacted: false,
  timestampType: 'CreateTime',
  timestampBeforeMaxMs: HOUR,
  timestampAfterMaxMs: HOUR,
  nowMs: NOW,
}
const codecs: readonly CodecName[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const utf8 = (text: string) => new TextEncoder().encode(text)

function batch(options: Partial<BatchOptions> = {}): Uint8Array {
  const records = [
    { key: utf8('a'), value: utf8('1') },
    { key: utf8('b'), value: utf8('2'), headers: [{ key: 'h', value: null }], timestampMs: NOW + 5 },
    { key: utf8('c'), value: null },
  ]
  return buildBatch({ records, baseTimestampMs: NOW, ...options }, compute)
}

/** `change` made to the batch, under a CRC that fits. */
function changed(bytes: Uint8Array, change: (data: DataView) => void): Uint8Array {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  change(data)
  data.setUint32(CRC, new BatchView(bytes).computeCrc())
  return bytes
}

async function errorOf(bytes: Uint8Array, with_: Partial<ProduceRules> = {}): Promise<string> {
  const verdict = await validateProduce(bytes, { ...rules, ...with_ }, compute)
  return verdict.ok ? 'NONE' : verdict.error
}

const text = (field: Uint8Array | null) => (field === null ? null : Buffer.from(field).toString())

/** Keys and values, as text. */
function contentOf(bytes: Uint8Array): (string | null)[][] {
  return [...readRecords(new BatchView(bytes), compute)].map(({ key, value }) => [text(key), text(value)])
}

/** Counts the batches that are decompressed and not yet compressed anew. */
class HeldBatches extends NodeCompute {
  #held = 0
  most = 0
  override async decompress(codec: CodecName, data: Uint8Array, maxBytes: number): Promise<Uint8Array> {
    const plain = await super.decompress(codec, data, maxBytes)
    this.#held++
    this.most = Math.max(this.most, this.#held)
    return plain
  }
  override async compress(codec: CodecName, data: Uint8Array, level?: number): Promise<Uint8Array> {
    const bytes = await super.compress(codec, data, level)
    this.#held--
    return bytes
  }
}

describe('an accepted batch', () => {
  test.each(codecs)('of codec %s is stored as the bytes that came', async (codec) => {
    const bytes = batch({ codec })
    const before = Uint8Array.from(bytes)
    const verdict = await validateProduce(bytes, rules, compute)
    expect(verdict).toMatchObject({ ok: true, maxTimestampMs: NOW + 5, recordCount: 3, logAppendTimeMs: -1 })
    expect(bytes).toEqual(before)
    expect(verdict.ok && verdict.bytes).toBe(bytes)
  })

  test.each(codecs)('of codec %s and small is judged at once', (codec) => {
    expect(validateProduce(batch({ codec }), rules, compute)).not.toBeInstanceOf(Promise)
  })

  test('on a topic with LogAppendTime is stamped, with a CRC that fits', async () => {
    const verdict = await validateProduce(batch(), { ...rules, timestampType: 'LogAppendTime' }, compute)
    if (!verdict.ok) throw new Error(verdict.message)
    const view = new BatchView(verdict.bytes)
    expect(verdict).toMatchObject({ maxTimestampMs: NOW, logAppendTimeMs: NOW })
    expect([view.isLogAppendTime, view.maxTimestamp, view.computeCrc()]).toEqual([true, NOW, view.crc])
  })

  test('that says LogAppendTime is stored with the time type of its topic, under a CRC that fits', async () => {
    const bytes = batch({ isLogAppendTime: true })
    expect(await validateProduce(bytes, rules, compute)).toMatchObject({ ok: true, logAppendTimeMs: -1 })
    const view = new BatchView(bytes)
    expect([view.isLogAppendTime, view.computeCrc()]).toEqual([false, view.crc])
  })

  test('gets the maximum timestamp that its records have', async () => {
    const bytes = changed(batch(), (data) => data.setBigInt64(MAX_TIMESTAMP, 1n))
    expect(await validateProduce(bytes, rules, compute)).toMatchObject({ ok: true, maxTimestampMs: NOW + 5 })
    const view = new BatchView(bytes)
    expect([view.maxTimestamp, view.computeCrc()]).toEqual([NOW + 5, view.crc])
  })

  test('may have records without a timestamp', async () => {
    expect(await errorOf(batch({ records: [{ key: null, value: null }], baseTimestampMs: -1 }))).toBe('NONE')
  })

  test('of a producer keeps its id, epoch and sequence when it is compressed anew', async () => {
    const bytes = batch({ producerId: 8, producerEpoch: 2, baseSequence: 40, isTransactional: true })
    const verdict = await validateProduce(bytes, { ...rules, compression: { codec: 'zstd', level: 3 } }, compute)
    if (!verdict.ok) throw new Error(verdict.message)
    const view = new BatchView(verdict.bytes)
    expect([view.producerId, view.producerEpoch, view.baseSequence, view.isTransactional]).toEqual([8, 2, 40, true])
  })

  test.each(codecs.flatMap((from) => codecs.map((to) => [from, to] as const)))(
    'is stored by the codec of the topic: %s to %s',
    async (from, to) => {
      const bytes = batch({ codec: from })
      const content = contentOf(bytes)
      const verdict = await validateProduce(bytes, { ...rules, compression: { codec: to } }, compute)
      if (!verdict.ok) throw new Error(verdict.message)
      const view = new BatchView(verdict.bytes)
      expect([view.codec, view.sizeInBytes, view.computeCrc()]).toEqual([to, verdict.bytes.length, view.crc])
      expect(contentOf(verdict.bytes)).toEqual(content)
    },
  )
})

describe('a refused batch', () => {
  const framing: [string, string, () => Uint8Array][] = [
    ['no bytes', 'INVALID_RECORD', () => new Uint8Array(0)],
    ['half a batch', 'INVALID_RECORD', () => batch().subarray(0, 70)],
    ['two batches', 'INVALID_RECORD', () => Buffer.concat([batch(), batch()])],
    ['bytes behind the batch', 'INVALID_RECORD', () => Buffer.concat([batch(), new Uint8Array(3)])],
    ['bytes behind a compressed batch', 'INVALID_RECORD', () => Buffer.concat([batch({ codec: 'zstd' }), batch()])],
    ['magic 1', 'INVALID_RECORD', () => changed(batch(), (data) => data.setInt8(MAGIC, 1))],
    ['magic 3', 'CORRUPT_MESSAGE', () => changed(batch(), (data) => data.setInt8(MAGIC, 3))],
    [
      'a length no record has',
      'CORRUPT_MESSAGE',
      () => Buffer.concat([new Uint8Array(8), Uint8Array.from([0, 0, 0, 13]), batch()]),
    ],
    [
      'a flipped bit',
      'CORRUPT_MESSAGE',
      () => Uint8Array.from(batch(), (byte, index) => (index === 70 ? byte ^ 1 : byte)),
    ],
    ['a base offset', 'INVALID_RECORD', () => batch({ baseOffset: 1 })],
    [
      'a count that its offsets do not have',
      'INVALID_RECORD',
      () => changed(batch(), (data) => data.setInt32(RECORD_COUNT, 2)),
    ],
    [
      'counts beyond its records',
      'INVALID_RECORD',
      () =>
        changed(batch(), (data) => {
          data.setInt32(RECORD_COUNT, 4)
          data.setInt32(LAST_OFFSET_DELTA, 3)
        }),
    ],
    [
      'counts below its records',
      'INVALID_RECORD',
      () =>
        changed(batch(), (data) => {
          data.setInt32(RECORD_COUNT, 2)
          data.setInt32(LAST_OFFSET_DELTA, 1)
        }),
    ],
    [
      'no records',
      'INVALID_RECORD',
      () =>
        changed(batch(), (data) => {
          data.setInt32(RECORD_COUNT, 0)
          data.setInt32(LAST_OFFSET_DELTA, -1)
        }),
    ],
    ['an offset delta out of order', 'INVALID_RECORD', () => changed(batch(), (data) => data.setUint8(64, 2))],
    ['a control record', 'INVALID_RECORD', () => batch({ isControl: true })],
    ['a producer id without a sequence', 'INVALID_RECORD', () => batch({ producerId: 1, producerEpoch: 0 })],
    ['a transaction without a producer id', 'INVALID_RECORD', () => batch({ isTransactional: true })],
    ['an unknown codec', 'UNSUPPORTED_COMPRESSION_TYPE', () => changed(batch(), (data) => data.setInt16(21, 5))],
    ['a payload that does not decompress', 'INVALID_RECORD', () => changed(batch(), (data) => data.setInt16(21, 4))],
  ]
  test.each(framing)('%s: %s', async (_, error, bytes) => {
    expect(await errorOf(bytes())).toBe(error)
  })

  test('that says LogAppendTime, on a topic that stamps it: INVALID_TIMESTAMP', async () => {
    expect(await errorOf(batch({ isLogAppendTime: true }), { timestampType: 'LogAppendTime' })).toBe(
      'INVALID_TIMESTAMP',
    )
  })

  test('is one byte larger than max.message.bytes', async () => {
    const bytes = batch()
    expect(await errorOf(bytes, { maxMessageBytes: bytes.length })).toBe('NONE')
    expect(await errorOf(bytes, { maxMessageBytes: bytes.length - 1 })).toBe('MESSAGE_TOO_LARGE')
  })

  test('is too large once stored uncompressed', async () => {
    const records = [{ key: null, value: new Uint8Array(5000) }]
    const limits = { maxMessageBytes: 1000, compression: { codec: 'none' } } as const
    expect(await errorOf(batch({ records, codec: 'gzip' }), limits)).toBe('MESSAGE_TOO_LARGE')
  })

  test.each(codecs)('on a compacted topic names its records without a key (%s)', async (codec) => {
    const records = [utf8('k'), null, utf8('k'), null].map((key) => ({ key, value: null }))
    const verdict = await validateProduce(batch({ records, codec }), { ...rules, compacted: true }, compute)
    expect(verdict).toMatchObject({
      ok: false,
      error: 'INVALID_RECORD',
      recordErrors: [{ batchIndex: 1 }, { batchIndex: 3 }],
    })
  })

  test('names a thousand of its records at most: there may be millions in a small one', async () => {
    const records = Array.from({ length: 5000 }, () => ({ key: null, value: null }))
    const verdict = await validateProduce(batch({ records, codec: 'zstd' }), { ...rules, compacted: true }, compute)
    expect(verdict).toMatchObject({ error: 'INVALID_RECORD', message: '5000 of 5000 records are refused' })
    expect(verdict.ok ? [] : verdict.recordErrors).toHaveLength(1000)
  })

  test('names its records that are too old or too new, the limits themselves being allowed', async () => {
    const times = [NOW - HOUR - 1, NOW - HOUR, NOW, NOW + HOUR, NOW + HOUR + 1]
    const records = times.map((timestampMs) => ({ key: null, value: null, timestampMs }))
    const verdict = await validateProduce(batch({ records }), rules, compute)
    expect(verdict).toMatchObject({
      ok: false,
      error: 'INVALID_TIMESTAMP',
      recordErrors: [{ batchIndex: 0 }, { batchIndex: 4 }],
    })
  })

  test('is not refused for its timestamps where the broker sets them', async () => {
    expect(await errorOf(batch({ baseTimestampMs: 1 }), { timestampType: 'LogAppendTime' })).toBe('NONE')
  })
})

test('a large compressed batch is judged off the event loop, as a small one is', async () => {
  const records = Array.from({ length: 2000 }, (_, index) => ({ key: null, value: utf8(`record ${index * 7919}`) }))
  const verdict = validateProduce(batch({ records, codec: 'gzip' }), rules, compute)
  expect(verdict).toBeInstanceOf(Promise)
  expect(await verdict).toMatchObject({ ok: true, recordCount: 2000 })
})

test('whatever the records are damaged to, the batch is refused or reads back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 61, max: batch().length - 1 }), fc.nat(255), (position, byte) => {
      const bytes = changed(batch(), (data) => data.setUint8(position, byte))
      const verdict = validateProduce(
        bytes,
        { ...rules, timestampBeforeMaxMs: 2 ** 52, timestampAfterMaxMs: 2 ** 52 },
        compute,
      )
      if (verdict instanceof Promise) throw new Error('nothing to wait for')
      if (verdict.ok) expect(contentOf(verdict.bytes)).toHaveLength(3)
      else expect(verdict.error).toBe('INVALID_RECORD')
    }),
    { numRuns: 500 },
  )
})

test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)(
  'few batches of %s, which may be large, wait decompressed to be compressed anew',
  async (codec) => {
    const held = new HeldBatches()
    const records = [{ key: null, value: new Uint8Array(1_000_000) }]
    const to = { ...rules, compression: { codec: codec === 'gzip' ? 'zstd' : 'gzip' } } as const
    const verdicts = await Promise.all(
      Array.from({ length: 20 }, async () => validateProduce(batch({ records, codec }), to, held)),
    )
    expect(verdicts.map(({ ok }) => ok)).toEqual(verdicts.map(() => true))
    expect(held.most).toBeLessThanOrEqual(4)
  },
)
