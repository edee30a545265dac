import type { AdminClient } from '../../broker/client/admin-client.ts'
import { describeAllTopics } from '../../broker/client/admin-topics.ts'
import { KafkaError } from '../../broker/client/kafka-error.ts'
import type { Clock } from '../../broker/env/clock.ts'
import { RecentMoves } from './moves.ts'
import { oneBroker, SilentBroker } from './one-broker.ts'
import type { Runner } from './one-broker.ts'
import { readKafkaState } from './read-state.ts'
import type { KafkaState } from './state.ts'

interface Options {
  /** No other broker is tried after this. */
  readonly timeoutMs: number
}

interface Deps {
  readonly client: Pick<AdminClient, 'run' | 'describeCluster'>
  readonly clock: Clock
}

/** A broker that is further behind with the metadata log than this has old news, in ms. */
const LAG_MAX_MS = 10_000
/** Where so many are behind, it is not the brokers: by then nobody may have caught up with a new leader as far as that knows. */
const BEHIND_MAX = 2

/**
 * Looks at a cluster through the eyes of one broker at a time: each has the metadata up to another offset, and answers of several would make a
 * state that never was. It stays with one that answers, so that what it sees does not go back in time.
 */
export class Looker {
  readonly #options: Options
  readonly #deps: Deps
  /** The one that answered last. */
  #brokerId: number | null = null
  /** The one that was asked before that. */
  #left = -1
  readonly #moves = new RecentMoves()

  constructor(options: Options, deps: Deps) {
    this.#options = options
    this.#deps = deps
  }

  /** How everything is. Rejects with KafkaError. */
  async look(): Promise<KafkaState> {
    return this.#moves.complete(await this.#read(readKafkaState, isBehind), this.#deps.clock.monotonicMs())
  }

  /** The partitions that have no leader or a replica that is not in sync: a word that is the same as long as these are. Rejects with KafkaError. */
  shortage(): Promise<string> {
    return this.#read(readShortage, () => false)
  }

  /** Where a broker does not answer, or what it says is `old`, another one is asked for everything. */
  async #read<T>(read: (one: Runner) => Promise<T>, old: (result: T, brokerId: number) => boolean): Promise<T> {
    const deadlineMs = this.#deps.clock.monotonicMs() + this.#options.timeoutMs
    const tried = new Set<number>()
    const results: T[] = []
    for (;;) {
      const brokerId = await this.#next(tried)
      if (brokerId === null) return this.#settle(results, tried)
      tried.add(brokerId)
      try {
        const result = await read(oneBroker(this.#deps.client, brokerId))
        if (!old(result, brokerId)) return result
        if (results.push(result) >= BEHIND_MAX) return result
        this.#leave(brokerId)
      } catch (error) {
        this.#leave(brokerId)
        if (!(error instanceof SilentBroker) || this.#deps.clock.monotonicMs() >= deadlineMs) throw error
      }
    }
  }

  #leave(brokerId: number): void {
    this.#brokerId = null
    this.#left = brokerId
  }

  /** The one to ask, or null: one after the other, so that nobody is asked again and again who cannot answer. */
  async #next(tried: ReadonlySet<number>): Promise<number | null> {
    if (this.#brokerId !== null) return this.#brokerId
    const { brokers } = await this.#deps.client.describeCluster()
    const ids = brokers.map(({ id }) => id).filter((id) => !tried.has(id))
    ids.sort((a, b) => a - b)
    this.#brokerId = ids.find((id) => id > this.#left) ?? ids[0] ?? null
    return this.#brokerId
  }

  /** Old news are better than none. */
  #settle<T>([result]: readonly T[], tried: ReadonlySet<number>): T {
    if (result !== undefined) return result
    throw KafkaError.network(
      tried.size === 0 ? 'no broker is registered' : `brokers ${[...tried].join(', ')} do not answer`,
    )
  }
}

function isBehind({ quorum }: KafkaState, brokerId: number): boolean {
  const replica = [...quorum.voters, ...quorum.observers].find(({ id }) => id === brokerId)
  return replica?.lagMs === undefined || replica.lagMs === null || replica.lagMs > LAG_MAX_MS
}

async function readShortage(one: Runner): Promise<string> {
  const short: string[] = []
  for await (const page of describeAllTopics(one)) {
    for (const { topic, partition, leader, replicas, isr } of page) {
      if (leader >= 0 && isr.length === replicas.length) continue
      short.push(`${topic}-${partition} ${leader < 0 ? 'offline' : isr.join()}`)
    }
  }
  return short.join('\n')
}
