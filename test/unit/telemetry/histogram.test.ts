import { expect, test } from '@jest/globals'
import { array, assert, double, property } from 'fast-check'
import { Histogram } from '../../../broker/telemetry/histogram.ts'

test('a quantile is the value at its rank, within a thirty-second', () => {
  const values = array(double({ min: 0, max: 100_000, noNaN: true }), { minLength: 1, maxLength: 200 })
  const quantile = double({ min: 0, max: 1, noNaN: true })
  assert(
    property(values, quantile, (durations, wanted) => {
      const histogram = new Histogram()
      for (const ms of durations) histogram.observe(ms)
      const rank = Math.max(1, Math.ceil(wanted * durations.length))
      const exact = durations.toSorted((a, b) => a - b)[rank - 1] ?? 0
      const [found = -1] = histogram.quantiles([wanted])
      expect(found).toBeGreaterThanOrEqual(exact - 0.001)
      expect(found).toBeLessThanOrEqual(exact * (1 + 1 / 32) + 0.001)
    }),
  )
})

test('quantiles forget what is two windows old, count and sum do not', () => {
  const histogram = new Histogram()
  histogram.observe(1000)
  histogram.rotate()
  histogram.observe(1)
  expect(histogram.quantiles([1])[0]).toBeCloseTo(1000, -2)
  histogram.rotate()
  expect(histogram.quantiles([1])[0]).toBeCloseTo(1, 1)
  histogram.rotate()
  expect(histogram.quantiles([0.5, 0.999])).toEqual([0, 0])
  expect([histogram.count, histogram.sum]).toEqual([2, 1001])
})

test('a duration past the largest counts as the largest', () => {
  const histogram = new Histogram()
  histogram.observe(1e12)
  expect(histogram.quantiles([0.5])[0]).toBeCloseTo(2 ** 31 / 1000, -1)
})
