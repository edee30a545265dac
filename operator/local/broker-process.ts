import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { LocalNode } from './layout.ts'
import { LocalError } from './local-error.ts'

const BROKER = resolve(import.meta.dirname, '../../broker')
const TAIL_LINES = 15

/** What a broker finds in its environment, as in the image (Dockerfile); libuv reads it before any of ours runs. */
export const BROKER_ENVIRONMENT = { UV_THREADPOOL_SIZE: '32' }

/** Writes a node's server.properties and formats its log directories unless they are. Rejects with LocalError. */
export async function prepareNode(node: LocalNode): Promise<void> {
  mkdirSync(node.directory, { recursive: true })
  writeFileSync(node.propertiesFile, node.properties)
  const format = ['format', '--ignore-formatted', ...node.formatArgs, '-c', node.propertiesFile]
  const child = spawn(process.execPath, [`${BROKER}/format.ts`, ...format], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const code = await new Promise<number | null>((done, reject) => {
    child.on('error', reject)
    child.on('close', done)
  })
  if (code !== 0) throw new LocalError(`${node.directory} cannot be formatted:\n${output.trim()}`)
}

/** A running node. Its own process group: Ctrl-C reaches only us, and we stop it in order. */
export class BrokerProcess {
  readonly #child: ChildProcess
  readonly node: LocalNode
  /** Undefined while it runs. */
  end: string | undefined
  /** Resolves with words for how it ended. */
  readonly ended: Promise<string>

  constructor(node: LocalNode) {
    this.node = node
    const log = openSync(node.logFile, 'a')
    this.#child = spawn(process.execPath, [`${BROKER}/main.ts`, node.propertiesFile], {
      stdio: ['ignore', log, log],
      env: { ...BROKER_ENVIRONMENT, ...process.env },
      detached: true,
    })
    closeSync(log)
    // However we end, it does not stay behind.
    const end = (): void => void this.#child.kill('SIGTERM')
    process.on('exit', end)
    this.ended = new Promise((done) => {
      this.#child.on('error', (error) => done(error.message))
      this.#child.on('exit', () => process.off('exit', end))
      this.#child.on('exit', (code, signal) => done(signal === null ? `exit code ${code ?? '?'}` : `signal ${signal}`))
    })
    void this.ended.then((how) => (this.end = how))
  }

  /** Asks it to stop and waits for it, however long its log takes to flush. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM')
    await this.ended
  }

  /** The last lines of its log. */
  tail(): string {
    return readFileSync(this.node.logFile, 'utf8').trimEnd().split('\n').slice(-TAIL_LINES).join('\n')
  }
}
