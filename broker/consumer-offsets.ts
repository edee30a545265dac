import { EndOffsets } from './client/end-offsets.ts'
import type { GroupCoordinator } from './coordinator/group/group-coordinator.ts'
import type { Clock } from './env/clock.ts'
import type { Network } from './env/network.ts'
import { type MetadataImage, NO_LEADER } from './metadata/image.ts'
import type { ReplicaManager } from './replication/replica-manager.ts'
import type { GroupOffsetSample } from './telemetry/group-gauges.ts'

export interface ConsumerOffsetsOptions {
  readonly nodeId: number
}

export interface ConsumerOffsetsDeps {
  readonly groups: Pick<GroupCoordinator, 'committedOffsets'>
  readonly replicas: Pick<ReplicaManager, 'get'>
  readonly image: () => MetadataImage
  /** inter.broker.listener.name */
  readonly listener: () => string
  readonly network: Network
  readonly clock: Clock
}

/** How long a scrape waits for other brokers; it may take twice as long where a connection hangs too. */
const ASK_MS_MAX = 1000

/** The offsets of the groups that this broker coordinates, beside the ends of their partitions, which others may lead. */
export class ConsumerOffsets implements Disposable {
  readonly #nodeId: number
  readonly #deps: ConsumerOffsetsDeps
  readonly #remote: EndOffsets

  constructor({ nodeId }: ConsumerOffsetsOptions, deps: ConsumerOffsetsDeps) {
    this.#nodeId = nodeId
    this.#deps = deps
    const partitionOf = (topic: string, index: number) => deps.image().topic(topic)?.partitions[index]
    this.#remote = new EndOffsets(
      { clientId: `broker-${nodeId}-consumer-lag`, timeoutMs: ASK_MS_MAX },
      {
        ...deps,
        leaderOf: (topic, index) => {
          const leader = partitionOf(topic, index)?.leader ?? NO_LEADER
          return leader === NO_LEADER || leader === this.#nodeId ? undefined : leader
        },
        addressOf: (id) =>
          deps
            .image()
            .brokers.get(id)
            ?.endpoints.find(({ name }) => name === deps.listener()),
      },
    )
  }

  /** Asks the other brokers for the ends of what they lead. Never rejects. */
  refresh(): Promise<void> {
    return this.#remote.refresh(this.#deps.groups.committedOffsets())
  }

  *offsets(): Generator<GroupOffsetSample> {
    for (const { groupId, topic, partition, offset } of this.#deps.groups.committedOffsets()) {
      yield { group: groupId, topic, partition, offset: Number(offset), endOffset: this.#endOffset(topic, partition) }
    }
  }

  /** Where the leader does not answer, a replica here knows it up to a fetch. */
  #endOffset(topic: string, partition: number): number | undefined {
    const local = this.#deps.replicas.get(topic, partition)
    if (local?.isLeader === true) return local.log.highWatermark
    return this.#remote.get(topic, partition) ?? local?.log.highWatermark
  }

  [Symbol.dispose](): void {
    this.#remote[Symbol.dispose]()
  }
}
