/**
 * `npm test`: every part in turn, one summary, and the plain closing line `N passed, N failed`.
 * `npm run test:unit` and its sisters run one part: `node test/run.ts unit`.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { access, down, engine, up } from './e2e/bed/kubernetes.ts'

const ROOT = resolve(import.meta.dirname, '..')
const RESULTS = join(ROOT, '.cache', 'test-results')

interface Outcome {
  readonly passed: number
  readonly failed: number
  /** One line each: what was skipped, why, and which command brings it. */
  readonly skipped: readonly string[]
}

interface Part {
  readonly name: string
  run(): Promise<Outcome>
}

/** Folders of test/ that are their own part; everything else that jest finds is a unit test. */
const PARTS: readonly Part[] = [
  command('lint', ['oxlint', '--type-aware', '--deny-warnings']),
  command('format', ['oxfmt', '--check']),
  command('types', ['tsc']),
  command('unused', ['knip', '--no-progress']),
  jest('tidy', ['test/tidy.test.ts']),
  jest('unit', ['test/unit']),
  jest('sim', ['test/sim']),
  jest('conformance', ['test/conformance'], ['--runInBand']),
  onKubernetes(jest('e2e', ['test/e2e'], ['--runInBand'])),
]

function execute(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
  return new Promise((done, failed) => {
    const child = spawn(argv[0] as string, argv.slice(1), {
      cwd: ROOT,
      stdio: 'inherit',
      env: { ...process.env, ...env },
    })
    child.on('error', failed)
    child.on('exit', (code) => done(code ?? 1))
  })
}

function command(name: string, argv: readonly string[]): Part {
  return {
    name,
    run: async () => {
      const ok = (await execute(argv)) === 0
      return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: [] }
    },
  }
}

function jest(name: string, paths: readonly string[], flags: readonly string[] = []): Part {
  return {
    name,
    run: async () => {
      const report = join(RESULTS, `${name}.json`)
      const skips = join(RESULTS, `${name}.skipped`)
      rmSync(report, { force: true })
      rmSync(skips, { force: true })
      const argv = ['node', 'node_modules/jest/bin/jest.js', ...paths, ...flags, '--json', `--outputFile=${report}`]
      const code = await execute(argv, {
        NODE_OPTIONS: '--experimental-vm-modules --no-warnings',
        OTTLA_SKIP_REPORT: skips,
      })
      return readReport(report, skips, code)
    },
  }
}

/** Brings Kubernetes up for `part` where that can be done, with the images of this tree, and takes it down where it was not up. */
function onKubernetes(part: Part): Part {
  return {
    name: part.name,
    run: async () => {
      if (!engine().isSetUp()) return part.run()
      const wasUp = access() !== null
      try {
        console.log('bringing Kubernetes up')
        await up(1)
        return await part.run()
      } catch (error) {
        console.error(error)
        return { passed: 0, failed: 1, skipped: [] }
      } finally {
        if (!wasUp) await down(true)
      }
    },
  }
}

/** A suite that could not even start counts as one failure, and so does a runner that left no report. */
function readReport(report: string, skips: string, code: number): Outcome {
  try {
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(
      readFileSync(report, 'utf8'),
    ) as Record<string, number>
    const failed = (numFailedTests ?? 0) + (numRuntimeErrorTestSuites ?? 0)
    return { passed: numPassedTests ?? 0, failed: code !== 0 && failed === 0 ? 1 : failed, skipped: readSkips(skips) }
  } catch {
    return { passed: 0, failed: 1, skipped: [] }
  }
}

function readSkips(path: string): string[] {
  try {
    return [
      ...new Set(
        readFileSync(path, 'utf8')
          .split('\n')
          .filter((line) => line !== ''),
      ),
    ]
  } catch {
    return []
  }
}

async function main(names: readonly string[]): Promise<void> {
  mkdirSync(RESULTS, { recursive: true })
  const unknown = names.filter((name) => !PARTS.some((part) => part.name === name))
  if (unknown.length > 0)
    throw new Error(`no such part: ${unknown.join(', ')}; there are ${PARTS.map(({ name }) => name).join(', ')}`)
  const rows: string[] = []
  const skipped: string[] = []
  let passed = 0
  let failed = 0
  for (const part of PARTS.filter(({ name }) => names.length === 0 || names.includes(name))) {
    const began = process.hrtime.bigint()
    console.log(`\n== ${part.name}`)
    const outcome = await part.run()
    const seconds = Number(process.hrtime.bigint() - began) / 1e9
    passed += outcome.passed
    failed += outcome.failed
    skipped.push(...outcome.skipped)
    rows.push(
      `${part.name.padEnd(12)} ${String(outcome.passed).padStart(5)} passed ${String(outcome.failed).padStart(4)} failed ${seconds.toFixed(1).padStart(7)} s`,
    )
  }
  // Under CI a test that did not run is a test that did not pass.
  const strict = process.env['CI'] === 'true'
  console.log(`\n${rows.join('\n')}\n(${availableParallelism()} cores)`)
  for (const line of skipped) console.log(`${strict ? 'FAILED, skipped' : 'skipped'}: ${line}`)
  if (strict) failed += skipped.length
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
}

await main(process.argv.slice(2))
