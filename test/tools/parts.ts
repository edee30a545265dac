import { spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { CACHE } from './cache.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')
/** What jest found, a file a part. */
export const RESULTS = join(CACHE, 'test-results')

export interface Outcome {
  readonly passed: number
  readonly failed: number
  /** One line each: what was skipped, why, and which command brings it. */
  readonly skipped: readonly string[]
}

/** How a part is run. */
export interface Place {
  /** Added to the priority of its processes, as by nice(1): 0 to 19. */
  readonly nice: number
  /** Takes what it says; null: it goes to the terminal at once. */
  readonly write: ((text: string) => void) | null
}

export interface Part {
  readonly name: string
  run(place: Place): Promise<Outcome>
}

/** A program that passes when it ends with 0. */
export function command(name: string, argv: readonly string[]): Part {
  return {
    name,
    run: async (place) => {
      // Those that are written in Go take a fifth less processor time, for some memory.
      const ok = (await execute(argv, place, { GOGC: '400' })) === 0
      return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: [] }
    },
  }
}

/** The test files below `paths`, without those below `except`. */
export function jest(
  name: string,
  paths: readonly string[],
  { except = [], workers = 2 }: { except?: readonly string[]; workers?: number } = {},
): Part {
  return {
    name,
    run: async (place) => {
      const report = join(RESULTS, `${name}.json`)
      const skips = join(RESULTS, `${name}.skipped`)
      rmSync(report, { force: true })
      rmSync(skips, { force: true })
      const ignored = except.map((path) => `--testPathIgnorePatterns=${path}`)
      const flags = [workers === 1 ? '--runInBand' : `--maxWorkers=${workers}`, '--json', `--outputFile=${report}`]
      const code = await execute(['node', 'node_modules/jest/bin/jest.js', ...paths, ...ignored, ...flags], place, {
        NODE_OPTIONS: '--experimental-vm-modules --no-warnings',
        OTTLA_SKIP_REPORT: skips,
      })
      return readReport(report, skips, code)
    },
  }
}

/** `parts` as one, each when the one before it is over. */
export function inTurn(name: string, parts: readonly Part[]): Part {
  return {
    name,
    run: async (place) => {
      const outcomes: Outcome[] = []
      for (const part of parts) outcomes.push(await part.run(place))
      return sumOf(outcomes)
    },
  }
}

/** `parts` as one, all at the same time. */
export function atOnce(name: string, parts: readonly Part[]): Part {
  return { name, run: async (place) => sumOf(await Promise.all(parts.map((part) => part.run(place)))) }
}

function sumOf(outcomes: readonly Outcome[]): Outcome {
  return {
    passed: outcomes.reduce((sum, { passed }) => sum + passed, 0),
    failed: outcomes.reduce((sum, { failed }) => sum + failed, 0),
    skipped: outcomes.flatMap(({ skipped }) => skipped),
  }
}

function execute(argv: readonly string[], { nice, write }: Place, env: NodeJS.ProcessEnv = {}): Promise<number> {
  return new Promise((done, failed) => {
    const [program = '', ...args] = nice === 0 ? argv : ['nice', '-n', String(nice), ...argv]
    const child = spawn(program, args, {
      cwd: ROOT,
      stdio: ['inherit', write === null ? 'inherit' : 'pipe', write === null ? 'inherit' : 'pipe'],
      env: { ...process.env, ...env },
    })
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', write ?? (() => {}))
    child.on('error', failed)
    child.on('close', (code) => done(code ?? 1))
  })
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
