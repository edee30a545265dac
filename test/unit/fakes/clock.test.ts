import { expect, test } from '@jest/globals'
import { MachineTime, ScopedClock, settle, SimClock } from '../../fakes/clock.ts'

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

test('however many wait for the others to go on, none waits for ever', async () => {
  for (const together of [1, 2, 3, 5, 7, 64, 100, 3]) {
    for (let round = 0; round < 64; round++) await Promise.all(Array.from({ length: together }, () => settle()))
  }
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

test('timers of a stopped process fire in their order once it goes on', async () => {
  const clock = new SimClock()
  const scope = clock.scope()
  const fired: string[] = []
  scope.setTimer(5, () => fired.push(`b@${scope.monotonicMs()}`))
  scope.setTimer(1, () => fired.push(`a@${scope.monotonicMs()}`))
  scope.setTimer(2, () => fired.push('cancelled')).cancel()
  scope.stop()
  await clock.run(100)
  expect(fired).toEqual([])
  scope.continue()
  await clock.run(1)
  expect(fired).toEqual(['a@100', 'b@100'])
})

test('a process may cancel a timer that fell due while it was stopped', async () => {
  const clock = new SimClock()
  const scope = clock.scope()
  const fired: string[] = []
  const second = scope.setTimer(2, () => fired.push('second'))
  scope.setTimer(1, () => second.cancel())
  scope.stop()
  await clock.run(100)
  scope.continue()
  await clock.run(1)
  expect(fired).toEqual([])
})

test("a machine's wall clock jumps alone, and its oscillator may be fast", async () => {
  const clock = new SimClock(1_000_000)
  const time = new MachineTime(clock)
  const scope = new ScopedClock(time)
  time.rate = 2
  let firedAtMs = 0
  scope.setTimer(10, () => {
    firedAtMs = clock.monotonicMs()
  })
  await clock.run(50)
  expect([firedAtMs, scope.monotonicMs(), scope.wallMs()]).toEqual([5, 100, 1_000_100])
  time.rate = 1
  time.shiftWall(-5000)
  await clock.run(50)
  expect([scope.monotonicMs(), scope.wallMs(), clock.wallMs()]).toEqual([150, 995_150, 1_000_100])
})
