import { LEADER_DEFAULTS, LeaderElection } from './kube/leader.ts'
import { Leadership } from './leadership.ts'
import type { LeadershipDeps, LeadershipOptions } from './leadership.ts'

export interface OperatorOptions extends LeadershipOptions {
  /** Where the Lease is; null: this is the only operator, and leads at once. */
  readonly lease: { readonly namespace: string; readonly name: string } | null
}

export type OperatorDeps = LeadershipDeps

/** Does all of its work only while this process leads. */
export class Operator {
  readonly #options: OperatorOptions
  readonly #deps: OperatorDeps

  constructor(options: OperatorOptions, deps: OperatorDeps) {
    this.#options = options
    this.#deps = deps
  }

  /** Runs until `signal` aborts ('ended') or the lease is lost ('lost': the process should end, and another one begin). */
  async run(signal: AbortSignal): Promise<'lost' | 'ended'> {
    const { lease, identity } = this.#options
    if (lease === null) {
      await this.#lead(signal)
      return 'ended'
    }
    const election = new LeaderElection({ ...lease, identity, ...LEADER_DEFAULTS }, this.#deps)
    return election.run((leading) => this.#lead(leading), signal)
  }

  async #lead(signal: AbortSignal): Promise<void> {
    this.#deps.metrics.leading(true)
    try {
      const leadership = new Leadership(this.#options, this.#deps, signal)
      this.#deps.metrics.watch(leadership)
      await leadership.run()
    } finally {
      this.#deps.metrics.watch(null)
      this.#deps.metrics.leading(false)
    }
  }
}
