import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { Reader } from '../../../broker/schema/reader.ts'
import { Writer } from '../../../broker/schema/writer.ts'

function written(write: (writer: Writer) => void): Uint8Array {
  const writer = new Writer()
  write(writer)
  return writer.concat()
}

function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values)
}

const uuidText = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((id) => Buffer.from(id).toString('base64url'))

describe('primitives come back as they were written', () => {
  test.each([
    ['int8', fc.integer({ min: -128, max: 127 }), 1],
    ['int16', fc.integer({ min: -32768, max: 32767 }), 2],
    ['uint16', fc.integer({ min: 0, max: 65535 }), 2],
    ['int32', fc.integer(), 4],
    ['uint32', fc.nat(0xffffffff), 4],
    ['int64', fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), 8],
    ['float64', fc.double({ noNaN: true }), 8],
    ['bool', fc.boolean(), 1],
    ['uuid', uuidText, 16],
    ['unsignedVarint', fc.nat(0xffffffff), undefined],
    ['string', fc.string({ unit: 'grapheme', maxLength: 300 }), undefined],
    ['compactString', fc.string({ unit: 'grapheme', maxLength: 300 }), undefined],
  ] as const)('%s', (kind, values: fc.Arbitrary<unknown>, size) => {
    fc.assert(
      fc.property(values, (value) => {
        const encoded = written((writer) => Reflect.apply(writer[kind], writer, [value]))
        const reader = new Reader(encoded)
        expect(reader[kind]()).toEqual(value)
        expect([reader.remaining, encoded.length]).toEqual([0, size ?? encoded.length])
      }),
    )
  })

  test('null strings and bytes, in both forms', () => {
    const encoded = written((writer) => {
      writer.nullableString(null)
      writer.compactNullableString(null)
      writer.nullableBytes(null)
      writer.compactNullableBytes(null)
    })
    const reader = new Reader(encoded)
    expect([reader.nullableString(), reader.compactNullableString()]).toEqual([null, null])
    expect([reader.nullableBytes(), reader.compactNullableBytes()]).toEqual([null, null])
  })
})

describe('Reader', () => {
  test('gives views of the frame, also when the frame is a part of a buffer', () => {
    const buffer = bytes(9, 9, 0, 0, 0, 2, 5, 6)
    const value = new Reader(buffer.subarray(2)).bytes()
    expect([...value]).toEqual([5, 6])
    expect(value.buffer).toBe(buffer.buffer)
  })

  test.each([
    ['a varint of six bytes', bytes(0x80, 0x80, 0x80, 0x80, 0x80, 0x01), (r: Reader) => r.unsignedVarint()],
    ['a varint of 33 bits', bytes(0xff, 0xff, 0xff, 0xff, 0x1f), (r: Reader) => r.unsignedVarint()],
    ['a varint that ends early', bytes(0x80), (r: Reader) => r.unsignedVarint()],
    ['a string past the end', bytes(0, 3, 65), (r: Reader) => r.string()],
    ['a null string', bytes(0xff, 0xff), (r: Reader) => r.string()],
    ['a null compact string', bytes(0), (r: Reader) => r.compactString()],
    ['a compact string of 2 GiB', bytes(0xff, 0xff, 0xff, 0xff, 0x07), (r: Reader) => r.compactString()],
    ['null bytes', bytes(0xff, 0xff, 0xff, 0xff), (r: Reader) => r.bytes()],
    ['bytes of 2 GiB', bytes(0x7f, 0xff, 0xff, 0xff, 1), (r: Reader) => r.nullableBytes()],
    ['a null array', bytes(0xff, 0xff, 0xff, 0xff), (r: Reader) => r.arrayCount(4)],
    ['an array of 2^31 - 1', bytes(0x7f, 0xff, 0xff, 0xff, 1, 2, 3), (r: Reader) => r.arrayCount(1)],
    ['one element more than fit', bytes(0, 0, 0, 2, 1, 2, 3), (r: Reader) => r.arrayCount(2)],
    ['a tagged field past the end', bytes(9, 1, 2), (r: Reader) => r.enterTag()],
    ['2^32 - 1 tagged fields', bytes(0xff, 0xff, 0xff, 0xff, 0x0f, 1, 0), (r: Reader) => r.skipTags()],
  ])('refuses %s', (_, frame, read) => {
    expect(() => read(new Reader(frame))).toThrow(expect.objectContaining({ code: 'MALFORMED' }))
  })

  const text = (length: number, byte: number) =>
    new Reader(Buffer.concat([bytes(length >> 8, length & 0xff), Buffer.alloc(length, byte)])).string()

  test.each([
    ['all of its bytes are no UTF-8', 10_922, 0xff],
    ['it is as long as may be', 32_767, 0x78],
  ])('gives a string that can be written again where %s', (_, length, byte) => {
    expect(() => written((writer) => writer.string(text(length, byte)))).not.toThrow()
  })

  test('refuses a string that could not be written again, since what is no UTF-8 grows', () => {
    expect(() => text(10_923, 0xff)).toThrow('no UTF-8')
  })

  test('limits the elements of all arrays of a message together', () => {
    const reader = new Reader(bytes(4, 1, 1, 1, 4, 1, 1, 1), { maxElements: 5 })
    expect(reader.compactArrayCount(1)).toBe(3)
    reader.slice(3)
    expect(() => reader.compactArrayCount(1)).toThrow('too many array elements')
  })

  test('confines what it reads to the tagged field it is in', () => {
    const reader = new Reader(bytes(1, 7, 8))
    reader.enterTag()
    expect(() => reader.int16()).toThrow('2 bytes declared, 1 left')
  })

  test('refuses a tagged field with bytes behind its value', () => {
    const reader = new Reader(bytes(2, 7, 8))
    const end = reader.enterTag()
    reader.int8()
    expect(() => reader.leaveTag(end)).toThrow('1 bytes behind the value of a tagged field')
  })
})

