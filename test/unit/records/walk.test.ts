import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { VarintReader, writeVarint, writeVarlong } from '../../../broker/lib/varint.ts'
import { type Walk, walkRecords } from '../../../broker/records/walk.ts'

interface Given {
  readonly timestampDelta: number
  readonly keySize: number
  readonly valueSize: number
  readonly headers: readonly number[]
}

const size = fc.oneof(fc.integer({ min: -1, max: 70 }), fc.integer({ min: 8000, max: 9000 }))
const records = fc.array(
  fc.record<Given>({
    timestampDelta: fc.oneof(fc.integer({ min: -100, max: 100 }), fc.maxSafeInteger(), fc.integer()),
    keySize: size,
    valueSize: size,
    headers: fc.array(fc.nat(20), { maxLength: 2 }),
  }),
  { minLength: 1, maxLength: 80 },
)

/** What a record is made in. */
const BODY = Buffer.alloc(40_000)

function encode(given: readonly Given[]): Uint8Array {
  return Buffer.concat(given.map((record, index) => encodeRecord(record, index)))
}

function encodeRecord({ timestampDelta, keySize, valueSize, headers }: Given, index: number): Uint8Array {
  BODY[0] = 0xff
  let at = writeVarint(BODY, writeVarlong(BODY, 1, timestampDelta), index)
  const field = (bytes: number) => {
    const start = writeVarint(BODY, at, bytes)
    at = start + Math.max(0, bytes)
    BODY.fill(0xff, start, at)
  }
  field(keySize)
  field(valueSize)
  at = writeVarint(BODY, at, headers.length)
  for (const bytes of headers) {
    field(bytes)
    field(bytes - 1)
  }
  const head = Buffer.alloc(5)
  return Buffer.concat([head.subarray(0, writeVarint(head, 0, at)), BODY.subarray(0, at)])
}

/** The same by a reader that checks every byte; undefined where a record is not one. */
function walkSlowly(bytes: Uint8Array, count: number): Walk | undefined {
  const reader = new VarintReader(bytes)
  const deltas: number[] = []
  let keyless = 0
  const skip = (length: number) => {
    reader.position += Math.max(0, length)
    if (reader.position > bytes.length) throw new Error('past the end')
    return length
  }
  try {
    for (let index = 0; index < count; index++) {
      const length = reader.varint()
      const end = reader.position + length
      skip(1)
      deltas.push(reader.varlong())
      if (reader.varint() !== index || end > bytes.length) return undefined
      if (skip(reader.varint()) < 0) keyless++
      skip(reader.varint())
      const headers = reader.varint()
      if (headers < 0) return undefined
      for (let header = 0; header < headers; header++) {
        if (skip(reader.varint()) < 0) return undefined
        skip(reader.varint())
      }
      if (reader.position !== end) return undefined
    }
  } catch {
    return undefined
  }
  if (reader.position !== bytes.length) return undefined
  return { minTimestampDelta: Math.min(...deltas), maxTimestampDelta: Math.max(...deltas), keyless }
}

function walk(bytes: Uint8Array, count: number): Walk | undefined {
  try {
    return walkRecords(bytes, 0, bytes.length, count)
  } catch (error) {
    expect(error).toMatchObject({ code: expect.stringMatching(/^MALFORMED/) })
    return undefined
  }
}

describe('a walk over records', () => {
  test('finds what a careful reader finds', () => {
    fc.assert(
      fc.property(records, (given) => {
        const bytes = encode(given)
        const expected = walkSlowly(bytes, given.length)
        expect(expected).toBeDefined()
        expect(walk(bytes, given.length)).toEqual(expected)
      }),
    )
  })

  test('refuses what a careful reader refuses, of records that were damaged', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 })
    const small = fc.record<Given>({
      timestampDelta: fc.nat(300),
      keySize: fc.integer({ min: -1, max: 4 }),
      valueSize: fc.integer({ min: -1, max: 4 }),
      headers: fc.array(fc.nat(3), { maxLength: 1 }),
    })
    fc.assert(
      fc.property(
        fc.array(small, { minLength: 1, maxLength: 3 }),
        damage,
        fc.integer({ min: -2, max: 1 }),
        (given, at, cut) => {
          const whole = encode(given)
          const bytes = Buffer.concat([whole, Buffer.alloc(1, 1)]).subarray(0, whole.length + cut)
          for (const [position, value] of at) bytes[position % bytes.length] = value
          expect(walk(bytes, given.length)).toEqual(walkSlowly(bytes, given.length))
        },
      ),
      { numRuns: 3000 },
    )
  })

  test('takes integers with more groups than they need', () => {
    const record = [0, 0x82, 0x80, 0x00, 0x80, 0x00, 0x81, 0x00, 0x81, 0x80, 0x00, 0x80, 0x00]
    const bytes = Uint8Array.from([0x80 | (record.length << 1), 0x00, ...record])
    expect(walk(bytes, 1)).toEqual({ minTimestampDelta: 1, maxTimestampDelta: 1, keyless: 1 })
  })

  test('counts offset deltas of one, two and three groups', () => {
    const count = 9000
    const given = { timestampDelta: 0, keySize: -1, valueSize: 0, headers: [] }
    const bytes = Buffer.concat(Array.from({ length: count }, (_, index) => encodeRecord(given, index)))
    expect(walk(bytes, count)).toEqual({ minTimestampDelta: 0, maxTimestampDelta: 0, keyless: count })
    const repeated = Buffer.concat([bytes, encodeRecord(given, count - 1)])
    expect(walk(repeated, count + 1)).toBeUndefined()
  })

  test('tells an offset delta from one that differs in its highest bit', () => {
    const delta = Buffer.alloc(5)
    const length = writeVarint(delta, 0, -(2 ** 31))
    const record = [0, 0, ...delta.subarray(0, length), 1, 1, 0]
    expect(walk(Uint8Array.from([record.length << 1, ...record]), 1)).toBeUndefined()
  })
})
