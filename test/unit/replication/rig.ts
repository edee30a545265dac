import type { ErrorCode } from '../../../broker/protocol/errors.ts'
import { type AppendRules, Partition, type PartitionState } from '../../../broker/replication/partition.ts'
import { batchOf, LogBed, NO_COMPUTE, type TestBatch } from '../storage/fixture.ts'

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

export function stateOf(changes: Partial<PartitionState> = {}): PartitionState {
  return { leader: NODE, leaderEpoch: 3, partitionEpoch: 0, replicas: [NODE], isr: [NODE], ...changes }
}

/** A partition on a simulated disk. What is appended is on the disk after `write`. */
export class PartitionRig {
  readonly bed: LogBed
  readonly partition: Partition

  private constructor(bed: LogBed, partition: Partition) {
    this.bed = bed
    this.partition = partition
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
    return new PartitionRig(bed, new Partition(options, { compute: NO_COMPUTE, wallMs: () => NOW }))
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
