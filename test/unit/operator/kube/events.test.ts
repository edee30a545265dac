import { expect, test } from '@jest/globals'
import { EVENT } from '../../../../operator/api/resource.ts'
import type { Resource } from '../../../../operator/api/resource.ts'
import { KubeError } from '../../../../operator/kube/api.ts'
import { kafkaTopic, operatorWorld } from '../../../fakes/operator.ts'

type EventObject = Resource & { note: string; type: string; series?: { count: number } }
const note = (text: string) => ({ type: 'Warning', reason: 'Refused', action: 'Reconcile', note: text }) as const

test('a repetition counts up the first Event', async () => {
  const { api, events } = operatorWorld()
  for (let i = 0; i < 3; i++) await events.record(kafkaTopic(), note('no'))
  await events.record(kafkaTopic(), note('something else'))
  const written = api.all(EVENT) as EventObject[]
  expect(written.map((event) => [event.note, event.series?.count])).toEqual([
    ['no', 3],
    ['something else', undefined],
  ])
})

test('a repetition long after, or of an Event that is gone, is a new Event', async () => {
  const { api, events, clock } = operatorWorld()
  await events.record(kafkaTopic(), note('no'))
  clock.advance(60 * 60_000)
  await events.record(kafkaTopic(), note('no'))
  expect(api.all(EVENT)).toHaveLength(2)
  for (const { metadata } of api.all(EVENT)) api.remove(EVENT, metadata.namespace ?? '', metadata.name)
  await events.record(kafkaTopic(), note('no'))
  expect(api.all(EVENT)).toHaveLength(1)
})

test('a long note is cut, a failure is not the business of the caller', async () => {
  const { api, events } = operatorWorld()
  await events.record(kafkaTopic(), note('x'.repeat(5000)))
  expect((api.all(EVENT) as EventObject[])[0]?.note).toHaveLength(1024)
  api.intercept = () => {
    throw new KubeError(403, 'Forbidden', 'no events here')
  }
  await events.record(kafkaTopic(), note('y'))
})

test('a long note is cut by bytes, between two characters', async () => {
  const { api, events } = operatorWorld()
  await events.record(kafkaTopic(), note('x' + '\u{1f600}'.repeat(500)))
  expect((api.all(EVENT) as EventObject[])[0]?.note).toBe('x' + '\u{1f600}'.repeat(255))
})

test('of ten thousand Events at a time a burst is written, and later more', async () => {
  const { api, clock, events } = operatorWorld()
  const record = (index: number) =>
    events.record(kafkaTopic(), { type: 'Normal', reason: 'R', action: 'A', note: `${index}` })
  await Promise.all(Array.from({ length: 10_000 }, (_, index) => record(index)))
  expect(api.all(EVENT)).toHaveLength(100)
  await clock.run(1000)
  await Promise.all(Array.from({ length: 100 }, (_, index) => record(10_000 + index)))
  expect(api.all(EVENT)).toHaveLength(105)
  await events.record(kafkaTopic(), note('n'))
  expect(api.all(EVENT)).toHaveLength(106)
})
