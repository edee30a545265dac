/**
 * `npm test`: every part, one summary, and the plain closing line `N passed, N failed`.
 * `npm run test:unit` and its sisters run some: `node test/run.ts unit sim`.
 */
import { mkdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { DEBIAN_TOOLS, installPackages } from './conformance/setup/setup.ts'
import { access, down, engine, up } from './e2e/bed/kubernetes.ts'
import { atOnce, command, inTurn, jest, type Outcome, type Part, type Place, RESULTS } from './tools/parts.ts'

/** What fails where the machine is too busy: these have priority over everything else. */
const TIMED = ['test/conformance/cluster/failover', 'test/conformance/groups']

/** A whole life of a cluster under load, on three nodes. */
const DAY_TWO = 'test/e2e/day-two.test.ts'
/** No operator may look after what they make in the test's Kubernetes, or they make nothing there. */
const WITHOUT_OPERATOR = ['crds', 'faults', 'kube-client', 'scale'].map((name) => `test/e2e/${name}.test.ts`)
/** Each installs an operator that looks after its own namespace only. */
const OWN_OPERATOR = ['monitoring', 'repair'].map((name) => `test/e2e/${name}.test.ts`)
/** All others share an operator that looks after all namespaces, and have namespaces of their own. */
const E2E = inTurn('e2e', [
  atOnce('', [
    jest('e2e-without-operator', WITHOUT_OPERATOR, { workers: 1 }),
    jest('e2e-own-operator', OWN_OPERATOR, { workers: 1 }),
  ]),
  jest('e2e', ['test/e2e'], { except: [DAY_TWO, ...WITHOUT_OPERATOR, ...OWN_OPERATOR] }),
])

/**
 * What runs at the same time; the parts of a lane run one after the other. Most tests compute, and give way to those that wait for the
 * clock and to Kubernetes, which mostly wait.
 */
const LANES: readonly { readonly nice: number; readonly parts: readonly Part[] }[] = [
  { nice: 0, parts: [jest('timed', TIMED, { workers: 1 })] },
  { nice: 0, parts: [onKubernetes(E2E, 1)] },
  {
    nice: 10,
    parts: [
      command('lint', ['oxlint', '--type-aware', '--deny-warnings']),
      command('format', ['oxfmt', '--check']),
      command('types', ['tsc']),
      command('page', ['tsc', '-p', 'operator/console/web']),
      command('unused', ['knip', '--no-progress']),
      jest('tidy', ['test/tidy.test.ts']),
      jest('unit', ['test/unit']),
      jest('sim', ['test/sim']),
      jest('faults', ['test/faults']),
      jest('conformance', ['test/conformance'], { except: TIMED }),
    ],
  },
]
/** Takes too long to be one of all: it is run by its name. */
const ALONE = [onKubernetes(jest('day-two', [DAY_TWO], { workers: 1 }), 3)]
const PARTS = [...LANES.flatMap(({ parts }) => parts), ...ALONE]

interface Result extends Outcome {
  readonly name: string
  readonly seconds: number
}

/** Brings Kubernetes up for `part` where that can be done, with the images of this tree, and takes it down where it was not up. */
function onKubernetes(part: Part, nodes: number): Part {
  return {
    name: part.name,
    run: async (place) => {
      if (!engine().isSetUp()) return part.run(place)
      const wasUp = access() !== null
      try {
        await up(nodes)
        return await part.run(place)
      } catch (error) {
        console.error(error)
        return { passed: 0, failed: 1, skipped: [] }
      } finally {
        if (!wasUp) await down(true)
      }
    },
  }
}

async function measured(part: Part, place: Place): Promise<Result> {
  const began = performance.now()
  const outcome = await part.run(place)
  return { ...outcome, name: part.name, seconds: (performance.now() - began) / 1000 }
}

async function oneByOne(parts: readonly Part[]): Promise<Result[]> {
  const results: Result[] = []
  for (const part of parts) {
    console.log(`\n== ${part.name}`)
    results.push(await measured(part, { nice: 0, write: null }))
  }
  return results
}

/** What a part says is shown when it is over. */
async function sideBySide(): Promise<Result[]> {
  const lanes = LANES.map(async ({ nice, parts }) => {
    const results: Result[] = []
    for (const part of parts) {
      console.log(`${part.name} ...`)
      let said = ''
      results.push(await measured(part, { nice, write: (text) => (said += text) }))
      console.log(`\n== ${part.name}\n${said}`)
    }
    return results
  })
  return (await Promise.all(lanes)).flat()
}

function rowOf({ name, passed, failed, seconds }: Result): string {
  const counts = `${String(passed).padStart(5)} passed ${String(failed).padStart(4)} failed`
  return `${name.padEnd(12)} ${counts} ${seconds.toFixed(1).padStart(7)} s`
}

async function main(names: readonly string[]): Promise<void> {
  mkdirSync(RESULTS, { recursive: true })
  const unknown = names.filter((name) => !PARTS.some((part) => part.name === name))
  if (unknown.length > 0)
    throw new Error(`no such part: ${unknown.join(', ')}; there are ${PARTS.map(({ name }) => name).join(', ')}`)
  const began = performance.now()
  if (names.length === 0 || names.includes('conformance')) installPackages(DEBIAN_TOOLS)
  const results =
    names.length === 0 ? await sideBySide() : await oneByOne(PARTS.filter(({ name }) => names.includes(name)))
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  console.log(`\n${results.map(rowOf).join('\n')}\n(${seconds} s on ${availableParallelism()} cores)`)
  // Under CI a test that did not run is a test that did not pass.
  const strict = process.env['CI'] === 'true'
  const skipped = results.flatMap((result) => result.skipped)
  for (const line of skipped) console.log(`${strict ? 'FAILED, skipped' : 'skipped'}: ${line}`)
  const sum = (count: (result: Result) => number): number => results.reduce((all, result) => all + count(result), 0)
  const failed = sum((result) => result.failed) + (strict ? skipped.length : 0)
  console.log(`${sum(({ passed }) => passed)} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
}

await main(process.argv.slice(2))
