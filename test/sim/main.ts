import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Simulation } from './simulation.ts'
import { runSeed, SeedFailure } from './simulation.ts'
import { SIMULATIONS } from './simulations.ts'

const USAGE = 'npm run sim -- [--seeds N] [--from SEED] [--minutes M] [--only NAME] [--history FILE] [--first]'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    from: { type: 'string', default: String(Date.now()) },
    minutes: { type: 'string' },
    only: { type: 'string' },
    history: { type: 'string' },
    /** Ends with the first seed that fails. */
    first: { type: 'boolean', default: false },
  },
})
const from = Number(values.from)
const minutes = Number(values.minutes ?? Infinity)
const count = Number(values.seeds ?? (values.minutes === undefined ? 100 : Infinity))
const chosen = SIMULATIONS.filter(({ name }) => values.only === undefined || values.only.split(',').includes(name))

if (!Number.isInteger(from) || !(count > 0) || !(minutes > 0) || chosen.length === 0) {
  console.error(`${USAGE}\nNAME is one of ${SIMULATIONS.map(({ name }) => name).join(', ')}, or several with commas`)
  process.exit(2)
}

interface Tally {
  seeds: number
  events: number
  failed: number
  simulatedMs: number
  realMs: number
}

const tallies = new Map(
  chosen.map(({ name }) => [name, { seeds: 0, events: 0, failed: 0, simulatedMs: 0, realMs: 0 } satisfies Tally]),
)

async function runOne(simulation: Simulation, seed: number, tally: Tally): Promise<void> {
  const began = performance.now()
  try {
    const { events, simulatedMs } = await runSeed(simulation, seed)
    tally.events += events
    tally.simulatedMs += simulatedMs
  } catch (error) {
    tally.failed++
    console.error(error instanceof Error ? error.message : error)
    if (values.history !== undefined && error instanceof SeedFailure) {
      writeFileSync(values.history, `${error.trace.lines.join('\n')}\n${error.message.split('\n')[0]}\n`)
    }
  }
  tally.seeds++
  tally.realMs += performance.now() - began
}

function report(name: string, { seeds, events, failed, simulatedMs, realMs }: Tally): void {
  const hours = simulatedMs / 3_600_000
  const speed = `${hours.toFixed(2)} simulated hours, ${(hours / (realMs / 60_000)).toFixed(2)} in a real minute`
  console.log(`${name}: ${seeds} seeds from ${from}, ${events} events, ${speed}, ${failed} failed`)
}

function isOver(): boolean {
  return values.first && [...tallies.values()].some(({ failed }) => failed > 0)
}

let current = ''
// What nobody waits for must not fail either; the process is of no use after that.
process.on('unhandledRejection', (error) => {
  console.error(`${current} failed: nobody handled ${error instanceof Error ? error.stack : String(error)}`)
  process.exit(1)
})

const endMs = performance.now() + minutes * 60_000
for (let seed = from; seed < from + count && performance.now() < endMs && !isOver(); seed++) {
  for (const simulation of chosen) {
    const tally = tallies.get(simulation.name)
    current = `${simulation.name}: seed ${seed}`
    if (tally !== undefined) await runOne(simulation, seed, tally)
  }
}
for (const [name, tally] of tallies) report(name, tally)
process.exitCode = [...tallies.values()].some(({ failed }) => failed > 0) ? 1 : 0
