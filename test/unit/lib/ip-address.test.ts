import { expect, test } from '@jest/globals'
import { formatIpAddress, parseIpAddress } from '../../../broker/lib/ip-address.ts'

test.each([
  ['127.0.0.1', [127, 0, 0, 1], '127.0.0.1'],
  ['::ffff:10.1.2.3', [10, 1, 2, 3], '10.1.2.3'],
  ['::1', [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], '0:0:0:0:0:0:0:1'],
  ['fe80::a:B%eth0', [254, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 11], 'fe80:0:0:0:0:0:a:b'],
  ['1:2:3:4:5:6:7:8', [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8], '1:2:3:4:5:6:7:8'],
])('%s goes to bytes and back', (text, bytes, back) => {
  const parsed = parseIpAddress(text)
  expect([...(parsed ?? [])]).toEqual(bytes)
  expect(formatIpAddress(Uint8Array.from(bytes))).toBe(back)
})

test.each(['', 'broker', '1.2.3', '1.2.3.256', '1::2::3', '1:2:3', '1:2:3:4:5:6:7:8::', 'g::'])(
  '%p is no address',
  (text) => expect(parseIpAddress(text)).toBeNull(),
)

test('bytes of another length are no address', () => {
  expect(formatIpAddress(new Uint8Array(5))).toBeNull()
})
