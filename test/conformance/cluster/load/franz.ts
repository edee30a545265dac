import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { run } from '../../../tools/run.ts'
import { franzGo } from '../../setup/setup.ts'
import { type Entry, entryOf } from './audit.ts'

export interface FranzOptions {
  readonly bootstrap: string
  /** Made with the cluster's defaults where it is missing. */
  readonly topic: string
  readonly partitions: number
  readonly producers: number
  /** Between bursts of 20 records a partition. */
  readonly pauseMs: number
}

/** Idempotent producers of franz-go with its default settings, but quick to look for a new leader: several batches on their way, retried until they are acknowledged. */
export class FranzLoad {
  readonly #program: string
  readonly #options: FranzOptions
  readonly #child: ChildProcess
  readonly #ended: Promise<number | null>
  readonly acknowledged: Entry[] = []

  private constructor(program: string, options: FranzOptions) {
    const { bootstrap, topic, partitions, producers, pauseMs } = options
    const args = ['load', bootstrap, topic, String(partitions), String(producers), String(pauseMs)]
    this.#program = program
    this.#options = options
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#ended = new Promise((resolve) => this.#child.once('close', resolve))
    createInterface({ input: this.#child.stdout ?? process.stdin }).on('line', (line) =>
      this.acknowledged.push(entryOf(line)),
    )
  }

  /** Needs `go` the first time. */
  static async start(options: FranzOptions): Promise<FranzLoad> {
    return new FranzLoad(await franzGo(), options)
  }

  /** Null while it runs. */
  get exitCode(): number | null {
    return this.#child.exitCode
  }

  /** Resolves when what is on its way is acknowledged; rejects where it ended with an error. */
  async stop(): Promise<void> {
    this.#child.stdin?.end()
    const code = await this.#ended
    if (code !== 0) throw new Error(`the load ended with ${code}`)
  }

  /** Every record of the topic, each partition in order of its offsets. */
  async readBack(bootstrap: string = this.#options.bootstrap): Promise<Entry[]> {
    const { stdout } = await run(this.#program, ['dump', bootstrap, this.#options.topic])
    return stdout.trimEnd().split('\n').map(entryOf)
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}
