import { describe, expect, test } from '@jest/globals'
import {
  array,
  bool,
  bytes,
  int16,
  int32,
  int64,
  records,
  string,
  struct,
  uuid,
} from '../../../broker/schema/fields.ts'
import { type Infer, type InferInput, message } from '../../../broker/schema/message.ts'
import { Reader } from '../../../broker/schema/reader.ts'
import { Writer } from '../../../broker/schema/writer.ts'

/** Hexadecimal digits, grouped for the reader. */
function hex(groups: string): string {
  return groups.replaceAll(' ', '')
}

const sample = message(
  { name: 'Sample', validVersions: '1-4', flexibleVersions: '3+' },
  {
    id: int32({ default: -1 }),
    name: string({ versions: '2+', nullable: '2+', default: null }),
    epoch: int64({ versions: '4+', default: 7n }),
    flags: array(bool(), { versions: '1-2' }),
    items: array(struct({ key: string(), value: bytes({ nullable: '2+' }) }), { nullable: '2+' }),
    leader: struct({ node: int32({ default: -1 }), hosts: array(string()) }, { tag: 1 }),
    topic: uuid({ tag: 0 }),
    cursor: struct({ at: int16() }, { versions: '4+', nullable: '4+', default: null }),
  },
)

function encode(version: number, value: InferInput<typeof sample>): Uint8Array {
  const writer = new Writer()
  sample.encode(writer, version, value)
  return writer.concat()
}

function roundTrip(version: number, value: InferInput<typeof sample>): Infer<typeof sample> {
  const reader = new Reader(encode(version, value))
  const result = sample.decode(reader, version)
  reader.end()
  return result
}

const DEFAULTS = {
  id: -1,
  name: null,
  epoch: 7n,
  flags: [],
  items: [],
  leader: { node: -1, hosts: [] },
  topic: 'AAAAAAAAAAAAAAAAAAAAAA',
  cursor: null,
}
const FULL = {
  id: 5,
  name: 'n',
  epoch: 1n,
  flags: [true],
  items: [{ key: 'k', value: null }],
  leader: { node: 2, hosts: ['a'] },
  topic: 'AAAAAAAAAAAAAAAAAAAAAQ',
  cursor: { at: 3 },
}

