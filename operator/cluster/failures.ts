import type { Health } from '../api/conditions.ts'
import { isConflict } from '../kube/api.ts'

/** What has failed in a run that goes on all the same: it is told in the status, and thrown when that is written. */
export class Failures {
  readonly #errors: unknown[] = []

  get isEmpty(): boolean {
    return this.#errors.length === 0
  }

  /** Gives null where `work` rejects. */
  async run<T>(work: () => Promise<T>): Promise<T | null> {
    try {
      return await work()
    } catch (error) {
      this.#errors.push(error)
      return null
    }
  }

  /** Throws where nothing has happened but that somebody else was quicker: the next run finds nothing to tell of it. */
  throwConflicts(): void {
    if (this.#errors.every(isConflict)) this.throwAny()
  }

  /** What starts the next run, later each time. All of it: one that lasts must not hide the others from the log. */
  throwAny(): void {
    if (this.#errors.length > 1) throw new AggregateError(this.#errors, this.#errors.map(wordsOf).join('; '))
    if (this.#errors.length === 1) throw this.#errors[0]
  }

  /** `health`, and what has failed besides: what has not been brought to its spec is not ready. */
  over(health: Health): Health {
    const [first] = this.#errors
    if (first === undefined || health.state === 'stalled') return health
    const words = `tried again: ${wordsOf(first)}`
    if (health.state === 'ready') return { state: 'progressing', reason: 'ReconcileFailed', message: words }
    return { ...health, message: `${health.message}; ${words}` }
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
