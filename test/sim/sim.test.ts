import { expect, test } from '@jest/globals'
import type { Simulation } from './simulation.ts'
import { runSeed } from './simulation.ts'
import { SIMULATIONS } from './simulations.ts'

/** A simulated minute is a second or so, on a busy machine some more. */
const TIMEOUT_MS = 60_000

// Fixed seeds, so that a run of the tests is a run of the same events; `npm run sim` takes fresh ones.
const cases = SIMULATIONS.flatMap((simulation) =>
  Array.from({ length: simulation.seedsInTests }, (_, seed) => ({ name: simulation.name, simulation, seed })),
)

test.each(cases)(
  '$name holds its rules with seed $seed',
  async ({ simulation, seed }) => {
    const { events } = await runSeed(simulation, seed)
    expect(events).toBeGreaterThan(0)
  },
  TIMEOUT_MS,
)

test.each(SIMULATIONS.map((simulation) => ({ name: simulation.name, simulation })))(
  '$name replays a seed exactly',
  async ({ simulation }) => {
    expect(await runSeed(simulation, 7)).toEqual(await runSeed(simulation, 7))
  },
  TIMEOUT_MS,
)

test('a failing seed says which, why, and how to run it again', async () => {
  const broken: Simulation = {
    name: 'broken',
    seedsInTests: 0,
    run: (_, trace) => {
      trace.note('something happened')
      return Promise.reject(new Error('a rule'))
    },
  }
  const failure = await runSeed(broken, 12).catch(String)
  expect(failure).toContain('seed 12 failed: a rule')
  expect(failure).toContain('npm run sim -- --only broken --from 12 --seeds 1')
  expect(failure).toContain('something happened')
})
