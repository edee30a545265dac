import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { Partition } from '../replication/partition.ts'
import type { ReplicaManager } from '../replication/replica-manager.ts'
import type { Handler } from './handler.ts'

export interface OffsetForLeaderEpochDeps {
  readonly replicas: ReplicaManager
}

const UNDEFINED = -1

/** OffsetForLeaderEpoch (23), v2 to v4: where an epoch ended on this leader (KIP-101, KIP-279). */
export function offsetForLeaderEpochHandler(
  deps: OffsetForLeaderEpochDeps,
): Handler<typeof ApiKey.OffsetForLeaderEpoch> {
  return {
    key: ApiKey.OffsetForLeaderEpoch,
    handle: (request) => ({
      throttleTimeMs: 0,
      topics: request.topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }) => {
          const end = endOffset(deps.replicas.find(topic, partition), currentLeaderEpoch, leaderEpoch)
          return { errorCode: end.error, partition, leaderEpoch: end.epoch, endOffset: BigInt(end.endOffset) }
        }),
      })),
    }),
  }
}

function endOffset(
  partition: Partition | ErrorCode,
  currentLeaderEpoch: number,
  leaderEpoch: number,
): { error: ErrorCode; epoch: number; endOffset: number } {
  const error = typeof partition === 'number' ? partition : partition.checkLeader(currentLeaderEpoch)
  if (error !== ErrorCode.NONE || typeof partition === 'number')
    return { error, epoch: UNDEFINED, endOffset: UNDEFINED }
  const { log } = partition
  return { error, ...log.leaderEpochs.endOffsetFor(leaderEpoch, log.logEndOffset) }
}
