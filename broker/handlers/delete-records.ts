import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { Partition } from '../replication/partition.ts'
import type { ReplicaManager } from '../replication/replica-manager.ts'
import type { Handler } from './handler.ts'

export interface DeleteRecordsDeps {
  readonly replicas: ReplicaManager
}

/** Stands for the high watermark: delete everything that is committed. */
const HIGH_WATERMARK = -1n

/** DeleteRecords (21), v0 to v2: moves the log start offset (KIP-107). */
export function deleteRecordsHandler(deps: DeleteRecordsDeps): Handler<typeof ApiKey.DeleteRecords> {
  return {
    key: ApiKey.DeleteRecords,
    handle: (request) => ({
      throttleTimeMs: 0,
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: lastOfEach(partitions).map(({ partitionIndex, offset }) => {
          const { error, lowWatermark } = deleteBefore(deps.replicas.find(name, partitionIndex), offset)
          return { partitionIndex, errorCode: error, lowWatermark: BigInt(lowWatermark) }
        }),
      })),
    }),
  }
}

/** A partition that is named twice gets the last of its offsets, and one answer. */
function lastOfEach<P extends { readonly partitionIndex: number }>(partitions: readonly P[]): P[] {
  return [...new Map(partitions.map((partition) => [partition.partitionIndex, partition])).values()]
}

function deleteBefore(partition: Partition | ErrorCode, asked: bigint): { error: ErrorCode; lowWatermark: number } {
  const error = typeof partition === 'number' ? partition : partition.checkLeader(-1)
  if (error !== ErrorCode.NONE || typeof partition === 'number') return { error, lowWatermark: -1 }
  const { log, rules } = partition
  if (!rules.deletesRecords) return { error: ErrorCode.POLICY_VIOLATION, lowWatermark: -1 }
  const offset = asked === HIGH_WATERMARK ? log.highWatermark : Number(asked)
  if (offset < 0 || offset > log.highWatermark) return { error: ErrorCode.OFFSET_OUT_OF_RANGE, lowWatermark: -1 }
  log.incrementLogStartOffset(offset)
  return { error: ErrorCode.NONE, lowWatermark: log.logStartOffset }
}
