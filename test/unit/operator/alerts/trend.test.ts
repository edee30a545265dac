import { expect, test } from '@jest/globals'
import { Trend } from '../../../../operator/alerts/trend.ts'

function trend(samples: readonly [number, number][], gapMs = 0): Trend {
  const made = new Trend({ windowMs: 100, gapMs })
  for (const [atMs, value] of samples) made.add(atMs, value)
  return made
}

test('a straight line goes on', () => {
  const line = trend([
    [1000, 50],
    [1010, 40],
    [1020, 30],
  ])
  expect(line.slope).toBeCloseTo(-1)
  expect(line.at(1050)).toBeCloseTo(0)
})

test('what jumps has the line with the least squares', () => {
  expect(
    trend([
      [0, 0],
      [10, 10],
      [20, 5],
    ]).slope,
  ).toBeCloseTo(0.25)
})

test('one value, or none, has no slope', () => {
  expect(trend([]).slope).toBe(0)
  expect(trend([[5, 7]]).at(1000)).toBe(7)
})

test('what is older than the window is forgotten, and what comes too soon left out', () => {
  const long = Array.from({ length: 30 }, (_, index): [number, number] => [index * 10, 0])
  expect(trend(long).spanMs).toBe(100)
  expect(trend(long, 40).spanMs).toBe(80)
})
