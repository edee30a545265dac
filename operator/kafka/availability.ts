import type { KafkaState, PartitionState } from './state.ts'

/** A voter that is further behind than this does not count for a majority, in ms: several times what a healthy one is. */
const LAG_MAX_MS = 10_000

/** What a partition lacks. */
export interface PartitionBlock {
  readonly topic: string
  readonly partition: number
  readonly isr: readonly number[]
  readonly minIsr: number
}

/** What goes on without some nodes. Pure questions about one state of Kafka. */
export class Availability {
  readonly #kafka: KafkaState
  /** The partitions that each broker has a replica of. */
  readonly #hosted = new Map<number, PartitionState[]>()
  readonly #lagging = new Set<number>()

  constructor(kafka: KafkaState) {
    this.#kafka = kafka
    for (const partition of kafka.partitions) {
      for (const id of partition.replicas) {
        const hosted = this.#hosted.get(id)
        if (hosted === undefined) this.#hosted.set(id, [partition])
        else hosted.push(partition)
      }
      for (const id of settledReplicas(partition)) if (!partition.isr.includes(id)) this.#lagging.add(id)
    }
  }

  /** Whether the broker is registered and every replica of it is in sync. */
  isBrokerWhole(id: number): boolean {
    return this.#kafka.brokers.has(id) && !this.#lagging.has(id)
  }

  isRegistered(id: number): boolean {
    return this.#kafka.brokers.has(id)
  }

  /** Whether it has all of the metadata log, where it is a voter. */
  isVoterWhole(id: number): boolean {
    const voter = this.#kafka.quorum.voters.find((candidate) => candidate.id === id)
    return voter === undefined || (voter.lagMs !== null && voter.lagMs <= LAG_MAX_MS)
  }

  isActiveController(id: number): boolean {
    return this.#kafka.quorum.leaderId === id
  }

  /**
   * Partitions that `id` is in sync of and that would have fewer in-sync replicas than they need without it and `others`. Where there are no
   * more replicas than min ISR, all but one have to do.
   */
  partitionsBelow(id: number, others: ReadonlySet<number>): PartitionBlock[] {
    return this.#partitionsOf(id)
      .filter((partition) => {
        const left = partition.isr.filter((replica) => replica !== id && !others.has(replica)).length
        return partition.isr.includes(id) && left < needed(partition)
      })
      .map(({ topic, partition, isr, minIsr }) => ({ topic, partition, isr, minIsr }))
  }

  /** Whether there is a broker that cannot go now without leaving a partition with too few replicas in sync. */
  needsEveryBroker(): boolean {
    return this.#kafka.partitions.some((partition) => partition.isr.length - 1 < needed(partition))
  }

  /** Whether there is a voter that cannot go now without ending the quorum's majority. */
  needsEveryController(): boolean {
    const { voters } = this.#kafka.quorum
    const whole = voters.filter(({ id }) => this.isVoterWhole(id))
    return whole.length > 0 && this.quorumWithout(whole[0]?.id ?? -1, new Set()) !== null
  }

  /** Partitions of `id` that cannot be written without it, whatever is done: they have no more replicas than min ISR. */
  unavoidable(id: number): PartitionState[] {
    return this.#partitionsOf(id).filter((partition) => settledReplicas(partition).length <= partition.minIsr)
  }

  sharesPartition(id: number, others: ReadonlySet<number>): boolean {
    return this.#partitionsOf(id).some(({ replicas }) => replicas.some((replica) => others.has(replica)))
  }

  /** Whether the quorum goes on without the voter `id` and `others`; a quorum of one or two needs all others. Null: it does; else why not. */
  quorumWithout(id: number, others: ReadonlySet<number>): string | null {
    const { voters } = this.#kafka.quorum
    if (!voters.some((voter) => voter.id === id)) return null
    const majority = Math.floor(voters.length / 2) + 1
    const left = voters.filter((voter) => voter.id !== id && !others.has(voter.id) && this.isVoterWhole(voter.id))
    if (left.length >= Math.min(majority, voters.length - 1)) return null
    return `without it ${left.length} of ${voters.length} voters are caught up, ${majority} are needed`
  }

  #partitionsOf(id: number): readonly PartitionState[] {
    return this.#hosted.get(id) ?? []
  }
}

/** In-sync replicas that have to be left. */
function needed(partition: PartitionState): number {
  return Math.min(partition.minIsr, settledReplicas(partition).length - 1)
}

/** Those that are not only on their way here. */
function settledReplicas({ replicas, adding }: PartitionState): readonly number[] {
  return adding.length === 0 ? replicas : replicas.filter((id) => !adding.includes(id))
}
