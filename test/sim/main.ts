import { parseArgs } from 'node:util'
import { runSeed } from './simulation.ts'
import { SIMULATIONS } from './simulations.ts'

const USAGE = 'npm run sim -- [--seeds N] [--from SEED] [--only NAME]'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: String(Date.now()) },
    only: { type: 'string' },
  },
})
const count = Number(values.seeds)
const from = Number(values.from)
const chosen = SIMULATIONS.filter(({ name }) => values.only === undefined || values.only === name)

if (!Number.isInteger(count) || !Number.isInteger(from) || chosen.length === 0) {
  console.error(`${USAGE}\nNAME is one of ${SIMULATIONS.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}

let failed = 0
for (const simulation of chosen) {
  let events = 0
  for (let seed = from; seed < from + count; seed++) {
    try {
      events += (await runSeed(simulation, seed)).events
    } catch (error) {
      failed++
      console.error(error instanceof Error ? error.message : error)
    }
  }
  console.log(`${simulation.name}: seeds ${from} to ${from + count - 1}, ${events} events, ${failed} failed`)
}
process.exitCode = failed > 0 ? 1 : 0
