import { startBound } from './bound-process.ts'

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  /** Kills the command and fails after this long. */
  readonly timeoutMs?: number
}

export interface RunResult {
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command to its end; rejects with its output when it exits with anything but 0. See `startBound` for when it is killed. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { timeoutMs = 120_000 } = options
  return new Promise((resolve, reject) => {
    const child = startBound({ program: command, args, env: options.env }, { cwd: options.cwd })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    child.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      const result = { stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }
      if (code === 0) return resolve(result)
      const told = `${result.stdout.slice(-4000)}\n${result.stderr.slice(-4000)}`
      reject(new Error(`${command} ${args.slice(0, 6).join(' ')} ended with ${code ?? signal}:\n${told}`))
    })
    // A command that ends without reading its input is judged by its exit code.
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input ?? '')
  })
}
