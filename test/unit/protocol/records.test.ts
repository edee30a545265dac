import { describe, expect, test } from '@jest/globals'
import {
  decodeRecordKey,
  decodeRecordValue,
  encodeRecordKey,
  encodeRecordValue,
  recordTypeOf,
} from '../../../broker/protocol/coordinator-record.ts'
import { decodeMetadataRecord, encodeMetadataRecord } from '../../../broker/protocol/metadata-record.ts'
import { errorName, isRetriable } from '../../../broker/protocol/errors.ts'
import { groupMetadataKey, offsetCommitKey, offsetCommitValue } from '../../../broker/protocol/records/group-classic.ts'

/** Hexadecimal digits, grouped for the reader. */
function hex(groups: string): string {
  return groups.replaceAll(' ', '')
}

const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ'
const MALFORMED: object = expect.objectContaining({ code: 'MALFORMED' })

describe('a metadata record', () => {
  const bytes = encodeMetadataRecord('TopicRecord', { name: 'foo', topicId }, 0)

  test('is framed by frame version, type and version', () => {
    expect(Buffer.from(bytes).toString('hex')).toBe(hex('010200 04666f6f 00000000000000000000000000000001 00'))
  })

  test('comes back with its type', () => {
    expect(decodeMetadataRecord(bytes)).toEqual({ type: 'TopicRecord', version: 0, value: { name: 'foo', topicId } })
  })

  test.each([
    ['of another frame version', Buffer.from([0, ...bytes.subarray(1)]), MALFORMED],
    ['of an unknown type', Buffer.from([1, 99, 0, 0]), MALFORMED],
    ['of a version to come', Buffer.from([1, 2, 9, 0]), expect.objectContaining({ code: 'UNSUPPORTED_VERSION' })],
    ['with bytes behind it', Buffer.from([...bytes, 0]), MALFORMED],
    ['cut short', bytes.subarray(0, -1), MALFORMED],
  ])('%s is refused', (_, damaged: Uint8Array, error: object) => {
    expect(() => decodeMetadataRecord(damaged)).toThrow(error)
  })
})

describe("a coordinator's record", () => {
  const key = encodeRecordKey(offsetCommitKey, { group: 'g', topic: 't', partition: 3 })

  test('has its type in front of the key', () => {
    expect(Buffer.from(key).toString('hex')).toBe(hex('0001 000167 000174 00000003'))
    expect(recordTypeOf(key)).toBe(1)
    expect(decodeRecordKey(offsetCommitKey, key)).toEqual({ group: 'g', topic: 't', partition: 3 })
  })

  test('has its version in front of the value', () => {
    const value = encodeRecordValue(offsetCommitValue, 3, {
      offset: 9n,
      leaderEpoch: 2,
      metadata: 'm',
      commitTimestamp: 5n,
    })
    expect(Buffer.from(value.subarray(0, 10)).toString('hex')).toBe(hex('0003 0000000000000009'))
    expect(decodeRecordValue(offsetCommitValue, value)).toMatchObject({ offset: 9n, leaderEpoch: 2, metadata: 'm' })
  })

  test('of another type is refused', () => {
    expect(() => decodeRecordKey(groupMetadataKey, key)).toThrow('a key of type 1')
  })
})

test('error codes have names, and are retriable or not', () => {
  expect([errorName(6), errorName(-1), errorName(9999)]).toEqual([
    'NOT_LEADER_OR_FOLLOWER',
    'UNKNOWN_SERVER_ERROR',
    'UNKNOWN_SERVER_ERROR',
  ])
  expect([isRetriable(6), isRetriable(0), isRetriable(17)]).toEqual([true, false, false])
})
