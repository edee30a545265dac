import type { Clock } from '../env/clock.ts'
import type { ReplicaKey } from './state.ts'

/** How far a replica of the log was when it last fetched from this leader. Times are in ms since the epoch; -1: never. */
export interface Progress {
  readonly replica: ReplicaKey
  readonly endOffset: number
  readonly lastFetchMs: number
  /** When it last had all that the leader had then. */
  readonly lastCaughtUpMs: number
  /** Where the leader's log ended at that fetch. */
  readonly leaderEndOffset: number
}

/** Observers that have not fetched for so long are gone; as in Apache Kafka. */
const OBSERVER_SESSION_MS = 300_000

/** Of voters and observers alike, for DescribeQuorum and for those who want to become voters. */
export class ReplicaProgress {
  readonly #clock: Clock
  readonly #replicas = new Map<string, Progress>()

  constructor(deps: { readonly clock: Clock }) {
    this.#clock = deps.clock
  }

  fetched(replica: ReplicaKey, endOffset: number, leaderEndOffset: number): void {
    const nowMs = this.#clock.wallMs()
    const before = this.get(replica)
    // Observers come and go, also where nobody ever asks for the list.
    if (before === undefined) this.#forgetSilent(nowMs)
    // It had all of the log as it was at its last fetch: then it was caught up.
    const caughtUpMs = before !== undefined && endOffset >= before.leaderEndOffset ? before.lastFetchMs : -1
    const lastCaughtUpMs = endOffset >= leaderEndOffset ? nowMs : Math.max(caughtUpMs, before?.lastCaughtUpMs ?? -1)
    this.#replicas.set(keyOf(replica), { replica, endOffset, lastFetchMs: nowMs, lastCaughtUpMs, leaderEndOffset })
  }

  get(replica: ReplicaKey): Progress | undefined {
    return this.#replicas.get(keyOf(replica))
  }

  /** All that fetched lately. */
  list(): Progress[] {
    this.#forgetSilent(this.#clock.wallMs())
    return [...this.#replicas.values()]
  }

  #forgetSilent(nowMs: number): void {
    for (const [key, { lastFetchMs }] of this.#replicas) {
      if (nowMs - lastFetchMs > OBSERVER_SESSION_MS) this.#replicas.delete(key)
    }
  }

  /** A new epoch: what is known is of another leader. */
  clear(): void {
    this.#replicas.clear()
  }
}

function keyOf({ id, directoryId }: ReplicaKey): string {
  return `${id} ${directoryId}`
}
