import { expect, test } from '@jest/globals'
import { checkBatch, inBatches, RecordsTooLargeError } from '../../../broker/raft/batch-limit.ts'
import { buildBatch } from '../../../broker/records/build.ts'

const LIMIT = 8 * 1024 * 1024
const sized = (count: number, bytes: number) => Array.from({ length: count }, () => new Uint8Array(bytes))
const batchBytes = (records: readonly Uint8Array[]) =>
  buildBatch({ records: records.map((value) => ({ key: null, value })), baseTimestampMs: 0 }).length

test.each([
  [1, LIMIT - 81],
  [400_000, 0],
  [256, 32_000],
])('%i records of %i bytes that pass make a batch within the limit', (count, bytes) => {
  const records = sized(count, bytes)
  checkBatch(records)
  expect(batchBytes(records)).toBeLessThanOrEqual(LIMIT)
})

test('records that are too much for a batch are refused', () => {
  expect(() => checkBatch(sized(1, LIMIT))).toThrow(RecordsTooLargeError)
  expect(() => checkBatch(sized(300, 32_000))).toThrow(RecordsTooLargeError)
})

test('records that need not stay together go into as few batches as they fit in, in order', () => {
  expect(inBatches(sized(25, 1), 10).map(({ length }) => length)).toEqual([10, 10, 5])
  const batches = inBatches(sized(600, 32_000), 10_000)
  expect(batches.map(({ length }) => length)).toEqual([261, 261, 78])
  for (const batch of batches) checkBatch(batch)
  const marked = Array.from({ length: 7 }, (_, index) => Uint8Array.of(index))
  expect(inBatches(marked, 3).flat()).toEqual(marked)
})
