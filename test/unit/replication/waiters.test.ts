import { expect, test } from '@jest/globals'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { OffsetWaiters } from '../../../broker/replication/waiters.ts'

function recorder(): {
  seen: [number, ErrorCode][]
  waiters: OffsetWaiters
  wait: (offset: number) => { cancel(): void }
} {
  const seen: [number, ErrorCode][] = []
  const waiters = new OffsetWaiters()
  return { seen, waiters, wait: (offset) => waiters.add(offset, (error) => seen.push([offset, error])) }
}

test('those at or below the offset are told, in order, once', () => {
  const { seen, waiters, wait } = recorder()
  for (const offset of [3, 5, 9]) wait(offset)
  waiters.advance(5)
  waiters.advance(6)
  expect(seen).toEqual([
    [3, ErrorCode.NONE],
    [5, ErrorCode.NONE],
  ])
})

test('who waits for less than those before is told before them', () => {
  const { seen, waiters, wait } = recorder()
  for (const offset of [3, 9, 9, 5]) wait(offset)
  waiters.advance(5)
  expect(seen.map(([offset]) => offset)).toEqual([3, 5])
  waiters.advance(9)
  expect(seen.map(([offset]) => offset)).toEqual([3, 5, 9, 9])
})

test('a cancelled wait is never told', () => {
  const { seen, waiters, wait } = recorder()
  wait(1).cancel()
  waiters.advance(1)
  waiters.fail(ErrorCode.NOT_LEADER_OR_FOLLOWER)
  expect(seen).toEqual([])
})

test('failing tells all who still wait', () => {
  const { seen, waiters, wait } = recorder()
  wait(1)
  wait(2)
  waiters.advance(1)
  waiters.fail(ErrorCode.KAFKA_STORAGE_ERROR)
  expect(seen.at(-1)).toEqual([2, ErrorCode.KAFKA_STORAGE_ERROR])
})