describe('Writer', () => {
  test('hands long byte fields over by reference', () => {
    const records = new Uint8Array(5000)
    const writer = new Writer()
    writer.int32(1)
    writer.bytes([records.subarray(0, 2000), records.subarray(2000, 2010), records.subarray(2010)])
    writer.int32(2)
    const chunks = writer.chunks()
    expect(chunks.filter((chunk) => chunk.buffer === records.buffer).map(({ length }) => length)).toEqual([2000, 2990])
    expect(chunks.map(({ length }) => length)).toEqual([8, 2000, 10, 2990, 4])
  })

  test('keeps what was written when it grows past its first chunks', () => {
    const numbers = Array.from({ length: 100_000 }, (_, i) => i)
    const writer = new Writer(8)
    for (const number of numbers) writer.int32(number)
    expect(writer.length).toBe(400_000)
    const reader = new Reader(writer.concat())
    expect(numbers.map(() => reader.int32())).toEqual(numbers)
  })

  test.each([0, 126, 127, 128, 129, 3000, 70_000])('puts the size in front of a tagged field of %d bytes', (size) => {
    const value = new Uint8Array(size).fill(7)
    const encoded = written((writer) => {
      writer.int8(1)
      const mark = writer.enterTag(300)
      writer.raw(value)
      writer.leaveTag(mark)
      writer.int8(2)
    })
    const reader = new Reader(encoded)
    expect([reader.int8(), reader.unsignedVarint()]).toEqual([1, 300])
    const end = reader.enterTag()
    expect(Buffer.compare(reader.slice(reader.remaining), value)).toBe(0)
    reader.leaveTag(end)
    expect([reader.int8(), reader.remaining]).toEqual([2, 0])
  })

  test.each([
    ['int8', 128],
    ['int8', -129],
    ['int16', 32768],
    ['uint16', -1],
    ['int32', 2 ** 31],
    ['int32', 1.5],
    ['int32', NaN],
    ['uint32', 2 ** 32],
    ['uuid', 'AAAAAAAAAAAAAAAAAAAAA'],
    ['uuid', 'AAAAAAAAAAAAAAAAAAAAA!'],
    ['string', 'x'.repeat(32768)],
    ['compactString', '\u00e9'.repeat(16384)],
  ] as const)('refuses %s %p', (kind, value) => {
    expect(() => written((writer) => Reflect.apply(writer[kind], writer, [value]))).toThrow(
      expect.objectContaining({ code: 'UNENCODABLE' }),
    )
  })
})
