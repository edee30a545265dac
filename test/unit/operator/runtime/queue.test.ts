import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { backoffMs } from '../../../../operator/runtime/backoff.ts'
import { WorkQueue } from '../../../../operator/runtime/queue.ts'
import { SimClock } from '../../../fakes/clock.ts'
import { SimRandom } from '../../../fakes/random.ts'

function queueAndClock() {
  const clock = new SimClock()
  const queue = new WorkQueue({ minMs: 100, maxMs: 10_000 }, { clock, random: new SimRandom(7) })
  return { clock, queue }
}

test('a key that is added often is worked on once', async () => {
  const { queue } = queueAndClock()
  queue.add('a')
  queue.add('b')
  queue.add('a')
  expect([await queue.next(), await queue.next()]).toEqual(['a', 'b'])
  expect(queue.depth).toBe(0)
})

test('a key that is added while it is worked on comes again afterwards', async () => {
  const { queue } = queueAndClock()
  queue.add('a')
  await queue.next()
  queue.add('a')
  expect(queue.depth).toBe(0)
  queue.done('a')
  expect(await queue.next()).toBe('a')
})

test('a waiting worker gets the next key', async () => {
  const { queue } = queueAndClock()
  const next = queue.next()
  queue.add('a')
  expect(await next).toBe('a')
})

test('of several delayed additions the earliest happens', () => {
  const { queue, clock } = queueAndClock()
  queue.addAfter('a', 1000)
  queue.addAfter('a', 200)
  queue.addAfter('a', 500)
  clock.advance(199)
  expect(queue.depth).toBe(0)
  clock.advance(1)
  expect(queue.depth).toBe(1)
  clock.advance(2000)
  expect(queue.depth).toBe(1)
})

test('what time has brought is told from what a change has', async () => {
  const { queue, clock } = queueAndClock()
  const next = async (): Promise<boolean> => {
    const key = (await queue.next()) ?? ''
    const isPeriodical = queue.isPeriodical(key)
    queue.done(key)
    return isPeriodical
  }
  queue.add('a')
  queue.addAfter('a', 100)
  expect(await next()).toBe(false)
  clock.advance(100)
  expect(await next()).toBe(true)
  queue.add('a')
  queue.addAfter('a', 100)
  clock.advance(100)
  expect(await next()).toBe(false)
  queue.add('a')
  expect(await next()).toBe(false)
})

test('failures come back later each time until one is forgotten', () => {
  const { queue, clock } = queueAndClock()
  const delays: number[] = []
  for (let failure = 0; failure < 10; failure++) {
    delays.push(queue.addRateLimited('a'))
    clock.advance(20_000)
  }
  delays.forEach((delay, failure) => {
    const ceiling = Math.min(10_000, 100 * 2 ** failure)
    expect(delay).toBeGreaterThanOrEqual(ceiling / 2)
    expect(delay).toBeLessThanOrEqual(ceiling)
  })
  queue.forget('a')
  expect(queue.addRateLimited('a')).toBeLessThanOrEqual(100)
})

test('a closed queue gives null to those who wait and to those who come', async () => {
  const { queue, clock } = queueAndClock()
  const waiting = queue.next()
  queue.addAfter('late', 10)
  queue.close()
  queue.add('a')
  clock.advance(100)
  expect([await waiting, await queue.next(), queue.depth]).toEqual([null, null, 0])
})

test('backoff stays within its limits', () => {
  const arbitrary = fc.record({ failures: fc.nat(200), minMs: fc.integer({ min: 1, max: 1000 }), seed: fc.nat() })
  fc.assert(
    fc.property(arbitrary, ({ failures, minMs, seed }) => {
      const delay = backoffMs(failures, { minMs, maxMs: 60_000 }, new SimRandom(seed))
      expect(Number.isInteger(delay)).toBe(true)
      expect(delay).toBeGreaterThanOrEqual(Math.floor(minMs / 2))
      expect(delay).toBeLessThanOrEqual(60_000)
    }),
  )
})

test('whatever is added, no key is with two workers, and none that was added is forgotten', async () => {
  const steps = fc.array(fc.tuple(fc.constantFrom('add', 'take', 'done'), fc.constantFrom('a', 'b', 'c')), {
    maxLength: 100,
  })
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const { queue } = queueAndClock()
      const working = new Set<string>()
      const owed = new Set<string>()
      for (const [step, key] of script) {
        if (step === 'add') {
          queue.add(key)
          owed.add(key)
        } else if (step === 'take' && queue.depth > 0) {
          const taken = (await queue.next()) ?? ''
          expect(working.has(taken)).toBe(false)
          working.add(taken)
          owed.delete(taken)
        } else if (step === 'done' && working.delete(key)) queue.done(key)
      }
      for (const key of working) queue.done(key)
      const left = new Set<string>()
      while (queue.depth > 0) left.add((await queue.next()) ?? '')
      expect(left).toEqual(owed)
    }),
  )
})
