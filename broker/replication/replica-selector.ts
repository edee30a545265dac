import type { MetadataImage } from '../metadata/image.ts'
import type { Partition } from './partition.ts'

/** Kafka's class that selects by rack, the only one of its own that does not always take the leader. */
const RACK_AWARE = 'org.apache.kafka.common.replica.RackAwareReplicaSelector'
const NO_REPLICA = -1

/** Where a consumer had better read: the follower to go to, or -1 to stay. */
export type PreferredReplica = (partition: Partition, fetchOffset: number) => number

/** Sends consumers to an in-sync replica in their own rack that has what they ask for (KIP-392). */
export class ReplicaSelector {
  readonly #image: () => MetadataImage
  readonly #nodeId: number

  private constructor(options: { nodeId: number }, deps: { image: () => MetadataImage }) {
    this.#nodeId = options.nodeId
    this.#image = deps.image
  }

  /** Undefined where `replica.selector.class` names none that ever leaves the leader. */
  static of(
    className: string | null,
    options: { nodeId: number },
    deps: { image: () => MetadataImage },
  ): ReplicaSelector | undefined {
    return className === RACK_AWARE ? new ReplicaSelector(options, deps) : undefined
  }

  /** Undefined for a consumer without a rack, and for one in the rack of this broker: it never has to go elsewhere. */
  forConsumer(rack: string, listener: string): PreferredReplica | undefined {
    if (rack === '' || this.#image().brokers.get(this.#nodeId)?.rack === rack) return undefined
    return (partition, fetchOffset) => this.#select(partition, fetchOffset, rack, listener)
  }

  #select(partition: Partition, fetchOffset: number, rack: string, listener: string): number {
    if (!partition.isLeader) return NO_REPLICA
    const { brokers } = this.#image()
    const isNear = (id: number): boolean => {
      const broker = brokers.get(id)
      return broker?.rack === rack && !broker.isFenced && broker.endpoints.some(({ name }) => name === listener)
    }
    const [best] = partition.remotes
      .filter(({ brokerId }) => partition.state.isr.includes(brokerId) && isNear(brokerId))
      .filter(({ logStartOffset, logEndOffset }) => logStartOffset <= fetchOffset && logEndOffset >= fetchOffset)
      .toSorted((a, b) => b.logEndOffset - a.logEndOffset || a.brokerId - b.brokerId)
    return best?.brokerId ?? NO_REPLICA
  }
}
