import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from '@jest/globals'
import { MUTANTS } from './mutants.ts'
import { planted } from './planted.ts'
import type { Simulation } from './simulation.ts'
import { runSeed } from './simulation.ts'
import { SIMULATIONS } from './simulations.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')
/** A seed takes a second or so; on a machine that is busy with everything else, a minute. */
const TIMEOUT_MS = 300_000

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

test('every planted bug still fits its source', () => {
  for (const mutant of MUTANTS) {
    const source = readFileSync(join(ROOT, mutant.file), 'utf8')
    expect(planted(mutant, source)).toContain(mutant.to)
  }
})

test('a planted bug that fits no more is an error, not a survivor', () => {
  const mutant = { name: 'old', simulation: 'raft', file: 'a.ts', from: 'gone', to: 'new' } as const
  expect(() => planted(mutant, 'something else')).toThrow('old: a.ts has the snippet 0 times')
  expect(() => planted(mutant, 'gone and gone')).toThrow('2 times')
})

test.each(['one replica is enough to commit', 'a proposal is acknowledged before it is committed'])(
  'the simulator finds that %s',
  (name) => {
    const argv = ['test/sim/mutants-main.ts', '--only', name, '--from', '1', '--seeds', '20']
    const output = execFileSync(process.execPath, argv, { cwd: ROOT, encoding: 'utf8' })
    expect(output).toContain('1 of 1 mutants caught')
  },
  TIMEOUT_MS,
)
