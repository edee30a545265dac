import type { Clock } from '../env/clock.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Cluster } from './cluster.ts'
import { balanceLeaders, electUncleanLeaders } from './leader-balance.ts'
import { PeriodicTask } from './periodic-task.ts'
import type { Outcome } from './result.ts'

export interface MaintenanceOptions {
  /** broker.session.timeout.ms. */
  readonly brokerSessionTimeoutMs: number
  /** metadata.max.idle.interval.ms; 0 writes no NoOpRecord. */
  readonly maxIdleIntervalMs: number
  /** leader.imbalance.check.interval.seconds; 0 where auto.leader.rebalance.enable is false. */
  readonly leaderImbalanceCheckIntervalMs: number
}

export interface MaintenanceDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly change: <R>(decide: (cluster: Cluster) => Outcome<R>) => Promise<R>
  readonly idleMs: () => number
  readonly fenceSilent: (intervalMs: number) => void
}

/** Kafka's: unclean.leader.election.enable may have been set since. */
const UNCLEAN_ELECTION_INTERVAL_MS = 300_000
/** Sessions are looked at this many times in a time-out. */
const SESSION_CHECKS = 8
/** After how long a run that did not finish goes on, ms: others have their turn before. */
const CONTINUE_MS = 10

/** What the active controller does without being asked. */
export class Maintenance {
  readonly #options: MaintenanceOptions
  readonly #deps: MaintenanceDeps
  readonly #uncleanElections: PeriodicTask
  readonly #tasks: readonly PeriodicTask[]

  constructor(options: MaintenanceOptions, deps: MaintenanceDeps) {
    this.#options = options
    this.#deps = deps
    const { brokerSessionTimeoutMs, maxIdleIntervalMs, leaderImbalanceCheckIntervalMs } = options
    this.#uncleanElections = this.#task(UNCLEAN_ELECTION_INTERVAL_MS, () => this.#elect(electUncleanLeaders))
    const sessionCheckMs = Math.max(1, brokerSessionTimeoutMs / SESSION_CHECKS)
    this.#tasks = [
      this.#uncleanElections,
      this.#task(sessionCheckMs, () => this.#checkSessions(sessionCheckMs)),
      ...(maxIdleIntervalMs > 0 ? [this.#task(maxIdleIntervalMs, () => this.#keepGrowing())] : []),
      ...(leaderImbalanceCheckIntervalMs > 0
        ? [this.#task(leaderImbalanceCheckIntervalMs, () => this.#elect(balanceLeaders))]
        : []),
    ]
  }

  start(): void {
    for (const task of this.#tasks) task.start()
  }

  stop(): void {
    for (const task of this.#tasks) task.stop()
  }

  /** unclean.leader.election.enable has been set somewhere: partitions without a leader need not wait. */
  electUncleanSoon(): void {
    this.#uncleanElections.soon()
  }

  #task(intervalMs: number, work: () => Promise<number | null>): PeriodicTask {
    const run = async () => {
      try {
        return await work()
      } catch (error) {
        this.#deps.logger.warn({ err: error }, 'The controller could not do its regular work')
        return null
      }
    }
    return new PeriodicTask({ intervalMs }, { clock: this.#deps.clock, run })
  }

  async #elect(decide: (cluster: Cluster) => Outcome<boolean>): Promise<number | null> {
    return (await this.#deps.change(decide)) ? CONTINUE_MS : null
  }

  async #checkSessions(intervalMs: number): Promise<null> {
    this.#deps.fenceSilent(intervalMs)
    return null
  }

  /** KIP-835: an idle log still grows, so that a replica that is behind can be told from one that has nothing to read. */
  async #keepGrowing(): Promise<number> {
    const { maxIdleIntervalMs } = this.#options
    const idleMs = this.#deps.idleMs()
    if (idleMs < maxIdleIntervalMs) return maxIdleIntervalMs - idleMs
    await this.#deps.change(() => ({ records: [{ type: 'NoOpRecord', version: 0, value: {} }], response: null }))
    return maxIdleIntervalMs
  }
}
