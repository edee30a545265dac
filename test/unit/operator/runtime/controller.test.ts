import { expect, test } from '@jest/globals'
import { Controller } from '../../../../operator/runtime/controller.ts'
import type { Outcome } from '../../../../operator/runtime/controller.ts'
import { operatorWorld } from '../../../fakes/operator.ts'

function controllerOf(reconcile: (key: string) => Promise<Outcome>, workers = 1) {
  const { clock, random, logger } = operatorWorld()
  const results: string[] = []
  const metrics = { reconciled: (_: string, result: string) => void results.push(result), queueDepth: () => {} }
  const controller = new Controller(
    { name: 'Test', workers, backoffMinMs: 1000, backoffMaxMs: 8000 },
    { clock, random, logger, metrics, reconcile },
  )
  const stop = new AbortController()
  return { controller, clock, results, stop, running: controller.run(stop.signal) }
}

test('a failed key is tried again with backoff, until it succeeds', async () => {
  let attempts = 0
  const { controller, clock, results, stop, running } = controllerOf(async () => {
    attempts += 1
    if (attempts < 3) throw new Error('no')
    return {}
  })
  controller.queue.add('a')
  await clock.run(400)
  expect(attempts).toBe(1)
  await clock.run(60_000)
  expect(results).toEqual(['error', 'error', 'success'])
  stop.abort()
  await running
})

test('a key comes back when its outcome asks for it', async () => {
  let attempts = 0
  const { controller, clock, stop, running } = controllerOf(async () => {
    attempts += 1
    return { requeueAfterMs: 5000 }
  })
  controller.queue.add('a')
  await clock.run(4999)
  expect(attempts).toBe(1)
  await clock.run(1)
  expect(attempts).toBe(2)
  stop.abort()
  await running
})

test('several workers work on different keys at a time', async () => {
  const open: string[] = []
  const gate = Promise.withResolvers<void>()
  const { controller, clock, stop, running } = controllerOf(async (key) => {
    open.push(key)
    await gate.promise
    return {}
  }, 2)
  for (const key of ['a', 'b', 'c']) controller.queue.add(key)
  await clock.run(1)
  expect(open).toEqual(['a', 'b'])
  gate.resolve()
  await clock.run(1)
  expect(open).toEqual(['a', 'b', 'c'])
  stop.abort()
  await running
})

test('nothing is begun after the signal', async () => {
  const seen: string[] = []
  const { controller, clock, stop, running } = controllerOf(async (key) => {
    seen.push(key)
    return {}
  })
  stop.abort()
  controller.queue.add('a')
  await clock.run(10)
  await running
  expect(seen).toEqual([])
})
