import { expect, test } from '@jest/globals'
import { TailCache } from '../../../broker/storage/tail-cache.ts'

function entry(baseOffset: number, bytes: Uint8Array) {
  return { baseOffset, nextOffset: baseOffset + 1, bytes }
}

test('a small part of a large buffer is kept as a copy, so that the buffer is free', () => {
  const tail = new TailCache({ budgetBytes: 1 << 20 }).tail()
  const received = Buffer.alloc(64 * 1024, 7)
  tail.add(entry(0, received.subarray(100, 300)))
  const kept = tail.at(tail.find(0) ?? -1)?.bytes
  expect(kept?.length).toBe(200)
  expect(kept?.buffer).not.toBe(received.buffer)
})

test('a large append is not kept, nor what came before it: the cached end of a log has no gaps', () => {
  const cache = new TailCache({ budgetBytes: 1 << 20 })
  const tail = cache.tail()
  tail.add(entry(0, new Uint8Array(100)))
  tail.add(entry(1, new Uint8Array(16 * 1024)))
  expect([0, 1].map((offset) => tail.find(offset))).toEqual([undefined, undefined])
  expect(cache.sizeInBytes).toBe(0)
  tail.add(entry(2, new Uint8Array(100)))
  expect(tail.find(1)).toBeUndefined()
  expect(tail.find(2)).toBeDefined()
})

test('the oldest append of all logs goes first', () => {
  const cache = new TailCache({ budgetBytes: 250 })
  const [first, second] = [cache.tail(), cache.tail()]
  first.add(entry(0, new Uint8Array(100)))
  second.add(entry(0, new Uint8Array(100)))
  second.add(entry(1, new Uint8Array(100)))
  expect([first.find(0), second.find(0) !== undefined]).toEqual([undefined, true])
  expect(cache.sizeInBytes).toBe(200)
})
