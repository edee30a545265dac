/** `npm run sim:mutants`: plants each bug in turn and runs seeds until one fails. A bug that none finds fails the command. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type Mutant, MUTANTS } from './mutants.ts'
import { planted } from './planted.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '300' },
    minutes: { type: 'string', default: '5' },
    from: { type: 'string', default: '1' },
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '2' },
  },
})

interface Hunt {
  readonly isCaught: boolean
  /** How it was found, or what was run in vain. */
  readonly says: string
}

function hunt({ name, simulation }: Mutant): Promise<Hunt> {
  const words = [
    '--only',
    simulation,
    '--from',
    values.from,
    '--seeds',
    values.seeds,
    '--minutes',
    values.minutes,
    '--jobs',
    '1',
  ]
  const argv = ['--import', join(ROOT, 'test/sim/mutate.ts'), join(ROOT, 'test/sim/main.ts'), ...words, '--first']
  return new Promise((done) => {
    const env = { ...process.env, OTTLA_MUTANT: name }
    const child = spawn(process.execPath, argv, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const hear = (chunk: Buffer): void => {
      output += chunk.toString()
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.on('exit', () => {
      const lines = output.split('\n')
      const found = lines.find((line) => line.includes(' failed: '))
      done({
        isCaught: found !== undefined,
        says: found ?? lines.find((line) => line.includes(' seeds from ')) ?? output,
      })
    })
  })
}

const chosen = MUTANTS.filter(
  ({ name, isQuick }) =>
    (values.only === undefined || name.includes(values.only)) && (!values.quick || isQuick === true),
)
// Before anything runs: a mutant that is out of date would look like one that survives.
for (const mutant of chosen) planted(mutant, readFileSync(join(ROOT, mutant.file), 'utf8'))

const waiting = [...chosen]
const survivors: string[] = []

async function work(): Promise<void> {
  for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
    const { isCaught, says } = await hunt(mutant)
    if (!isCaught) survivors.push(mutant.name)
    console.log(`${isCaught ? 'caught' : 'SURVIVES'}: ${mutant.name} (${says.slice(0, 160)})`)
  }
}

await Promise.all(Array.from({ length: Number(values.jobs) }, () => work()))
console.log(`${chosen.length - survivors.length} of ${chosen.length} mutants caught`)
process.exitCode = survivors.length > 0 ? 1 : 0
