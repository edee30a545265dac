/** `npm run sim:mutants`: plants each bug in turn and runs seeds until one fails. A bug that none finds fails the command. */
import { spawn } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { MUTANTS } from './mutants.ts'
import { type Mutant, planted } from './planted.ts'
import { COMPILED } from './pool.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    minutes: { type: 'string', default: '15' },
    from: { type: 'string', default: '1' },
    /** Words of names, with commas between. */
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '2' },
    /** Where the outcome of each is kept: those that were caught in an earlier run are not run again. */
    results: { type: 'string' },
  },
})

interface Hunt {
  readonly name: string
  /** The first seed that failed; null: none did. */
  readonly seed: number | null
  /** How it was found, or what was run in vain. */
  readonly says: string
}

/** Runs seeds until one fails that does not without the mutant. */
async function hunt({ name, simulation }: Mutant): Promise<Hunt> {
  const beganMs = performance.now()
  const end = Number(values.from) + Number(values.seeds)
  for (let from = Number(values.from); ;) {
    const minutes = Number(values.minutes) - (performance.now() - beganMs) / 60_000
    const words = ['--only', simulation, '--jobs', '1', '--first']
    const limits = ['--from', from, '--seeds', end - from, '--minutes', minutes].map(String)
    const says = from < end && minutes > 0 ? await simulate(name, [...words, ...limits]) : 'no seeds or no time left'
    const seed = failedSeed(says)
    if (seed === null) return { name, seed, says }
    const without = await simulate(undefined, [...words, '--from', String(seed), '--seeds', '1'])
    if (failedSeed(without) === null) return { name, seed, says }
    console.log(`FAILS WITHOUT A MUTANT: ${without}`)
    from = seed + 1
  }
}

/** What a run said that matters: the failure, or how much was run. */
function simulate(mutant: string | undefined, words: readonly string[]): Promise<string> {
  const planting = mutant === undefined ? [] : ['--import', join(ROOT, 'test/sim/mutate.ts')]
  const env = { ...process.env, ...COMPILED, ...(mutant === undefined ? {} : { OTTLA_MUTANT: mutant }) }
  return new Promise((done) => {
    const argv = [...planting, join(ROOT, 'test/sim/main.ts'), ...words]
    const child = spawn(process.execPath, argv, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const hear = (chunk: Buffer): void => {
      output += chunk.toString()
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.on('close', () => {
      const lines = output.split('\n')
      const failure = lines.find((line) => failedSeed(line) !== null)
      done(failure ?? lines.find((line) => line.includes(' seeds from ')) ?? output)
    })
  })
}

function failedSeed(line: string): number | null {
  const seed = /: seed (\d+) failed: /.exec(line)?.[1]
  return seed === undefined ? null : Number(seed)
}

function caughtBefore(path: string | undefined): Map<string, Hunt> {
  if (path === undefined || !existsSync(path)) return new Map()
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean)
  const hunts = lines.map((line) => JSON.parse(line) as Hunt).filter(({ seed }) => seed !== null)
  return new Map(hunts.map((found) => [found.name, found]))
}

const words = values.only?.split(',')
const chosen = MUTANTS.filter(
  ({ name, isQuick }) =>
    (words === undefined || words.some((word) => name.includes(word))) && (!values.quick || isQuick === true),
)
// Before anything runs: a mutant that is out of date would look like one that survives.
for (const mutant of chosen) planted(mutant, readFileSync(join(ROOT, mutant.file), 'utf8'))

const caught = caughtBefore(values.results)
const waiting = chosen.filter(({ name }) => !caught.has(name))

async function work(): Promise<void> {
  for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
    const found = await hunt(mutant)
    if (found.seed !== null) caught.set(mutant.name, found)
    if (values.results !== undefined) appendFileSync(values.results, `${JSON.stringify(found)}\n`)
    console.log(`${found.seed !== null ? 'caught' : 'SURVIVES'}: ${mutant.name} (${found.says.slice(0, 160)})`)
  }
}

await Promise.all(Array.from({ length: Number(values.jobs) }, () => work()))
const survivors = chosen.filter(({ name }) => !caught.has(name))
console.log(`${chosen.length - survivors.length} of ${chosen.length} mutants caught`)
process.exitCode = survivors.length > 0 ? 1 : 0
