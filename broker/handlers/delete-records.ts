import type { Clock } from '../env/clock.ts'
import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { DeleteRecordsRequest } from '../protocol/messages/delete-records.ts'
import type { Partition } from '../replication/partition.ts'
import type { ReplicaManager } from '../replication/replica-manager.ts'
import type { RequestContext } from '../security/request-context.ts'
import { isInternalTopic } from './cluster-view.ts'
import type { Handler } from './handler.ts'

export interface DeleteRecordsDeps {
  readonly clock: Clock
  readonly replicas: ReplicaManager
}

/** Stands for the high watermark: delete everything that is committed. */
const HIGH_WATERMARK = -1n

/**
 * DeleteRecords (21), v0 to v2: moves the log start offset, and waits for the followers to do the same (KIP-107). Not of internal topics, whose
 * records coordinators still need, whoever leads them and whatever their cleanup.policy.
 */
export function deleteRecordsHandler(deps: DeleteRecordsDeps): Handler<typeof ApiKey.DeleteRecords> {
  return {
    key: ApiKey.DeleteRecords,
    handle: async (request, context) => {
      const topics = [...lastOfEach(request)].map(async ([name, offsets]) => ({
        name,
        partitions: await Promise.all(
          [...offsets].map(async ([partitionIndex, offset]) => {
            const found = deps.replicas.find(name, partitionIndex)
            const isRefused = isInternalTopic(name) && found !== ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
            const deleted = isRefused ? ErrorCode.INVALID_TOPIC_EXCEPTION : deleteBefore(found, offset)
            const { error, lowWatermark } = await followed(deleted, request.timeoutMs, { ...deps, context })
            return { partitionIndex, errorCode: error, lowWatermark: BigInt(lowWatermark) }
          }),
        ),
      }))
      return { throttleTimeMs: 0, topics: await Promise.all(topics) }
    },
  }
}

interface Result {
  readonly error: ErrorCode
  readonly lowWatermark: number
}

/** What this leader has deleted, and the followers are still to delete. */
interface Deleted {
  readonly partition: Partition
  readonly offset: number
}

/** The offsets by topic and partition: a partition that is named twice gets the last of its own, and one answer. */
function lastOfEach({ topics }: DeleteRecordsRequest): Map<string, Map<number, bigint>> {
  const byTopic = new Map<string, Map<number, bigint>>()
  for (const { name, partitions } of topics) {
    if (partitions.length === 0) continue
    const offsets = byTopic.get(name) ?? new Map<number, bigint>()
    byTopic.set(name, offsets)
    for (const { partitionIndex, offset } of partitions) offsets.set(partitionIndex, offset)
  }
  return byTopic
}

function deleteBefore(partition: Partition | ErrorCode, asked: bigint): Deleted | ErrorCode {
  const error = typeof partition === 'number' ? partition : partition.checkLeader(-1)
  if (error !== ErrorCode.NONE || typeof partition === 'number') return error
  const { log, rules } = partition
  if (!rules.deletesRecords) return ErrorCode.POLICY_VIOLATION
  const offset = asked === HIGH_WATERMARK ? log.highWatermark : Number(asked)
  if (offset < 0 || offset > log.highWatermark) return ErrorCode.OFFSET_OUT_OF_RANGE
  log.incrementLogStartOffset(offset)
  return { partition, offset }
}

interface Waiting {
  readonly clock: Clock
  readonly context: Pick<RequestContext, 'onAbandoned'>
}

/** Once the followers have deleted it too; at the latest after `timeoutMs`, or when nobody is there any more to be told. */
function followed(
  deleted: Deleted | ErrorCode,
  timeoutMs: number,
  { clock, context }: Waiting,
): Result | Promise<Result> {
  if (typeof deleted === 'number') return { error: deleted, lowWatermark: -1 }
  const { partition, offset } = deleted
  const now = (): Result | undefined => {
    const error = partition.checkLeader(-1)
    if (error !== ErrorCode.NONE) return { error, lowWatermark: -1 }
    const { lowWatermark } = partition
    return lowWatermark >= offset ? { error, lowWatermark } : undefined
  }
  return (
    now() ??
    new Promise((resolve) => {
      const finish = (result: Result): void => {
        timer.cancel()
        wait.cancel()
        resolve(result)
      }
      const giveUp = (): void => finish({ error: ErrorCode.REQUEST_TIMED_OUT, lowWatermark: partition.lowWatermark })
      const timer = clock.setTimer(timeoutMs, giveUp)
      const wait = partition.onFollowers(() => {
        const result = now()
        if (result !== undefined) finish(result)
      })
      context.onAbandoned(giveUp)
    })
  )
}
