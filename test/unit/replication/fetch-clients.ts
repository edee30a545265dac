import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { ZERO_UUID } from '../../../broker/lib/uuid.ts'
import type { FetchedPartition, FetchLimits } from '../../../broker/replication/fetch-read.ts'
import { FetchSessions } from '../../../broker/replication/fetch-session.ts'
import type { SessionPartition } from '../../../broker/replication/fetch-target.ts'
import { FetchTargets } from '../../../broker/replication/fetch-targets.ts'
import { fetch, type Fetched } from '../../../broker/replication/fetch.ts'
import type { IsrProposal } from '../../../broker/replication/isr.ts'
import { Partition, type PartitionDeps } from '../../../broker/replication/partition.ts'
import type { PartitionState } from '../../../broker/replication/partition-state.ts'
import { SimClock } from '../../fakes/clock.ts'
import { SimRandom } from '../../fakes/random.ts'
import { batchOf, LogBed, valuesOf } from '../storage/fixture.ts'
import { NODE, PARTITION_DEPS, RULES, stateOf } from './rig.ts'

export const FOLLOWER = 2
const TOPIC_ID = 'cAh3nFQcTQ2nM9yNrl0Ghg'

/** Partitions of one topic on one broker, by their index. */
export class FetchBed {
  readonly clock = new SimClock()
  readonly partitions: Partition[] = []
  readonly proposals: (readonly [partition: number, proposal: IsrProposal])[] = []
  /** Brokers that are not fit for the ISR. */
  readonly fenced = new Set<number>()
  readonly #deps: PartitionDeps = {
    ...PARTITION_DEPS,
    monotonicMs: () => this.clock.monotonicMs(),
    isEligible: (brokerId) => !this.fenced.has(brokerId),
    proposeIsr: ({ log }, proposal) => void this.proposals.push([log.partition, proposal]),
  }

  static async open(count: number, state: Partial<PartitionState> = {}): Promise<FetchBed> {
    const bed = new FetchBed()
    for (let index = 0; index < count; index++) {
      const log = await new LogBed().open({}, { directory: `/data/orders-${index}`, partition: index })
      bed.#host(log, stateOf(state))
    }
    return bed
  }

  partition(index: number): Partition {
    const partition = this.partitions[index]
    if (partition === undefined) throw new Error(`no partition ${index}`)
    return partition
  }

  #host(log: Partition['log'], state: PartitionState): void {
    const options = { nodeId: NODE, topicId: TOPIC_ID, state, rules: RULES, log }
    this.partitions[log.partition] = new Partition(options, this.#deps)
  }

  /** The replica goes, and comes back with the same log. */
  replace(index: number): void {
    const { log, state } = this.partition(index)
    this.partition(index).remove(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    this.#host(log, state)
  }

  /** As the metadata log has it from now on. */
  update(index: number, changes: Partial<PartitionState>): void {
    const { state } = this.partition(index)
    this.partition(index).update({ ...state, partitionEpoch: state.partitionEpoch + 1, ...changes })
  }

  /** Appends where this broker leads; in the file only after `write`. */
  stage(index: number, value: string): void {
    void this.partition(index).append(batchOf({ values: [value] }), false)
  }

  write(index: number): void {
    this.partition(index).log.writeStaged()
  }

  append(index: number, value: string): void {
    this.stage(index, value)
    this.write(index)
  }
}

/** What an answer has of one partition. */
export interface Answered extends Omit<FetchedPartition, 'buffers'> {
  readonly partition: number
  readonly values: readonly string[]
}

/** What changes in a session with a fetch. */
export interface Changes {
  readonly named?: readonly SessionPartition[]
  readonly forgotten?: readonly number[]
}

/** From the end of an empty log, without epochs, but for `changes`. */
export function naming(partition: number, changes: Partial<SessionPartition> = {}): SessionPartition {
  const epochs = { currentLeaderEpoch: -1, lastFetchedEpoch: -1, logStartOffset: 0 }
  return { topic: 'orders', topicId: ZERO_UUID, partition, fetchOffset: 0, maxBytes: 1 << 20, ...epochs, ...changes }
}

export const CONSUMER: FetchLimits = { minBytes: 1, maxBytes: 1 << 20, maxWaitMs: 0, readCommitted: false }
export const REPLICA: FetchLimits = { ...CONSUMER, replica: { brokerId: FOLLOWER, brokerEpoch: 7 } }

