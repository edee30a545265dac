import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import {
  sizeOfUnsignedVarint,
  sizeOfVarint,
  sizeOfVarlong,
  VarintError,
  VarintReader,
  writeUnsignedVarint,
  writeVarint,
  writeVarlong,
} from '../../../broker/lib/varint.ts'

/** What the writer leaves for one value. */
function written(write: (target: Uint8Array, position: number, value: number) => number, value: number): number[] {
  const target = new Uint8Array(16)
  return [...target.subarray(0, write(target, 0, value))]
}

const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const safeInteger = fc.oneof(fc.maxSafeInteger(), int32, fc.integer({ min: -200, max: 200 }))

describe('varint', () => {
  test.each([
    [0, [0]],
    [-1, [1]],
    [1, [2]],
    [-64, [0x7f]],
    [64, [0x80, 0x01]],
    [300, [0xd8, 0x04]],
    [2 ** 31 - 1, [0xfe, 0xff, 0xff, 0xff, 0x0f]],
    [-(2 ** 31), [0xff, 0xff, 0xff, 0xff, 0x0f]],
  ])('zigzag of %d is as protobuf has it', (value, bytes) => {
    expect(written(writeVarint, value)).toEqual(bytes)
    expect(written(writeVarlong, value)).toEqual(bytes)
  })

  test('an unsigned varint reads back, in the size it was sized for', () => {
    fc.assert(
      fc.property(uint32, (value) => {
        const bytes = written(writeUnsignedVarint, value)
        expect(bytes).toHaveLength(sizeOfUnsignedVarint(value))
        expect(new VarintReader(Uint8Array.from(bytes)).unsignedVarint()).toBe(value)
      }),
    )
  })

  test('a zigzag varint reads back, in the size it was sized for', () => {
    fc.assert(
      fc.property(int32, (value) => {
        const bytes = written(writeVarint, value)
        expect(bytes).toHaveLength(sizeOfVarint(value))
        expect(new VarintReader(Uint8Array.from(bytes)).varint()).toBe(value)
      }),
    )
  })

  test('a varlong reads back, in the size it was sized for', () => {
    fc.assert(
      fc.property(safeInteger, (value) => {
        const bytes = written(writeVarlong, value)
        expect(bytes).toHaveLength(sizeOfVarlong(value))
        expect(new VarintReader(Uint8Array.from(bytes)).varlong()).toBe(value)
      }),
    )
  })

  test('the largest int64 takes ten bytes', () => {
    const bytes = Uint8Array.from([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01])
    expect(new VarintReader(bytes).varlong()).toBe(2 ** 63)
  })

  test('a varint never reads past its end', () => {
    const reader = new VarintReader(Uint8Array.from([0x80, 0x80, 0x01]), 0, 2)
    expect(() => reader.varint()).toThrow(VarintError)
  })

  test('a varint of six bytes is refused', () => {
    const bytes = new Uint8Array(11).fill(0x80)
    expect(() => new VarintReader(bytes).varint()).toThrow('more than 5 bytes')
    expect(() => new VarintReader(bytes).varlong()).toThrow('more than 10 bytes')
  })
})
