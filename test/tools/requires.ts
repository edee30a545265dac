import { execFileSync } from 'node:child_process'
import { accessSync, appendFileSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { access } from '../e2e/bed/kubernetes.ts'

// Jest's globals, by declaration: an import would bind this file to Jest, and the set-up commands use it too.
declare const describe: (name: string, body: () => void) => void
declare const xdescribe: typeof describe

interface Need {
  readonly present: () => boolean
  /** What to run to get it. */
  readonly bring: string
}

/** What parts of the tests need beyond Node and npm. */
const NEEDS = {
  java: { present: () => installed('javac', 'java'), bring: 'apt-get install openjdk-17-jdk-headless' },
  mvn: { present: () => installed('mvn'), bring: 'apt-get install maven' },
  go: { present: () => installed('go'), bring: 'apt-get install golang' },
  python3: { present: () => runs('python3', '-c', 'import venv, ensurepip'), bring: 'apt-get install python3-venv' },
  kcat: { present: () => installed('kcat'), bring: 'apt-get install kcat' },
  chromium: { present: () => installed('chromium'), bring: 'apt-get install chromium' },
  apt: { present: () => installed('apt-get', 'dpkg-deb'), bring: 'a Debian or Ubuntu' },
  perl: { present: () => installed('perl'), bring: 'apt-get install perl' },
  loop: { present: () => runs('losetup', '--find'), bring: 'modprobe loop' },
  root: { present: () => process.getuid?.() === 0, bring: 'sudo npm test' },
  unshare: { present: () => runs('unshare', '--pid', '--fork', 'true'), bring: 'sudo npm test' },
  kubernetes: {
    present: () => access() !== null,
    bring: 'npm run kube:setup && npm run kube:up',
  },
} as const satisfies Record<string, Need>

export type Tool = keyof typeof NEEDS

/** What is missing is looked for again: a set-up step may have brought it. */
const found = new Set<Tool>()

/** The tools of `tools` that this machine lacks. */
export function missing(tools: readonly Tool[]): Tool[] {
  return tools.filter((tool) => {
    if (!found.has(tool) && NEEDS[tool].present()) found.add(tool)
    return !found.has(tool)
  })
}

/**
 * True where every tool is there. Otherwise says in one line what is skipped, why, and which command brings it; throws under
 * `CI=true`, where a skip is a failure.
 */
export function requires(what: string, ...tools: readonly Tool[]): boolean {
  const lacking = missing(tools)
  if (lacking.length === 0) return true
  const bring = lacking.map((tool) => NEEDS[tool].bring).join(' && ')
  const line = `skipped: ${what}: this machine has no ${lacking.join(', ')}; bring it with: ${bring}`
  if (process.env['CI'] === 'true') throw new Error(line)
  report(line)
  return false
}

/** `describe` where every tool is there; otherwise the tests are counted as skipped, and `requires` says why. */
export function describeWith(tools: readonly Tool[], name: string, body: () => void): void {
  if (requires(name, ...tools)) describe(name, body)
  else xdescribe(name, body)
}

/** `npm test` repeats the lines at its end, where they are seen. */
function report(line: string): void {
  const file = process.env['OTTLA_SKIP_REPORT']
  if (file === undefined) process.stderr.write(`${line}\n`)
  else appendFileSync(file, `${line.replace(/^skipped: /, '')}\n`)
}

/** They are there; they are not run, since a JVM takes half a second to say its version, in each test file. */
function installed(...programs: readonly string[]): boolean {
  const directories = (process.env['PATH'] ?? '').split(delimiter)
  return programs.every((program) => directories.some((directory) => isExecutable(join(directory, program))))
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

function runs(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
