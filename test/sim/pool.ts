import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Job, JobResult } from './worker.ts'

const WORKER = join(import.meta.dirname, 'worker.ts')
/** Where Node keeps what it has compiled: to load the broker takes half of the time then. */
export const COMPILED: { readonly NODE_COMPILE_CACHE: string } = {
  NODE_COMPILE_CACHE: join(import.meta.dirname, '..', '..', '.cache', 'sim'),
}

export interface WorkerPoolOptions {
  readonly jobs: number
  /** Flags for Node beside those of this process. */
  readonly execArgv: readonly string[]
  /** The module that a worker runs. */
  readonly worker?: string
}

/** Worker processes that take jobs in turn. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions

  constructor(options: WorkerPoolOptions) {
    this.#options = options
  }

  /** Runs jobs until `next` gives none, and calls `done` with what each came to: a worker that ends has failed at its job, and another one goes on. */
  async run(next: () => Job | undefined, done: (job: Job, result: JobResult) => void): Promise<void> {
    await Promise.all(Array.from({ length: this.#options.jobs }, () => this.#work(next, done)))
  }

  async #work(next: () => Job | undefined, done: (job: Job, result: JobResult) => void): Promise<void> {
    let worker: ChildProcess | undefined
    for (let job = next(); job !== undefined; job = next()) {
      if (worker?.connected !== true) worker = this.#start()
      const result = await resultOf(worker, job)
      if (result.isLast === true) await ended(worker)
      done(job, result)
    }
    if (worker?.connected === true) worker.disconnect()
  }

  #start(): ChildProcess {
    const { worker = WORKER, execArgv } = this.#options
    return fork(worker, [], { execArgv: [...process.execArgv, ...execArgv], env: { ...process.env, ...COMPILED } })
  }
}

/** A worker that has said that it ends may have a result under way that nobody waits for. */
async function ended(worker: ChildProcess): Promise<void> {
  if (worker.exitCode === null && worker.signalCode === null) await once(worker, 'exit')
}

function resultOf(worker: ChildProcess, job: Job): Promise<JobResult> {
  return new Promise((resolve) => {
    const settle = (result: JobResult): void => {
      worker.off('exit', onExit).off('message', settle)
      resolve(result)
    }
    const onExit = (code: number | null, signal: string | null): void => {
      const failure = `${job.simulation}: seed ${job.seed} failed: its process ended with ${code ?? signal}`
      settle({ events: 0, simulatedMs: 0, realMs: 0, cpuMs: 0, failure, history: [], isLast: true })
    }
    worker.on('exit', onExit).on('message', settle)
    // A process that is gone meanwhile is told of by its end.
    worker.send(job, () => {})
  })
}
