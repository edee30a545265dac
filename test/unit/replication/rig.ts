import { ZERO_UUID } from '../../../broker/lib/uuid.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { IsrProposal } from '../../../broker/replication/isr.ts'
import type { AppendRules } from '../../../broker/replication/append-rules.ts'
import type { FindPartition, SessionPartition } from '../../../broker/replication/fetch-target.ts'
import { FetchTargets } from '../../../broker/replication/fetch-targets.ts'
import type { PartitionState } from '../../../broker/replication/partition-state.ts'
import { Partition, type PartitionDeps } from '../../../broker/replication/partition.ts'
import { batchOf, LogBed, NO_COMPUTE, type TestBatch } from '../storage/fixture.ts'

/** What a client wants of a partition, or of one that is not there. */
export interface Wanted extends Omit<SessionPartition, 'topic' | 'topicId' | 'partition'> {
  readonly partition: Partition | ErrorCode
}

/** From the beginning, without epochs, but for `changes`. */
export function asking(changes: Partial<Wanted> & Pick<Wanted, 'partition'>): Wanted {
  const epochs = { currentLeaderEpoch: -1, lastFetchedEpoch: -1, logStartOffset: -1 }
  return { fetchOffset: 0, maxBytes: 1 << 20, ...epochs, ...changes }
}

/** The targets of a client that wants all of these, once. */
export function targetsOf(wanted: readonly Wanted[]): FetchTargets {
  const targets = new FetchTargets({ isKept: false })
  for (const [index, each] of wanted.entries())
    targets.ask(String(index), { topic: '', topicId: ZERO_UUID, ...each, partition: index })
  return targets
}

export function finding(wanted: readonly Wanted[]): FindPartition {
  return ({ partition }) => wanted[partition]?.partition ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
}

export const NODE = 1
export const NOW = 1_700_000_000_000

export const RULES: AppendRules = {
  maxMessageBytes: 10_000,
  compacted: false,
  deletesRecords: true,
  timestampType: 'CreateTime',
  timestampBeforeMaxMs: 1e15,
  timestampAfterMaxMs: 1e15,
  minInSyncReplicas: 1,
}

export const LAG_MAX_MS = 30_000

/** Everybody is fit for the ISR, and nobody asks the controller. */
export const PARTITION_DEPS: PartitionDeps = {
  compute: NO_COMPUTE,
  wallMs: () => NOW,
  monotonicMs: () => 0,
  lagMaxMs: () => LAG_MAX_MS,
  isEligible: () => true,
  proposeIsr: () => {},
  onDamaged: () => {},
}

export function stateOf(changes: Partial<PartitionState> = {}): PartitionState {
  return { leader: NODE, leaderEpoch: 3, partitionEpoch: 0, replicas: [NODE], isr: [NODE], ...changes }
}

/** A partition on a simulated disk. What is appended is on the disk after `write`. */
export class PartitionRig {
  readonly bed: LogBed
  readonly partition: Partition
  /** What the controller was asked for. */
  readonly proposals: IsrProposal[]
  /** Brokers that are not fit for the ISR. */
  readonly fenced: Set<number>

  private constructor(bed: LogBed, partition: Partition, proposals: IsrProposal[], fenced: Set<number>) {
    this.bed = bed
    this.partition = partition
    this.proposals = proposals
    this.fenced = fenced
  }

  static async open(state: Partial<PartitionState> = {}, rules: Partial<AppendRules> = {}): Promise<PartitionRig> {
    const bed = new LogBed()
    const log = await bed.open()
    const options = {
      nodeId: NODE,
      topicId: 'cAh3nFQcTQ2nM9yNrl0Ghg',
      state: stateOf(state),
      rules: { ...RULES, ...rules },
      log,
    }
    const proposals: IsrProposal[] = []
    const fenced = new Set<number>()
    const deps = {
      ...PARTITION_DEPS,
      isEligible: (brokerId: number) => !fenced.has(brokerId),
      monotonicMs: () => bed.clock.monotonicMs(),
      proposeIsr: (_: Partition, proposal: IsrProposal) => void proposals.push(proposal),
    }
    return new PartitionRig(bed, new Partition(options, deps), proposals, fenced)
  }

  /** What the log has staged goes to the file, as at the end of a tick. */
  write(): void {
    this.partition.log.writeStaged()
  }

  /** Appends a batch of `values` and writes it; its base offset. */
  append(...values: string[]): number {
    const outcome = this.partition.append(batchOf({ values }), false)
    if (outcome instanceof Promise) throw new Error('an append that waits')
    this.write()
    return outcome.baseOffset
  }

  outcomeOf(batch: TestBatch, requireInSync = false): { error: ErrorCode; logStartOffset: number } {
    const outcome = this.partition.append(batchOf(batch), requireInSync)
    if (outcome instanceof Promise) throw new Error('an append that waits')
    return outcome
  }
}
