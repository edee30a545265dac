import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import type { Job, JobResult } from './worker.ts'

/** Worker processes that take jobs in turn. */
export class WorkerPool {
  readonly #jobs: number
  readonly #execArgv: readonly string[]

  /** `execArgv`: flags for Node beside those of this process. */
  constructor(options: { readonly jobs: number; readonly execArgv: readonly string[] }) {
    this.#jobs = options.jobs
    this.#execArgv = options.execArgv
  }

  /** Runs jobs until `next` gives none, and calls `done` with what each came to. */
  async run(next: () => Job | undefined, done: (job: Job, result: JobResult) => void): Promise<void> {
    await Promise.all(Array.from({ length: this.#jobs }, () => this.#work(next, done)))
  }

  async #work(next: () => Job | undefined, done: (job: Job, result: JobResult) => void): Promise<void> {
    let worker = this.#start()
    for (let job = next(); job !== undefined; job = next()) {
      if (!worker.connected) worker = this.#start()
      done(job, await resultOf(worker, job))
    }
    worker.disconnect()
  }

  #start(): ChildProcess {
    const execArgv = [...process.execArgv, ...this.#execArgv]
    return fork(join(import.meta.dirname, 'worker.ts'), [], { execArgv })
  }
}

function resultOf(worker: ChildProcess, job: Job): Promise<JobResult> {
  return new Promise((resolve) => {
    const ended = (code: number | null) => {
      const failure = `${job.simulation}: seed ${job.seed} failed: its process ended with ${code}`
      resolve({ events: 0, simulatedMs: 0, realMs: 0, failure, history: [] })
    }
    worker.once('exit', ended)
    worker.once('message', (result: JobResult) => {
      worker.off('exit', ended)
      resolve(result)
    })
    worker.send(job)
  })
}