describe('a message', () => {
  test.each([1, 2, 3, 4])('with nothing given has its defaults, in version %d', (version) => {
    expect(roundTrip(version, {})).toEqual(DEFAULTS)
  })

  test('drops what the version lacks', () => {
    expect(roundTrip(2, FULL)).toEqual({ ...DEFAULTS, id: 5, name: 'n', flags: [true], items: FULL.items })
    expect(roundTrip(4, FULL)).toEqual({ ...FULL, flags: [] })
  })

  test('gives its fields in one order in every version', () => {
    const orders = [1, 2, 3, 4].map((version) => Object.keys(roundTrip(version, { ...FULL, items: [] })).join())
    expect(new Set(orders)).toEqual(new Set([Object.keys(FULL).join()]))
  })

  test('has its old encoding where it is not flexible', () => {
    const encoded = Buffer.from(encode(2, { id: 1, name: 'a', flags: [true], items: null })).toString('hex')
    expect(encoded).toBe(hex('00000001 000161 0000000101 ffffffff'))
  })

  test('has its compact encoding where it is flexible, tagged fields in order of their tags', () => {
    const encoded = Buffer.from(encode(3, { id: 1, leader: { node: 9 }, topic: FULL.topic })).toString('hex')
    const tags = hex('02 0010 00000000000000000000000000000001 0106 00000009 01 00')
    expect(encoded).toBe(`${hex('00000001 00 01')}${tags}`)
  })

  test('leaves out a tagged field that is given its default, and no other', () => {
    const tagged = message(
      { name: 'Tagged', validVersions: '0', flexibleVersions: '0+' },
      {
        nodes: array(int32(), { tag: 0 }),
        rack: string({ tag: 1, nullable: '0+', default: null }),
        leader: struct({ id: int32({ default: -1 }), hosts: array(string()) }, { tag: 2 }),
        data: bytes({ tag: 3, nullable: '0+' }),
      },
    )
    const encoded = (value: InferInput<typeof tagged>): string => {
      const writer = new Writer()
      tagged.encode(writer, 0, value)
      return Buffer.from(writer.concat()).toString('hex')
    }
    expect(encoded({ nodes: [], rack: null, leader: { hosts: [] }, data: Buffer.alloc(0) })).toBe('00')
    expect(encoded({ nodes: [7], rack: 'a', leader: { hosts: ['b'] }, data: null })).toBe(
      hex('04 00 05 02 00000007 01 02 02 61 02 08 ffffffff 02 02 62 00 03 01 00'),
    )
  })

  test('skips tagged fields that it does not know', () => {
    const known = encode(3, { id: 1 })
    const unknown = Buffer.concat([known.subarray(0, -1), Buffer.from([2, 5, 1, 77, 99, 0])])
    const reader = new Reader(unknown)
    expect(sample.decode(reader, 3)).toEqual({ ...DEFAULTS, id: 1 })
    expect(reader.remaining).toBe(0)
  })

  test('gives fresh defaults each time', () => {
    const [first, second] = [1, 2].map(() => sample.decode(new Reader(encode(4, {})), 4))
    first?.flags.push(true)
    first?.leader.hosts.push('x')
    expect(second).toEqual(DEFAULTS)
  })

  test('names the field that is malformed', () => {
    const encoded = encode(1, { items: [{ key: 'a' }, { key: 'long', value: new Uint8Array(10) }] })
    expect(() => sample.decode(new Reader(encoded.subarray(0, -1)), 1)).toThrow(
      expect.objectContaining({ code: 'MALFORMED', path: 'items[1].value' }),
    )
  })

  test('names the field that cannot be encoded', () => {
    expect(() => encode(1, { items: [{ key: 'a', value: null }] })).toThrow(
      expect.objectContaining({ code: 'UNENCODABLE', path: 'items[0].value' }),
    )
  })

  const told = message(
    { name: 'Told', validVersions: '0-1', flexibleVersions: '1+' },
    { text: string({ cut: true, nullable: true }), code: int16() },
  )

  test.each([
    ['which fits as it is', 'x'.repeat(32_767), 'x'.repeat(32_767)],
    ['of too many bytes', 'x'.repeat(32_768), 'x'.repeat(32_767)],
    ['which ends before a character of two bytes', `x${'ü'.repeat(16_383)}`, `x${'ü'.repeat(16_383)}`],
    ['with half a character of two bytes at the limit', 'ü'.repeat(16_384), 'ü'.repeat(16_383)],
    ['with most of a character of four bytes at the limit', '😀'.repeat(8192), '😀'.repeat(8191)],
    ['that is null', null, null],
  ])('has as much of a text for people as goes onto the wire: one %s', (_, text, expected) => {
    for (const version of [0, 1]) {
      const writer = new Writer()
      told.encode(writer, version, { text, code: 7 })
      const reader = new Reader(writer.concat())
      expect(told.decode(reader, version)).toEqual({ text: expected, code: 7 })
      reader.end()
    }
  })

  test.each([0, 5, -1])('has no version %d', (version) => {
    expect(() => encode(version, {})).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_VERSION' }))
    expect(() => sample.decode(new Reader(new Uint8Array(9)), version)).toThrow('Sample has no version')
  })
})

describe('records', () => {
  const holder = message(
    { name: 'Holder', validVersions: '0', flexibleVersions: 'none' },
    { records: records({ nullable: true }) },
  )

  test.each([
    ['bytes', new Uint8Array(2000).fill(1)],
    ['chunks', [new Uint8Array(1500).fill(1), new Uint8Array(500).fill(1)]],
  ])('are encoded from %s and decoded to one view', (_, value) => {
    const writer = new Writer()
    holder.encode(writer, 0, { records: value })
    const decoded = holder.decode(new Reader(writer.concat()), 0)
    expect(decoded.records).toHaveLength(2000)
    expect(decoded.records?.every((byte) => byte === 1)).toBe(true)
  })

  test('may be null', () => {
    const writer = new Writer()
    holder.encode(writer, 0, { records: null })
    expect(holder.decode(new Reader(writer.concat()), 0)).toEqual({ records: null })
  })
})
