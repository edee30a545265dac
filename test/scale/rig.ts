import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Resource } from '../../operator/api/resource.ts'

export const NAMESPACE = 'kafka'
/** Of clusters; topics have twice as long. */
const RESYNC_MS = 10_000
/** In production, of clusters. */
const RESYNC_EVERY_MS = 300_000
/** What the operator may take of the machine with 10,000 topics, or with 100 clusters. */
const BOUNDS = { cpuSeconds: 60, megabytes: 200, idlePercent: 1 }
/** Whatever else the machine does: from here on something hangs. */
const WAIT_MS_MAX = 15 * 60_000
/** As the image has it; Node makes the last of the memory limit in the chart. */
const ENVIRONMENT = {
  NODE_OPTIONS: '--max-semi-space-size=2 --max-old-space-size=256',
  MALLOC_ARENA_MAX: '1',
  UV_THREADPOOL_SIZE: '32',
}
/** Of /proc: USER_HZ. */
const TICK_MS = 10

/** Ctrl-C and SIGTERM end the waits, so that what was started is stopped. */
const ended = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort(new Error(signal)))

/** How the operator of a measurement is to work. */
interface OperatorSetup {
  readonly server: string
  /** A directory as Kubernetes gives it to pods, with `ca.crt` and `token`; null: the server asks for none. */
  readonly account: string | null
  /** `host:port` of every cluster's; null: they are simulated, and well. */
  readonly broker: string | null
}

/** The operator as a process, and what it takes of the machine. */
export class MeasuredOperator implements AsyncDisposable {
  readonly #child: ChildProcess

  constructor(setup: OperatorSetup) {
    const program = join(import.meta.dirname, 'operator-process.ts')
    const account = setup.account === null ? [] : [setup.account]
    const args = [program, setup.server, NAMESPACE, setup.broker ?? 'none', String(RESYNC_MS), ...account]
    this.#child = startChild(process.execPath, args, { env: ENVIRONMENT, stdio: 'inherit' })
  }

  /** Prints what it takes until nothing is lacking. Throws where that is more than it may be. */
  async measure(what: string, lacking: Lacking): Promise<void> {
    const [startMs, beforeMs] = [performance.now(), this.#cpuMs()]
    await until(what, () => {
      if (hasEnded(this.#child)) throw new Error('the operator has ended')
      return lacking()
    })
    const seconds = (performance.now() - startMs) / 1000
    process.stdout.write(`${what}: ${seconds.toFixed(1)} s\n`)
    const cpuSeconds = (this.#cpuMs() - beforeMs) / 1000
    process.stdout.write(`  operator: CPU ${cpuSeconds.toFixed(1)} s, ${this.#memory()}\n`)
    mustBe(`${what}: CPU`, cpuSeconds, BOUNDS.cpuSeconds, 's')
    this.#mustBeSmall()
  }

  /** What nothing to do costs: the time passes as much faster as resyncs are more frequent. Throws where that is more than it may be. */
  async idle(resyncs: number): Promise<void> {
    const beforeMs = this.#cpuMs()
    await sleep(resyncs * RESYNC_MS)
    ended.signal.throwIfAborted()
    const percent = ((this.#cpuMs() - beforeMs) / (resyncs * RESYNC_EVERY_MS)) * 100
    process.stdout.write(`idle, at the frequency of resyncs of production: ${percent.toFixed(2)} % of a CPU\n`)
    process.stdout.write(`  operator: ${this.#memory()}\n`)
    mustBe('idle', percent, BOUNDS.idlePercent, '% of a CPU')
    this.#mustBeSmall()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endChild(this.#child, 'SIGTERM')
  }

  #memory(): string {
    return `RSS ${this.#megabytes('VmRSS').toFixed(0)} MB, at most ${this.#megabytes('VmHWM').toFixed(0)} MB`
  }

  #mustBeSmall(): void {
    mustBe('resident memory', this.#megabytes('VmHWM'), BOUNDS.megabytes, 'MB')
  }

  #megabytes(field: string): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8')
    const [, kilobytes] = new RegExp(`${field}:\\s+(\\d+)`).exec(status) ?? []
    return Number(kilobytes) / 1024
  }

  #cpuMs(): number {
    const fields = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS
  }
}

/** Starts a process that ends with this one, however this one ends. `env` is added to that of this process. */
export function startChild(
  command: string,
  args: readonly string[],
  { env, stdio }: { readonly env: Readonly<Record<string, string>>; readonly stdio: StdioOptions },
): ChildProcess {
  const bound = ['--pdeathsig', 'KILL', command, ...args]
  return spawn('setpriv', bound, { env: { ...process.env, ...env }, stdio })
}

export function hasEnded({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null
}

/** Resolves when it has ended. */
export async function endChild(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (hasEnded(child)) return
  const exit = new Promise((done) => child.once('exit', done))
  child.kill(signal)
  await exit
}

export function isReady(object: Resource): boolean {
  const { status } = object as { status?: { conditions?: { type: string; status: string }[] } }
  return status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True'
}

/** What is lacking yet; null: nothing. */
export type Lacking = () => string | null | Promise<string | null>

/** Resolves when nothing is lacking. Rejects where that takes far too long, or this process is to end. */
export async function until(what: string, lacking: Lacking): Promise<void> {
  const deadline = performance.now() + WAIT_MS_MAX
  for (let missing = await lacking(); missing !== null; missing = await lacking()) {
    const isLate = performance.now() > deadline
    if (isLate || ended.signal.aborted) throw new Error(`${what}: ${missing}`, { cause: ended.signal.reason })
    await sleep(250)
  }
}

/** What is lacking of `count` objects that are as they should be. */
export function allOf<T>(what: string, objects: readonly T[], count: number, is: (one: T) => boolean): string | null {
  const fit = objects.filter(is).length
  return fit === count && objects.length === count ? null : `${fit} of ${objects.length} ${what}, ${count} wanted`
}

function mustBe(what: string, value: number, max: number, unit: string): void {
  if (value > max) throw new Error(`${what}: ${value.toFixed(2)} ${unit}, and ${max} is the most that it may be`)
}

/** Less where this process is to end. */
function sleep(ms: number): Promise<void> {
  return wait(ms, undefined, { signal: ended.signal }).catch(() => undefined)
}
