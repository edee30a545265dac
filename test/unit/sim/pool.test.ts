import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { WorkerPool } from '../../sim/pool.ts'
import type { Job } from '../../sim/worker.ts'

const GOOD = 10
const EXITS = 1
const KILLED = 2
const SAYS_THAT_IT_ENDS = 3
const ENDS_BEHIND_ITS_ANSWER = 4

/** What the seeds came to, one after the other in one worker at a time. */
async function outcomes(...seeds: readonly number[]): Promise<string[]> {
  const jobs: Job[] = seeds.map((seed) => ({ simulation: 'some', seed }))
  const found: string[] = []
  const options = { jobs: 1, execArgv: [], worker: join(import.meta.dirname, 'worker.mjs') }
  await new WorkerPool(options).run(
    () => jobs.shift(),
    ({ seed }, { failure, events }) => {
      found.push(`${seed}: ${failure ?? `${events} events`}`)
    },
  )
  return found
}

test('a worker that ends has failed at its seed, and the next one gets another worker', async () => {
  expect(await outcomes(EXITS, GOOD, KILLED, GOOD)).toEqual([
    '1: some: seed 1 failed: its process ended with 3',
    '10: 10 events',
    '2: some: seed 2 failed: its process ended with SIGKILL',
    '10: 10 events',
  ])
})

test('a worker that ends at the last seed is no error of the pool', async () => {
  expect(await outcomes(EXITS)).toEqual(['1: some: seed 1 failed: its process ended with 3'])
})

test('what a worker says behind its failure is not the result of the next seed', async () => {
  expect(await outcomes(SAYS_THAT_IT_ENDS, GOOD)).toEqual(['3: nobody handled it', '10: 10 events'])
})

test('a worker that ends behind its answer has not failed', async () => {
  expect(await outcomes(ENDS_BEHIND_ITS_ANSWER)).toEqual(['4: 4 events'])
})
