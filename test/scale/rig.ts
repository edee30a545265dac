import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Resource } from '../../operator/api/resource.ts'

export const NAMESPACE = 'kafka'
/** Of clusters; topics have twice as long. */
export const RESYNC_MS = 10_000
/** In production, of clusters. */
const RESYNC_EVERY_MS = 300_000
/** As the image has it; Node makes the last of the memory limit in the chart. */
const ENVIRONMENT = { NODE_OPTIONS: '--max-semi-space-size=2 --max-old-space-size=256', MALLOC_ARENA_MAX: '1' }
/** Of /proc: USER_HZ. */
const TICK_MS = 10

/** The operator as a process, and what it takes of the machine. */
export class MeasuredOperator implements AsyncDisposable {
  readonly #child: ChildProcess

  /** `broker`: `host:port` of every cluster's; null: they are simulated, and well. */
  constructor(server: string, broker: string | null) {
    const program = join(import.meta.dirname, 'operator-process.ts')
    const args = [program, server, NAMESPACE, broker ?? 'none', String(RESYNC_MS)]
    this.#child = spawn(process.execPath, args, { env: { ...process.env, ...ENVIRONMENT }, stdio: 'inherit' })
  }

  report(): void {
    const memory = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8')
    const mb = (field: string): string => {
      const [, kilobytes] = new RegExp(`${field}:\\s+(\\d+)`).exec(memory) ?? []
      return (Number(kilobytes) / 1024).toFixed(0)
    }
    const seconds = (this.#cpuMs() / 1000).toFixed(1)
    process.stdout.write(`  operator: CPU ${seconds} s, RSS ${mb('VmRSS')} MB, at most ${mb('VmHWM')} MB\n`)
  }

  /** What nothing to do costs: the time passes as much faster as resyncs are more frequent. */
  async idle(resyncs: number): Promise<void> {
    const before = this.#cpuMs()
    await sleep(resyncs * RESYNC_MS)
    const share = (this.#cpuMs() - before) / (resyncs * RESYNC_EVERY_MS)
    process.stdout.write(`idle, at the frequency of resyncs of production: ${(share * 100).toFixed(2)} % of a CPU\n`)
    this.report()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((done) => this.#child.once('exit', done))
    this.#child.kill('SIGTERM')
    await ended
  }

  #cpuMs(): number {
    const fields = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS
  }
}

export function isReady(object: Resource): boolean {
  const { status } = object as { status?: { conditions?: { type: string; status: string }[] } }
  return status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True'
}

/** Prints how long it takes until `done`. */
export async function timed(what: string, done: () => boolean): Promise<void> {
  const startMs = performance.now()
  while (!done()) await sleep(250)
  process.stdout.write(`${what}: ${((performance.now() - startMs) / 1000).toFixed(1)} s\n`)
}

function sleep(ms: number): Promise<void> {
  return new Promise((wake) => setTimeout(wake, ms))
}
