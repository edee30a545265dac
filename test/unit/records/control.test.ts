import { expect, test } from '@jest/globals'
import { controlKey, controlType } from '../../../broker/records/control.ts'

test.each([
  ['ABORT', 0],
  ['COMMIT', 1],
  ['LEADER_CHANGE', 2],
  ['SNAPSHOT_HEADER', 3],
  ['SNAPSHOT_FOOTER', 4],
  ['KRAFT_VERSION', 5],
  ['KRAFT_VOTERS', 6],
] as const)('%s is a key of version 0 and type %d', (type, id) => {
  expect([...controlKey(type)]).toEqual([0, 0, 0, id])
  expect(controlType(controlKey(type))).toBe(type)
})

test.each([null, new Uint8Array(3), Uint8Array.from([0, 0, 0, 7]), Uint8Array.from([0, 0, 255, 255])])(
  'a key of another type has no name',
  (key) => {
    expect(controlType(key)).toBeUndefined()
  },
)
