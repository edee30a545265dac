import {
  type ChildProcess,
  type ChildProcessByStdio,
  type ChildProcessWithoutNullStreams,
  spawn,
  type StdioOptions,
} from 'node:child_process'
import type { Readable, Writable } from 'node:stream'

export interface Command {
  readonly program: string
  readonly args: readonly string[]
  /** Added to that of this process. */
  readonly env?: Readonly<Record<string, string>> | undefined
}

interface Options {
  readonly cwd?: string | undefined
  readonly stdio?: StdioOptions
}

const running = new Set<ChildProcess>()
let isOver = false

// In a test it is the end of its file (see jest-environment.mjs). Where one part of a set-up has failed, another one may go on starting
// processes until then, and after it: nobody waits for it any more.
process.once('exit', () => {
  isOver = true
  for (const child of running) child.kill('SIGKILL')
})

/**
 * Starts a process that outlives neither this one nor, in a test, the file that starts it. Where this one is killed it cannot see to that:
 * on Linux the kernel does.
 */
export function startBound(
  command: Command,
  options: Options & { readonly stdio: ['pipe', 'pipe', 'inherit'] },
): ChildProcessByStdio<Writable, Readable, null>
export function startBound(command: Command, options?: Omit<Options, 'stdio'>): ChildProcessWithoutNullStreams
export function startBound(command: Command, options: Options): ChildProcess
export function startBound({ program, args, env }: Command, { cwd, stdio = 'pipe' }: Options = {}): ChildProcess {
  if (isOver) throw new Error(`${program} is not started: whoever wants it is over`)
  const bound = process.platform === 'linux' ? ['setpriv', '--pdeathsig', 'KILL', program] : [program]
  const [first = program, ...rest] = [...bound, ...args]
  const child = spawn(first, rest, { cwd, stdio, env: { ...process.env, ...env } })
  running.add(child)
  child.once('exit', () => running.delete(child)).once('error', () => running.delete(child))
  return child
}
