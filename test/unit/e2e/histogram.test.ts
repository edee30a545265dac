import { expect, test } from '@jest/globals'
import { Histogram } from '../../e2e/client/histogram.ts'

function of(...ms: number[]): Histogram {
  const histogram = new Histogram()
  for (const one of ms) histogram.add(one)
  return histogram
}

test('a quantile is the duration that so many do not exceed, to 5 %', () => {
  const histogram = of(...Array.from({ length: 1000 }, (_, index) => index + 1))
  for (const [quantile, ms] of [
    [0.5, 500],
    [0.99, 990],
    [1, 1000],
  ] as const) {
    expect(histogram.quantile(quantile)).toBeGreaterThanOrEqual(ms)
    expect(histogram.quantile(quantile)).toBeLessThan(ms * 1.05)
  }
})

test('one long duration of a hundred is not the 99th percentile, two are', () => {
  const short = Array.from({ length: 98 }, () => 5)
  expect(of(...short, 5, 1000).quantile(0.99)).toBeLessThan(6)
  expect(of(...short, 1000, 1000).quantile(0.99)).toBeGreaterThan(990)
})

test('what several have counted adds up, by way of JSON', () => {
  const all = of(3, 700)
  all.merge(JSON.parse(JSON.stringify(of(3, 40, 0))) as Record<string, number>)
  expect(all.toJSON()).toEqual(of(0, 3, 3, 40, 700).toJSON())
  expect(all.size).toBe(5)
})

test('there is no quantile of nothing', () => {
  expect(of().quantile(0.99)).toBeNaN()
})
