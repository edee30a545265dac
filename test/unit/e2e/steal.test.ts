import { expect, test } from '@jest/globals'
import { Steal } from '../../e2e/client/steal.ts'

/** A machine whose host has taken `ticks` of 10 ms. */
function machine(): { steal: Steal; ticks: number } {
  const host = { ticks: 0 }
  const steal = new Steal(() => `cpu  9 9 9 9 9 9 9 ${host.ticks} 0 0\ncpu0 9 9 9 9 9 9 9 99 0 0\n`)
  return Object.assign(host, { steal })
}

test('what was taken between two times counts, and nothing before or after', () => {
  const told = machine()
  for (const [atMs, ticks] of [
    [0, 5],
    [100, 7],
    [200, 10],
    [300, 20],
  ] as const) {
    told.ticks = ticks
    told.steal.sample(atMs)
  }
  expect(told.steal.between(100, 200)).toBe(30)
  expect(told.steal.between(150, 250)).toBe(30)
  expect(told.steal.between(200, 200)).toBe(0)
  expect(told.steal.between(-50, 300)).toBe(150)
})

test('samples are kept for a minute', () => {
  const told = machine()
  told.steal.sample(0)
  told.ticks = 10
  told.steal.sample(60_001)
  told.ticks = 11
  told.steal.sample(60_002)
  expect(told.steal.between(0, 60_002)).toBe(10)
})

test('a machine that tells nothing has nothing taken', () => {
  const steal = new Steal(() => 'cpu  1 2 3 4\n')
  steal.sample(0)
  expect(steal.between(0, 1)).toBe(0)
})
