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

export interface PartitionShortage extends PartitionBlock {
  /** How many replicas it is about to have; null: no more than now. */
  readonly risesTo: number | null
}

/**
 * What goes on without some nodes. Pure questions about one state of Kafka. A partition that is about to have more replicas may need all of
 * those that it has until it has them: they come, so it is not one that cannot be helped.
 */
export class Availability {
  readonly #kafka: KafkaState
  readonly #factors: ReadonlyMap<string, number>
  /** The partitions that each broker has a replica of. */
  readonly #hosted = new Map<number, PartitionState[]>()
  readonly #lagging = new Set<number>()

  /** `factors`: replication factors that topics are about to have, also where nothing is copied for it yet. */
  constructor(kafka: KafkaState, factors: ReadonlyMap<string, number> = new Map()) {
    this.#kafka = kafka
    this.#factors = factors
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
   * more replicas than min ISR, and no more come, all but one have to do.
   */
  partitionsBelow(id: number, others: ReadonlySet<number>): PartitionShortage[] {
    return this.#partitionsOf(id)
      .filter((partition) => {
        const left = partition.isr.filter((replica) => replica !== id && !others.has(replica)).length
        return partition.isr.includes(id) && left < this.#needed(partition)
      })
      .map((one) => {
        const { topic, partition, isr, minIsr } = one
        const replicas = this.#replicasOf(one)
        return { topic, partition, isr, minIsr, risesTo: replicas > settledReplicas(one).length ? replicas : null }
      })
  }

  /** Whether there is a broker that cannot go now without leaving a partition with too few replicas in sync. */
  needsEveryBroker(): boolean {
    return this.#kafka.partitions.some((partition) => partition.isr.length - 1 < this.#needed(partition))
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

  /** In-sync replicas that have to be left. */
  #needed(partition: PartitionState): number {
    return Math.min(partition.minIsr, this.#replicasOf(partition) - 1)
  }

  /** How many it has or is about to have. What is copied to a broker that is away may never come. */
  #replicasOf(partition: PartitionState): number {
    const { topic, replicas, adding, removing } = partition
    const isComing = adding.every((id) => this.#kafka.brokers.has(id))
    const target = isComing ? replicas.length - removing.length : 0
    return Math.max(settledReplicas(partition).length, target, this.#factors.get(topic) ?? 0)
  }

  #partitionsOf(id: number): readonly PartitionState[] {
    return this.#hosted.get(id) ?? []
  }
}

/** Those that are not only on their way here. */
function settledReplicas({ replicas, adding }: PartitionState): readonly number[] {
  return adding.length === 0 ? replicas : replicas.filter((id) => !adding.includes(id))
}
