import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { parseWindow, windowAt } from '../../../../operator/rolling/windows.ts'

test('without windows it is always open', () => {
  expect(windowAt([], 0)).toEqual({ isOpen: true, nextMs: null })
})

test.each([
  // 21 November 2026 is a Saturday.
  ['Sat 02:00-06:00', '2026-11-21T02:00:00Z', true, '2026-11-21T06:00:00Z'],
  ['Sat 02:00-06:00', '2026-11-21T05:59:59Z', true, '2026-11-21T06:00:00Z'],
  ['Sat 02:00-06:00', '2026-11-21T06:00:00Z', false, '2026-11-28T02:00:00Z'],
  ['Sat 02:00-06:00', '2026-11-21T01:59:59Z', false, '2026-11-21T02:00:00Z'],
  ['Sat 02:00-06:00', '2026-11-22T03:00:00Z', false, '2026-11-28T02:00:00Z'],
  ['02:00-03:00', '2026-11-22T04:00:00Z', false, '2026-11-23T02:00:00Z'],
  ['Mon-Fri 22:00-04:00', '2026-11-21T03:00:00Z', true, '2026-11-21T04:00:00Z'],
  ['Mon-Fri 22:00-04:00', '2026-11-21T22:30:00Z', false, '2026-11-23T22:00:00Z'],
  ['Fri-Mon 00:00-24:00', '2026-11-24T00:00:00Z', false, '2026-11-27T00:00:00Z'],
  ['Mon,Sat 12:00-13:00', '2026-11-21T14:00:00Z', false, '2026-11-23T12:00:00Z'],
])('%s at %s: open %p until or from %s', (window, now, isOpen, next) => {
  expect(windowAt([window], Date.parse(now))).toEqual({ isOpen, nextMs: Date.parse(next) })
})

test('of several windows any one will do', () => {
  const windows = ['Sat 02:00-06:00', 'Sun 02:00-06:00']
  expect(windowAt(windows, Date.parse('2026-11-22T03:00:00Z')).isOpen).toBe(true)
  expect(windowAt(windows, Date.parse('2026-11-21T07:00:00Z')).nextMs).toBe(Date.parse('2026-11-22T02:00:00Z'))
})

test.each(['', 'Sat', 'Sat 2:00-6:00', 'Someday 02:00-06:00', 'Sat-Sun-Mon 02:00-03:00', '02:00-24:30', '24:00-02:00'])(
  '%p is no window',
  (text) => {
    expect(parseWindow(text)).toBeNull()
  },
)

test('what is said to come next does come', () => {
  const day = fc.constantFrom('Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat')
  const two = (max: number) => fc.integer({ min: 0, max }).map((value) => String(value).padStart(2, '0'))
  const time = fc.tuple(two(23), two(59)).map((parts) => parts.join(':'))
  const window = fc.tuple(day, day, time, time).map(([from, to, begin, end]) => `${from}-${to} ${begin}-${end}`)
  fc.assert(
    fc.property(fc.array(window, { minLength: 1, maxLength: 3 }), fc.integer({ min: 0, max: 4e12 }), (windows, now) => {
      const { isOpen, nextMs } = windowAt(windows, now)
      if (nextMs === null) throw new Error('nothing comes')
      expect(nextMs).toBeGreaterThan(now)
      if (!isOpen) {
        expect(windowAt(windows, nextMs).isOpen).toBe(true)
        expect(windowAt(windows, nextMs - 1).isOpen).toBe(false)
      }
    }),
  )
})
