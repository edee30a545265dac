import type { ServerConfig } from '../config/server-config.ts'
import type { Clock } from '../env/clock.ts'
import type { Address, Network } from '../env/network.ts'
import type { FrameMemory } from '../protocol/frame-decoder.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { LeaderLink } from './leader-link.ts'
import type { Partition } from './partition.ts'
import { ReplicaFetcher } from './replica-fetcher.ts'
import type { FollowerThrottle } from './throttle.ts'

export interface FetcherManagerDeps {
  readonly network: Network
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly throttle: FollowerThrottle
  readonly server: () => ServerConfig
  readonly brokerEpoch: () => number
  readonly memory: FrameMemory
  readonly addressOf: (brokerId: number) => Address | undefined
}

interface Assignment {
  readonly fetcher: ReplicaFetcher
  readonly name: string
  readonly leaderEpoch: number
}

const NO_LEADER = -1

/** The fetchers of this broker: for each leader num.replica.fetchers, among which its partitions are divided. */
export class FetcherManager {
  readonly #nodeId: number
  readonly #deps: FetcherManagerDeps
  readonly #fetchers = new Map<string, ReplicaFetcher>()
  readonly #assigned = new Map<Partition, Assignment>()
  #closed = false

  constructor(options: { readonly nodeId: number }, deps: FetcherManagerDeps) {
    this.#nodeId = options.nodeId
    this.#deps = deps
  }

  /** Fetches a partition from the leader that its state names, in its epoch; or not at all, where that is this broker or nobody. */
  follow(partition: Partition): void {
    // The metadata goes on while the broker stops.
    if (this.#closed) return
    const { leader, leaderEpoch } = partition.state
    if (leader === NO_LEADER || leader === this.#nodeId || partition.isOffline) {
      this.stop(partition)
      return
    }
    const name = `${leader}-${this.#fetcherOf(partition)}`
    const assigned = this.#assigned.get(partition)
    if (assigned?.name === name && assigned.leaderEpoch === leaderEpoch) return
    if (assigned !== undefined && assigned.name !== name) this.stop(partition)
    const fetcher = this.#fetchers.get(name) ?? this.#start(name, leader)
    this.#assigned.set(partition, { fetcher, name, leaderEpoch })
    fetcher.follow(partition, leaderEpoch)
  }

  stop(partition: Partition): void {
    const assigned = this.#assigned.get(partition)
    if (assigned === undefined) return
    this.#assigned.delete(partition)
    assigned.fetcher.unfollow(partition)
    if (assigned.fetcher.size > 0) return
    assigned.fetcher.close()
    this.#fetchers.delete(assigned.name)
  }

  /** Records behind the leader, of the partition that is furthest. */
  get maxLag(): number {
    return Math.max(0, ...[...this.#fetchers.values()].map(({ maxLag }) => maxLag))
  }

  /** Partitions that an error keeps from being fetched for now. */
  get failedCount(): number {
    let count = 0
    for (const fetcher of this.#fetchers.values()) count += fetcher.failedCount
    return count
  }

  close(): void {
    this.#closed = true
    for (const fetcher of this.#fetchers.values()) fetcher.close()
    this.#fetchers.clear()
    this.#assigned.clear()
  }

  #start(name: string, leader: number): ReplicaFetcher {
    const clientId = `broker-${this.#nodeId}-fetcher-${name.slice(name.indexOf('-') + 1)}`
    const requestTimeoutMs = this.#deps.server().replicaSocketTimeoutMs
    const link = new LeaderLink({ leaderId: leader, clientId, requestTimeoutMs }, this.#deps)
    const fetcher = new ReplicaFetcher({ brokerId: this.#nodeId }, { ...this.#deps, link })
    this.#fetchers.set(name, fetcher)
    return fetcher
  }

  #fetcherOf({ log }: Partition): number {
    let hash = 0
    for (let index = 0; index < log.topic.length; index++) hash = (hash * 31 + log.topic.charCodeAt(index)) | 0
    return Math.abs((hash * 31 + log.partition) | 0) % this.#deps.server().numReplicaFetchers
  }
}
