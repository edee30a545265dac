import { describe, expect, test } from '@jest/globals'
import { inRuns } from '../../../broker/lib/runs.ts'

const weight = (item: number): number => item

describe('runs', () => {
  test('are as long as their weight allows, to the byte', () => {
    expect(inRuns([3, 3, 4, 1, 9, 1], weight, { bytesMax: 10 })).toEqual([[3, 3, 4], [1, 9], [1]])
  })

  test('have no more items than they may', () => {
    expect(inRuns([1, 1, 1, 1, 1], weight, { bytesMax: 10, countMax: 2 })).toEqual([[1, 1], [1, 1], [1]])
  })

  test('of one item are made for what weighs too much by itself', () => {
    expect(inRuns([11, 1, 12, 13], weight, { bytesMax: 10 })).toEqual([[11], [1], [12], [13]])
  })

  test('of nothing are none', () => {
    expect(inRuns([], weight, { bytesMax: 10 })).toEqual([])
  })
})
