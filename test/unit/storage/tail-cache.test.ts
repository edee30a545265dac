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

test('what a log forgets by itself takes no memory, also where the budget is never full', () => {
  const cache = new TailCache({ budgetBytes: 1 << 20 })
  const [steady, mixed] = [cache.tail(), cache.tail()]
  steady.add(entry(0, new Uint8Array(100)))
  for (let offset = 0; offset < 5000; offset += 2) {
    mixed.add(entry(offset, new Uint8Array(10)))
    mixed.add(entry(offset + 1, new Uint8Array(16 * 1024)))
  }
  expect(cache.entries).toBeLessThan(2100)
  expect(cache.sizeInBytes).toBe(100)
  expect(steady.find(0)).toBeDefined()
})

test('the budget holds after many appends were forgotten', () => {
  const cache = new TailCache({ budgetBytes: 1000 })
  const [steady, mixed] = [cache.tail(), cache.tail()]
  for (let offset = 0; offset < 9000; offset++) {
    mixed.add(entry(offset, new Uint8Array(offset % 3 === 0 ? 16 * 1024 : 10)))
    steady.add(entry(offset, new Uint8Array(10)))
  }
  expect(cache.sizeInBytes).toBeLessThanOrEqual(1000)
  expect(cache.entries).toBeLessThan(2100)
  expect(steady.find(8999)).toBeDefined()
  expect(steady.find(8000)).toBeUndefined()
})

test('each of many logs holds little more than what it has in the cache', () => {
  const cache = new TailCache({ budgetBytes: 1000 })
  const tails = Array.from({ length: 10 }, () => cache.tail())
  for (let offset = 0; offset < 500; offset++) for (const tail of tails) tail.add(entry(offset, new Uint8Array(10)))
  for (const tail of tails) expect(tail.entries).toBeLessThanOrEqual(20)
})
