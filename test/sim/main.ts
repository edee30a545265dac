import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { WorkerPool } from './pool.ts'
import { SIMULATIONS } from './simulations.ts'
import type { Job, JobResult } from './worker.ts'

const USAGE =
  'npm run sim -- [--seeds N] [--from SEED] [--minutes M] [--only NAME] [--jobs N] [--history FILE] [--first]'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    from: { type: 'string', default: String(Date.now()) },
    minutes: { type: 'string' },
    only: { type: 'string' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    history: { type: 'string' },
    /** Ends with the first seed that fails. */
    first: { type: 'boolean', default: false },
  },
})
const from = Number(values.from)
const minutes = Number(values.minutes ?? Infinity)
const count = Number(values.seeds ?? (values.minutes === undefined ? 100 : Infinity))
const jobs = Number(values.jobs)
const chosen = SIMULATIONS.filter(({ name }) => values.only === undefined || values.only.split(',').includes(name))

if (!Number.isInteger(from) || !(count > 0) || !(minutes > 0) || !(jobs > 0) || chosen.length === 0) {
  console.error(`${USAGE}\nNAME is one of ${SIMULATIONS.map(({ name }) => name).join(', ')}, or several with commas`)
  process.exit(2)
}

interface Tally {
  seeds: number
  events: number
  failed: number
  simulatedMs: number
  realMs: number
  cpuMs: number
}

const tallies = new Map<string, Tally>(
  chosen.map(({ name }) => [name, { seeds: 0, events: 0, failed: 0, simulatedMs: 0, realMs: 0, cpuMs: 0 }]),
)
let failed = 0

function done({ simulation }: Job, { events, simulatedMs, realMs, cpuMs, failure, history }: JobResult): void {
  const tally = tallies.get(simulation)
  if (tally === undefined) return
  tally.seeds++
  tally.events += events
  tally.simulatedMs += simulatedMs
  tally.realMs += realMs
  tally.cpuMs += cpuMs
  if (failure === null) return
  failed++
  tally.failed++
  console.error(failure)
  if (values.history !== undefined) {
    writeFileSync(values.history, `${history.join('\n')}\n${failure.split('\n')[0]}\n`)
  }
}

function speedOf(simulatedMs: number, realMs: number): string {
  const hours = simulatedMs / 3_600_000
  return `${hours.toFixed(2)} simulated hours, ${(hours / (realMs / 60_000)).toFixed(2)} in a real minute`
}

const beganMs = performance.now()
const endMs = beganMs + minutes * 60_000
let index = 0
let isEnding = false

// The seeds that are under way are the last.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    isEnding = true
  })
}

function next(): Job | undefined {
  const seed = from + Math.floor(index / chosen.length)
  const simulation = chosen[index++ % chosen.length]
  const isOver = seed >= from + count || performance.now() >= endMs || isEnding || (values.first && failed > 0)
  return isOver || simulation === undefined ? undefined : { simulation: simulation.name, seed }
}

// Where many seeds run, errors that are thrown all the time need not know from where: a seed that fails is run again alone. Of a simulated
// second nearly nothing is of use in the next: with a large nursery the collector finds less to copy.
const execArgv = count * chosen.length === 1 ? [] : ['--stack-trace-limit=0', '--max-semi-space-size=64']
const workers = Math.min(jobs, count * chosen.length)
await new WorkerPool({ jobs: workers, execArgv }).run(next, done)

for (const [name, { seeds, events, simulatedMs, realMs, cpuMs, failed: bad }] of tallies) {
  const ratio = cpuMs > 0 ? (simulatedMs / cpuMs).toFixed(0) : 0
  const speed = `${speedOf(simulatedMs, realMs / workers)}, ${ratio} seconds in one of CPU`
  console.log(`${name}: ${seeds} seeds from ${from}, ${events} events, ${speed}, ${bad} failed`)
}
const all = [...tallies.values()].reduce((sum, { simulatedMs }) => sum + simulatedMs, 0)
if (tallies.size > 1) console.log(`together: ${speedOf(all, performance.now() - beganMs)}`)
process.exitCode = failed > 0 ? 1 : 0
