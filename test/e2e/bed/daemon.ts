import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LOGS, RUN } from './layout.ts'

const PIDS = join(RUN, 'pid')
const STOP_MS_MAX = 20_000
/** Of what is done to collect garbage, a quarter: of memory there is enough. */
const ENVIRONMENT = { GOGC: '400' }

export type Flags = Readonly<Record<string, string | number | boolean>>

/** `--name=value` of each. */
export function flagList(flags: Flags): string[] {
  return Object.entries(flags).map(([name, value]) => `--${name}=${value}`)
}

/** Writes a program's configuration. One that is the same is left alone: kube-proxy ends when its file is written to. */
export function writeConfig(path: string, text: string): void {
  if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileSync(path, text)
}

/** Starts a program that outlives this process, unless it runs already. Its output goes to `<name>.log`. */
export function startDaemon(name: string, command: string, args: readonly string[]): void {
  if (isRunning(name)) return
  mkdirSync(PIDS, { recursive: true })
  mkdirSync(LOGS, { recursive: true })
  const log = openSync(join(LOGS, `${name}.log`), 'w')
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, ...ENVIRONMENT },
  })
  closeSync(log)
  if (child.pid === undefined) throw new Error(`${command} cannot be started`)
  child.unref()
  writeFileSync(pidFile(name), `${child.pid} ${startTimeOf(child.pid) ?? ''}`)
}

/** SIGTERM, then SIGKILL; resolves when the program is gone. */
export async function stopDaemon(name: string): Promise<void> {
  for (let waitedMs = 0; isRunning(name); waitedMs += 50) {
    if (waitedMs === 0) process.kill(pidOf(name), 'SIGTERM')
    if (waitedMs === STOP_MS_MAX) process.kill(pidOf(name), 'SIGKILL')
    await sleep(50)
  }
  rmSync(pidFile(name), { force: true })
}

export function isRunning(name: string): boolean {
  if (!existsSync(pidFile(name))) return false
  const [pid = '', startTime = ''] = readFileSync(pidFile(name), 'utf8').split(' ')
  return startTime !== '' && startTimeOf(Number(pid)) === startTime
}

/** Resolves when `check` holds; rejects after `msMax` with what the check last said, or the end of the log of `daemon`. */
export async function until(
  what: string,
  check: () => Promise<unknown>,
  options: { msMax: number; daemon?: string },
): Promise<void> {
  const deadline = performance.now() + options.msMax
  for (;;) {
    try {
      await check()
      return
    } catch (error) {
      const isDead = options.daemon !== undefined && !isRunning(options.daemon)
      if (isDead || performance.now() > deadline) {
        const log = options.daemon === undefined ? '' : readFileSync(join(LOGS, `${options.daemon}.log`), 'utf8')
        throw new Error(`${what}: ${isDead ? 'ended' : 'timed out'}\n${log.slice(-3000)}`, { cause: error })
      }
    }
    await sleep(100)
  }
}

function pidFile(name: string): string {
  return join(PIDS, name)
}

function pidOf(name: string): number {
  return Number(readFileSync(pidFile(name), 'utf8').split(' ')[0])
}

/** When a process started, in ticks after boot: with it a pid that was given to another process is told apart. Null: it is gone. */
function startTimeOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name, in parentheses, may hold anything: what follows its end are fields 3 and on.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? null : (fields[19] ?? null)
  } catch {
    return null
  }
}
