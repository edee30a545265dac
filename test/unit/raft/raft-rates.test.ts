import { expect, test } from '@jest/globals'
import { RaftRates } from '../../../broker/raft/raft-rates.ts'
import { SimClock } from '../../fakes/clock.ts'

test('rates are of the last half to whole minute', () => {
  const clock = new SimClock()
  const rates = new RaftRates({ clock })
  rates.appended(60, 59)
  rates.fetched(30)
  expect(rates.values()).toMatchObject({ appendRate: 2, fetchRate: 1 })
  clock.advance(30_000)
  rates.appended(60, 119)
  expect(rates.values()).toMatchObject({ appendRate: 4, fetchRate: 1 })
  clock.advance(30_000)
  expect(rates.values()).toMatchObject({ appendRate: 2, fetchRate: 0 })
  clock.advance(60_000)
  expect(rates.values()).toMatchObject({ appendRate: 0, fetchRate: 0 })
})

test('the commit latency is from an append to the high watermark that covers it', () => {
  const clock = new SimClock()
  const rates = new RaftRates({ clock })
  rates.appended(3, 2)
  clock.advance(5)
  rates.committed(2)
  expect(rates.values().commitLatencyMs.average).toBeNaN()
  clock.advance(5)
  rates.committed(3)
  rates.appended(1, 3)
  clock.advance(20)
  rates.committed(4)
  expect(rates.values().commitLatencyMs).toEqual({ average: 15, max: 20 })
})

test('what was appended in a leadership that is lost is not timed', () => {
  const clock = new SimClock()
  const rates = new RaftRates({ clock })
  rates.appended(1, 0)
  rates.forget()
  clock.advance(1000)
  rates.committed(1)
  expect(rates.values().commitLatencyMs.average).toBeNaN()
})
