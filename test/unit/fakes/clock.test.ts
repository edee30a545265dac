import { expect, test } from '@jest/globals'
import { SimClock } from '../../fakes/clock.ts'

test('timers fire in the order of their time, then of their creation, at their time', () => {
  const clock = new SimClock()
  const fired: string[] = []
  for (const [name, delayMs] of [
    ['c', 5],
    ['a', 1],
    ['d', 5],
    ['b', 2],
  ] as const) {
    clock.setTimer(delayMs, () => fired.push(`${name}@${clock.monotonicMs()}`))
  }
  clock.setTimer(3, () => fired.push('cancelled')).cancel()
  clock.advance(4)
  expect(fired).toEqual(['a@1', 'b@2'])
  clock.advance(1)
  expect(fired).toEqual(['a@1', 'b@2', 'c@5', 'd@5'])
})

test('many timers leave the heap in order', () => {
  const clock = new SimClock()
  const times = Array.from({ length: 500 }, (_, i) => (i * 7919) % 503)
  const fired: number[] = []
  for (const time of times) clock.setTimer(time, () => fired.push(time))
  clock.advance(1000)
  expect(fired).toEqual(times.toSorted((a, b) => a - b))
})

test('what is deferred runs once the events of the tick are handled', async () => {
  const clock = new SimClock()
  const order: string[] = []
  clock.setTimer(1, () => {
    clock.defer(() => order.push('deferred'))
    order.push('first')
  })
  clock.setTimer(1.01, () => order.push('second'))
  clock.setTimer(2, () => order.push('next tick'))
  await clock.run(5)
  expect(order).toEqual(['first', 'second', 'deferred', 'next tick'])
})

test('a promise goes on before the next event', async () => {
  const clock = new SimClock()
  const order: string[] = []
  clock.setTimer(1, () => {
    void Promise.resolve().then(() => order.push('promise'))
  })
  clock.setTimer(1, () => order.push('timer'))
  await clock.run(2)
  expect(order).toEqual(['promise', 'timer'])
})

test('nothing that a killed process asked for happens', async () => {
  const clock = new SimClock()
  const scope = clock.scope()
  let happened = 0
  scope.setTimer(1, () => happened++)
  scope.defer(() => happened++)
  scope.kill()
  await clock.run(5)
  expect(happened).toBe(0)
})

test('runUntil gives up at its limit', async () => {
  await expect(new SimClock().runUntil(() => false, 10)).rejects.toThrow('10 ms')
})