/** One client with a fetch session, as the handler serves it. */
export class SessionClient {
  /** Partitions that the last fetch looked at. */
  visits = 0
  /** Ends the last fetch as if the client were gone. */
  leave: () => void = () => {}
  readonly #bed: FetchBed
  readonly #sessions: FetchSessions
  #sessionId = 0
  #epoch = 0

  constructor(bed: FetchBed) {
    this.#bed = bed
    this.#sessions = new FetchSessions({ slots: 1 }, { clock: bed.clock, random: new SimRandom(1) })
  }

  /** The next fetch names everything. */
  restart(): void {
    this.#epoch = 0
  }

  /** The next fetch is without a session. */
  finish(): void {
    this.#epoch = -1
  }

  async fetch({ named = [], forgotten = [] }: Changes, limits: FetchLimits): Promise<readonly Answered[]> {
    const context = this.#sessions.open({
      sessionId: this.#sessionId,
      sessionEpoch: this.#epoch,
      usesTopicIds: false,
      isFollower: limits.replica !== undefined,
      partitions: named,
      forgotten: forgotten.map((index) => naming(index)),
    })
    if (context.error !== ErrorCode.NONE) throw new Error(`the session is refused: ${context.error}`)
    this.#sessionId = context.sessionId
    this.#epoch++
    const { clock, partitions } = this.#bed
    this.visits = 0
    const find = ({ partition }: SessionPartition): Partition | ErrorCode => {
      this.visits++
      return partitions[partition] ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    }
    const fetched = await fetch(context.targets, limits, { clock, find }, (gone) => (this.leave = gone))
    return [...fetched]
      .filter(([target, result]) => context.includes(target, result))
      .map(([{ asked }, result]) => answered(asked.partition, result))
  }
}

function answered(partition: number, { buffers, ...rest }: FetchedPartition): Answered {
  return { ...rest, partition, values: valuesOf({ buffers, sizeInBytes: rest.sizeInBytes } as never) }
}

interface Known {
  asked: SessionPartition
  highWatermark: number
  logStartOffset: number
}

/**
 * The same client on a broker that keeps nothing of a session but what it was asked and what it told: every fetch looks at every partition,
 * tells its leader where the follower is, and leaves out of the answer what is as it was told (KIP-227).
 */
export class FullVisitClient {
  leave: () => void = () => {}
  readonly #bed: FetchBed
  #known = new Map<number, Known>()
  #isFull = true

  constructor(bed: FetchBed) {
    this.#bed = bed
  }

  restart(): void {
    this.#isFull = true
    this.#known = new Map()
  }

  async fetch({ named = [], forgotten = [] }: Changes, limits: FetchLimits): Promise<readonly Answered[]> {
    const isFull = this.#isFull
    this.#isFull = false
    for (const asked of named) {
      const known = this.#known.get(asked.partition)
      if (known === undefined) this.#known.set(asked.partition, { asked, highWatermark: -1, logStartOffset: -1 })
      else known.asked = asked
    }
    for (const index of forgotten) this.#known.delete(index)
    const fetched = await this.#visitAll(limits)
    return [...fetched]
      .filter(([{ asked }, result]) => this.#includes(asked.partition, result, isFull))
      .map(([{ asked }, result]) => answered(asked.partition, result))
  }

  #visitAll(limits: FetchLimits): Fetched | Promise<Fetched> {
    const targets = new FetchTargets({ isKept: false })
    for (const { asked } of this.#known.values()) targets.ask(String(asked.partition), asked)
    const { clock, partitions } = this.#bed
    const find = ({ partition }: SessionPartition): Partition | ErrorCode =>
      partitions[partition] ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    return fetch(targets, limits, { clock, find }, (gone) => (this.leave = gone))
  }

  #includes(index: number, result: FetchedPartition, isFull: boolean): boolean {
    const known = this.#known.get(index)
    if (known === undefined) return isFull
    const { error, highWatermark, logStartOffset, sizeInBytes, diverging, preferredReadReplica } = result
    const hasMoved = known.highWatermark !== highWatermark || known.logStartOffset !== logStartOffset
    known.highWatermark = error === ErrorCode.NONE ? highWatermark : -1
    known.logStartOffset = logStartOffset
    if (isFull) return true
    if (sizeInBytes > 0) {
      this.#known.delete(index)
      this.#known.set(index, known)
    }
    const isEmpty = error === ErrorCode.NONE && sizeInBytes === 0 && diverging === undefined
    return hasMoved || !isEmpty || preferredReadReplica >= 0
  }
}
