import { toInt64 } from '../lib/int64.ts'
import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { ListOffsetsRequest, ListOffsetsResponse } from '../protocol/messages/list-offsets.ts'
import { readError } from '../replication/fetch-read.ts'
import type { Partition } from '../replication/partition.ts'
import type { ReplicaManager } from '../replication/replica-manager.ts'
import type { PartitionLog } from '../storage/log.ts'
import type { FoundOffset } from '../storage/timestamps.ts'
import type { Handler } from './handler.ts'

export interface ListOffsetsDeps {
  readonly replicas: ReplicaManager
}

/** Timestamps below zero name a position instead of a time. */
const LATEST = -1n
const EARLIEST = -2n
const MAX_TIMESTAMP = -3n
const EARLIEST_LOCAL = -4n
const LATEST_TIERED = -5n
const EARLIEST_PENDING_UPLOAD = -6n
const READ_COMMITTED = 1
/** The replica ids of who is no replica. */
const CONSUMER = -1
const DEBUGGING_CONSUMER = -2
const OFFSET_NOT_AVAILABLE_VERSION = 5

type AskedPartition = ListOffsetsRequest['topics'][number]['partitions'][number]
type PartitionResponse = ListOffsetsResponse['topics'][number]['partitions'][number]

/** The first version that may ask for each of the special timestamps; before it the broker answers UNSUPPORTED_VERSION. */
const SPECIAL_SINCE = new Map([
  [LATEST, 1],
  [EARLIEST, 1],
  [MAX_TIMESTAMP, 7],
  [EARLIEST_LOCAL, 8],
  [LATEST_TIERED, 9],
  [EARLIEST_PENDING_UPLOAD, 11],
])

/** ListOffsets (2), v1 to v11: by time (KIP-33), maximum timestamp (KIP-734), local log start (KIP-405). */
export function listOffsetsHandler(deps: ListOffsetsDeps): Handler<typeof ApiKey.ListOffsets> {
  return {
    key: ApiKey.ListOffsets,
    handle: async (request, { apiVersion }) => {
      const repeated = repetitions(request)
      // Each topic once, as in Apache Kafka, whatever the request does.
      const mentions = Map.groupBy(request.topics, ({ name }) => name)
      const topics = [...mentions].map(async ([name, mentioned]) => ({
        name,
        partitions: await Promise.all(
          mentioned
            .flatMap(({ partitions }) => partitions)
            .flatMap((asked) => {
              const { partitionIndex } = asked
              const first = repeated.get(`${name}-${partitionIndex}`)
              if (first === undefined)
                return lookUp(deps.replicas.find(name, partitionIndex), asked, readerOf(request, apiVersion))
              // One answer for all, in the place of the first.
              return first === asked ? Promise.resolve(found(asked, ErrorCode.INVALID_REQUEST)) : []
            }),
        ),
      }))
      const answered = await Promise.all(topics)
      return { throttleTimeMs: 0, topics: answered.filter(({ partitions }) => partitions.length > 0) }
    },
  }
}

interface Reader {
  readonly version: number
  readonly readCommitted: boolean
  /** All others, followers above all, want to know what there is, not what is committed. */
  readonly isConsumer: boolean
  /** Who looks for faults may ask any replica. */
  readonly mayFollow: boolean
}

function readerOf({ isolationLevel, replicaId }: ListOffsetsRequest, version: number): Reader {
  const readCommitted = isolationLevel === READ_COMMITTED
  return { version, readCommitted, isConsumer: replicaId === CONSUMER, mayFollow: replicaId === DEBUGGING_CONSUMER }
}

/** Partitions that the request names more than once, as `topic-index`, with their first mention. */
function repetitions(request: ListOffsetsRequest): Map<string, AskedPartition> {
  const seen = new Map<string, AskedPartition>()
  const repeated = new Map<string, AskedPartition>()
  for (const { name, partitions } of request.topics) {
    for (const asked of partitions) {
      const key = `${name}-${asked.partitionIndex}`
      const first = seen.get(key)
      if (first === undefined) seen.set(key, asked)
      else repeated.set(key, first)
    }
  }
  return repeated
}

function found(
  asked: AskedPartition,
  errorCode: ErrorCode,
  offset = -1,
  timestampMs = -1,
  leaderEpoch = -1,
): PartitionResponse {
  return {
    partitionIndex: asked.partitionIndex,
    errorCode,
    timestamp: toInt64(timestampMs),
    offset: BigInt(offset),
    leaderEpoch,
  }
}

function isServed(timestamp: bigint, version: number): boolean {
  const since = SPECIAL_SINCE.get(timestamp)
  return since === undefined ? timestamp >= 0n : version >= since
}

async function lookUp(
  partition: Partition | ErrorCode,
  asked: AskedPartition,
  reader: Reader,
): Promise<PartitionResponse> {
  // As in Apache Kafka, before it is known whether there is such a partition.
  if (!isServed(asked.timestamp, reader.version)) return found(asked, ErrorCode.UNSUPPORTED_VERSION)
  if (typeof partition === 'number') return found(asked, partition)
  const error = partition.checkReader(asked.currentLeaderEpoch, reader.mayFollow)
  if (error !== ErrorCode.NONE) return found(asked, error)
  const { log, state } = partition
  const limit = limitOf(partition, reader)
  const unsettled = unsettledError(partition, reader)
  switch (asked.timestamp) {
    case LATEST:
      if (unsettled !== ErrorCode.NONE) return found(asked, unsettled)
      return found(asked, ErrorCode.NONE, limit, -1, state.leaderEpoch)
    case EARLIEST:
    case EARLIEST_LOCAL:
      return found(asked, ErrorCode.NONE, log.logStartOffset, -1, log.leaderEpochs.epochFor(log.logStartOffset))
    // Nothing is uploaded to a remote tier.
    case EARLIEST_PENDING_UPLOAD:
    case LATEST_TIERED:
      return found(asked, ErrorCode.NONE)
    default:
  }
  try {
    const at = await recordAt(log, asked.timestamp)
    // What is not committed may be cut off yet: readers are not told of it, as in Apache Kafka.
    return at === null || at.offset >= limit
      ? found(asked, unsettled)
      : found(asked, ErrorCode.NONE, at.offset, at.timestampMs, at.leaderEpoch)
  } catch (cause) {
    return found(asked, readError(partition, cause))
  }
}

function recordAt(log: PartitionLog, timestamp: bigint): Promise<FoundOffset | null> {
  return timestamp === MAX_TIMESTAMP ? log.offsetOfMaxTimestamp() : log.offsetForTimestamp(Number(timestamp))
}

function limitOf({ log }: Partition, { isConsumer, readCommitted }: Reader): number {
  if (!isConsumer) return log.logEndOffset
  return readCommitted ? log.lastStableOffset : log.highWatermark
}

/** A new leader's high watermark may lie before what clients were told by the last one: until it has caught up they wait (KIP-207). */
function unsettledError({ epochStartOffset = 0, log }: Partition, { isConsumer, version }: Reader): ErrorCode {
  if (!isConsumer || epochStartOffset <= log.highWatermark) return ErrorCode.NONE
  return version >= OFFSET_NOT_AVAILABLE_VERSION ? ErrorCode.OFFSET_NOT_AVAILABLE : ErrorCode.LEADER_NOT_AVAILABLE
}
