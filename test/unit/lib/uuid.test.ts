import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import {
  isUuid,
  METADATA_TOPIC_ID,
  randomUuid,
  uuidFromBytes,
  uuidToBytes,
  ZERO_UUID,
} from '../../../broker/lib/uuid.ts'

test('the reserved ids are the all-zero uuid and the one after it', () => {
  expect([...uuidToBytes(ZERO_UUID)]).toEqual(Array(16).fill(0))
  expect([...uuidToBytes(METADATA_TOPIC_ID)]).toEqual([...Array(15).fill(0), 1])
})

test('every sixteen bytes are a uuid that reads back, wherever they stand', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.nat(8), (bytes, offset) => {
      const buffer = new Uint8Array(32)
      buffer.set(bytes, offset)
      const uuid = uuidFromBytes(buffer, offset)
      expect(uuid).toHaveLength(22)
      expect([...uuidToBytes(uuid)]).toEqual([...bytes])
    }),
  )
})

test.each(['', 'AAAA', 'AAAAAAAAAAAAAAAAAAAAA=', 'AAAAAAAAAAAAAAAAAAAAAB', 'AAAAAAAAAAAAAAAAAAAA+A'])(
  '%p is no uuid',
  (text) => {
    expect(isUuid(text)).toBe(false)
    expect(() => uuidToBytes(text)).toThrow(RangeError)
  },
)

test('a random uuid has the version bits and no leading dash', () => {
  const draws = [new Uint8Array(16).fill(0xfb), new Uint8Array(16).fill(0xff), new Uint8Array(16)]
  // 0xfb begins with the character '-': it is drawn again.
  const uuid = randomUuid({ bytes: () => draws.shift() ?? new Uint8Array(16) })
  expect(uuid).toBe(
    uuidFromBytes(Uint8Array.from([255, 255, 255, 255, 255, 255, 0x4f, 255, 0xbf, ...Array(7).fill(255)])),
  )
})
