import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { BatchView } from '../../../broker/records/batch.ts'
import { buildBatch } from '../../../broker/records/build.ts'
import { batches, readRecords } from '../../../broker/records/read.ts'
import { MalformedBatchError } from '../../../broker/records/record.ts'

const noCompute = {
  decompressSync: (): Uint8Array => {
    throw new Error('nothing to decompress')
  },
}
const utf8 = (text: string) => new TextEncoder().encode(text)
const bytesOf = (bytes: Uint8Array | null) => (bytes === null ? null : [...bytes])

const field = fc.option(fc.uint8Array({ maxLength: 200 }))
const newRecord = fc.record({
  key: field,
  value: field,
  headers: fc.array(fc.record({ key: fc.string({ unit: 'grapheme' }), value: field }), { maxLength: 3 }),
  timestampMs: fc.integer({ min: 0, max: 2 ** 45 }),
})

function oneRecord(): Uint8Array {
  return buildBatch({ records: [{ key: utf8('k'), value: utf8('v') }], baseTimestampMs: 1000 })
}

describe('a built batch', () => {
  test('reads back record for record', () => {
    fc.assert(
      fc.property(fc.array(newRecord, { minLength: 1, maxLength: 40 }), fc.nat(), (records, baseOffset) => {
        const bytes = buildBatch({ records, baseOffset, baseTimestampMs: 2 ** 40 })
        const read = [...readRecords(new BatchView(bytes), noCompute)]
        expect(read.map(({ offset }) => offset)).toEqual(records.map((_, index) => baseOffset + index))
        expect(read.map(({ timestampMs }) => timestampMs)).toEqual(records.map((record) => record.timestampMs))
        expect(read.map(({ key, value }) => [bytesOf(key), bytesOf(value)])).toEqual(
          records.map(({ key, value }) => [bytesOf(key), bytesOf(value)]),
        )
        expect(read.map(({ headers }) => headers.map((header) => [header.key, bytesOf(header.value)]))).toEqual(
          records.map(({ headers }) => headers.map((header) => [header.key, bytesOf(header.value)])),
        )
      }),
    )
  })

  test('has the header that its options say', () => {
    const view = new BatchView(
      buildBatch({
        records: [
          { key: null, value: utf8('a'), timestampMs: 1700 },
          { key: null, value: utf8('b') },
        ],
        baseTimestampMs: 1500,
        baseOffset: 2 ** 40,
        leaderEpoch: 7,
        producerId: 9,
        producerEpoch: 3,
        baseSequence: 11,
        isTransactional: true,
      }),
    )
    expect({
      baseOffset: view.baseOffset,
      lastOffset: view.lastOffset,
      leaderEpoch: view.partitionLeaderEpoch,
      magic: view.magic,
      producer: [view.producerId, view.producerEpoch, view.baseSequence],
      times: [view.baseTimestamp, view.maxTimestamp],
      flags: [view.codec, view.isTransactional, view.isControl, view.isLogAppendTime],
      count: view.recordCount,
      size: view.sizeInBytes,
    }).toEqual({
      baseOffset: 2 ** 40,
      lastOffset: 2 ** 40 + 1,
      leaderEpoch: 7,
      magic: 2,
      producer: [9, 3, 11],
      times: [1500, 1700],
      flags: ['none', true, false, false],
      count: 2,
      size: view.bytes.length,
    })
  })

  test('has a CRC that matches, and no longer once a byte of a record changes', () => {
    const bytes = oneRecord()
    const view = new BatchView(bytes)
    expect(view.computeCrc()).toBe(view.crc)
    bytes[bytes.length - 2] = 0xff
    expect(view.computeCrc()).not.toBe(view.crc)
  })

  test('with LogAppendTime gives every record the append time', () => {
    const records = [
      { key: null, value: null, timestampMs: 5 },
      { key: null, value: null },
    ]
    const bytes = buildBatch({ records, baseTimestampMs: 1 })
    new BatchView(bytes).stampLogAppendTime(99)
    expect([...readRecords(new BatchView(bytes), noCompute)].map(({ timestampMs }) => timestampMs)).toEqual([99, 99])
  })

  test('is stamped with the largest time that there is', () => {
    const view = new BatchView(buildBatch({ records: [{ key: null, value: null }], baseTimestampMs: 1 }))
    view.stampMaxTimestamp(2 ** 63)
    expect([view.maxTimestamp, view.computeCrc()]).toEqual([2 ** 63, view.crc])
    view.stampMaxTimestamp(-1)
    expect(view.maxTimestamp).toBe(-1)
  })
})

describe('batches', () => {
  test('are found one after the other', () => {
    const bytes = Buffer.concat([oneRecord(), oneRecord(), oneRecord()])
    expect([...batches(bytes)].map(({ start }) => start)).toEqual([0, bytes.length / 3, (bytes.length / 3) * 2])
  })

  test.each([1, 11, 12, 40])('cut to %d bytes at the end stop the scan, or throw where that is asked for', (size) => {
    const bytes = Buffer.concat([oneRecord(), oneRecord().subarray(0, size)])
    expect([...batches(bytes)]).toHaveLength(1)
    expect(() => [...batches(bytes, { torn: 'throw' })]).toThrow(MalformedBatchError)
  })

  test('with a length below the header throw', () => {
    const bytes = oneRecord()
    new DataView(bytes.buffer).setInt32(8, 48)
    expect(() => [...batches(bytes)]).toThrow(MalformedBatchError)
  })
})

test('any damage to the records is an error or other records, never a crash', () => {
  const bytes = buildBatch({
    records: [
      { key: utf8('key'), value: utf8('value'), headers: [{ key: 'h', value: utf8('x') }] },
      { key: null, value: utf8('second') },
    ],
    baseTimestampMs: 1,
  })
  fc.assert(
    fc.property(fc.integer({ min: 61, max: bytes.length - 1 }), fc.nat(255), (position, byte) => {
      const damaged = Uint8Array.from(bytes)
      damaged[position] = byte
      try {
        expect([...readRecords(new BatchView(damaged), noCompute)]).toHaveLength(2)
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedBatchError)
      }
    }),
  )
})
