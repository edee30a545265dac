import type { ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, startBound } from './bound-process.ts'

const STOP_MS_MAX = 30_000

/** A server in a process of its own, its output in a file. See `startBound` for when it is killed. */
export class ServerProcess {
  readonly #name: string
  readonly #outputFile: string
  readonly #child: ChildProcess
  readonly #exited: Promise<void>
  /** As `performance.now()`. */
  readonly spawnedMs = performance.now()

  constructor(name: string, command: Command, outputFile: string) {
    this.#name = name
    this.#outputFile = outputFile
    const output = openSync(outputFile, 'a')
    const child = startBound(command, { stdio: ['ignore', output, output] })
    closeSync(output)
    this.#exited = new Promise((resolve) => {
      child.once('exit', () => resolve())
      child.on('error', () => resolve())
    })
    this.#child = child
  }

  get pid(): number {
    return this.#child.pid ?? -1
  }

  get isRunning(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** What it has written so far. */
  output(): string {
    return readFileSync(this.#outputFile, 'utf8')
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Resolves when the process is gone. Fails, and kills it, when it does not go within `msMax`. */
  async end(signal: NodeJS.Signals, msMax: number = STOP_MS_MAX): Promise<void> {
    if (this.isRunning) this.signal(signal)
    const hung = await Promise.race([this.#exited, sleep(msMax, 'hung', { ref: false })])
    if (hung === undefined) return
    this.signal('SIGKILL')
    throw new Error(`${this.#name} did not stop within ${msMax} ms:\n${this.output().slice(-4000)}`)
  }

  /** Resolves when `port` accepts connections; kills the process and fails when it ends before, or takes longer than `msMax`. */
  async accepting(host: string, port: number, msMax: number): Promise<void> {
    const deadline = performance.now() + msMax
    while (!(await connects(host, port))) {
      const problem = this.isRunning ? (performance.now() > deadline ? 'does not listen' : undefined) : 'ended'
      if (problem !== undefined) {
        const told = this.output().slice(-4000)
        await this.end('SIGKILL')
        throw new Error(`${this.#name} ${problem} at its start:\n${told}`)
      }
      await sleep(10)
    }
  }
}

function connects(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const end = (result: boolean) => (): void => {
      socket.destroy()
      resolve(result)
    }
    socket.once('connect', end(true))
    socket.once('error', end(false))
  })
}
