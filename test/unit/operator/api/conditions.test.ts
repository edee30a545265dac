import { expect, test } from '@jest/globals'
import { conditionsOf, healthChanged, microTimestamp, timestamp } from '../../../../operator/api/conditions.ts'
import type { Health } from '../../../../operator/api/conditions.ts'

const NOW = Date.parse('2026-03-04T05:06:07.890Z')
const health = (state: Health['state'], message = 'words'): Health => ({ state, reason: 'Because', message })

test.each([
  ['ready', ['Ready=True']],
  ['progressing', ['Ready=False', 'Reconciling=True']],
  ['stalled', ['Ready=False', 'Stalled=True']],
  ['unknown', ['Ready=Unknown', 'Reconciling=True']],
] as const)('%s gives the conditions that kstatus reads', (state, expected) => {
  const conditions = conditionsOf(health(state), 3, undefined, NOW)
  expect(conditions.map(({ type, status }) => `${type}=${status}`)).toEqual(expected)
  expect(conditions.every(({ observedGeneration }) => observedGeneration === 3)).toBe(true)
})

test('lastTransitionTime moves only with the status', () => {
  const before = conditionsOf(health('progressing'), 1, undefined, NOW)
  const same = conditionsOf(health('progressing', 'other words'), 2, before, NOW + 60_000)
  expect(same[0]?.lastTransitionTime).toBe('2026-03-04T05:06:07Z')
  const changed = conditionsOf(health('ready'), 2, same, NOW + 60_000)
  expect(changed[0]?.lastTransitionTime).toBe('2026-03-04T05:07:07Z')
})

test('the placeholder of the CRD does not count as a time', () => {
  const placeholder = {
    type: 'Ready',
    status: 'Unknown',
    reason: 'Pending',
    message: 'Waiting for the operator',
    lastTransitionTime: '1970-01-01T00:00:00Z',
  } as const
  expect(conditionsOf(health('unknown'), 1, [placeholder], NOW)[0]?.lastTransitionTime).toBe('2026-03-04T05:06:07Z')
})

test('new words are a change, a new generation alone is not', () => {
  const before = conditionsOf(health('progressing'), 1, undefined, NOW)
  expect(healthChanged(before, conditionsOf(health('progressing'), 2, before, NOW))).toBe(false)
  expect(healthChanged(before, conditionsOf(health('progressing', 'other'), 1, before, NOW))).toBe(true)
  expect(healthChanged(undefined, before)).toBe(true)
})

test('times are written as Kubernetes reads them', () => {
  expect(timestamp(NOW)).toBe('2026-03-04T05:06:07Z')
  expect(microTimestamp(NOW)).toBe('2026-03-04T05:06:07.890000Z')
})

test('a message is no longer than an API server takes', () => {
  const [ready] = conditionsOf(
    { state: 'progressing', reason: 'PodsNotReady', message: 'x'.repeat(40_000) },
    1,
    undefined,
    NOW,
  )
  expect(ready?.message).toHaveLength(4096)
  expect(ready?.message.endsWith('x…')).toBe(true)
})

test('conditions that are not told now stay only where those that are told are not all', () => {
  const one = { type: 'One', status: 'True', reason: 'R', message: 'm' } as const
  const two = { ...one, type: 'Two' }
  const before = conditionsOf(health('ready'), 1, undefined, NOW, [one, two])
  const types = (...all: boolean[]) =>
    conditionsOf(health('ready'), 2, before, NOW, [two], ...all).map(({ type, observedGeneration }) => [
      type,
      observedGeneration,
    ])
  expect(types()).toEqual([
    ['Ready', 2],
    ['Two', 2],
  ])
  expect(types(false)).toEqual([
    ['Ready', 2],
    ['Two', 2],
    ['One', 1],
  ])
})
