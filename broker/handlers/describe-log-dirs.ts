import type { MetadataImage } from '../metadata/image.ts'
import { supportsCordonedLogDirs } from '../metadata/record-versions.ts'
import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { DescribeLogDirsRequest, DescribeLogDirsResponse } from '../protocol/messages/describe-log-dirs.ts'
import type { PartitionLog } from '../storage/log.ts'
import type { LogDirectoryInfo } from '../storage/log-manager-types.ts'
import type { LogManager } from '../storage/log-manager.ts'
import type { Handler } from './handler.ts'

export interface DescribeLogDirsDeps {
  readonly logs: LogManager
  readonly image: () => MetadataImage
}

type Result = DescribeLogDirsResponse['results'][number]

/** DescribeLogDirs (35), v1 to v5: sizes of the replicas, and of the file systems below them (KIP-113, KIP-827). */
export function describeLogDirsHandler(deps: DescribeLogDirsDeps): Handler<typeof ApiKey.DescribeLogDirs> {
  return {
    key: ApiKey.DescribeLogDirs,
    handle: (request) => {
      const isAsked = askedBy(request)
      const results = deps.logs.directories().map((directory) => describe(deps, directory, isAsked))
      return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, results }
    },
  }
}

function describe(
  deps: DescribeLogDirsDeps,
  directory: LogDirectoryInfo,
  isAsked: (log: PartitionLog) => boolean,
): Result {
  const { path, online } = directory
  const { metadataVersion } = deps.image()
  const offline = {
    errorCode: ErrorCode.KAFKA_STORAGE_ERROR,
    logDir: path,
    topics: [],
    totalBytes: -1n,
    usableBytes: -1n,
    isCordoned: false,
  }
  if (!online) return offline
  const { totalBytes, usableBytes } = deps.logs.space(path)
  const isHere = (log: PartitionLog): boolean => log.parentDirectory === path && isAsked(log)
  const logs = deps.logs.logs().filter(isHere).map(currentReplica)
  const futures = deps.logs.futures().filter(isHere)
  const all = [...logs, ...futures.map((future) => futureReplica(future, deps.logs))]
  const topics = Map.groupBy(all, ({ topic }) => topic)
  return {
    errorCode: ErrorCode.NONE,
    logDir: path,
    topics: [...topics].map(([name, replicas]) => ({
      name,
      partitions: replicas.map(({ replica }) => replica),
    })),
    totalBytes: BigInt(totalBytes),
    usableBytes: BigInt(usableBytes),
    isCordoned: directory.isCordoned && supportsCordonedLogDirs(metadataVersion),
  }
}

interface Described {
  readonly topic: string
  readonly replica: Result['topics'][number]['partitions'][number]
}

function currentReplica(log: PartitionLog): Described {
  return described(log, Math.max(0, log.highWatermark - log.logEndOffset), false)
}

/** A copy that is being made to take the replica's place: it lags behind that. */
function futureReplica(future: PartitionLog, logs: LogManager): Described {
  const endOffset = logs.get(future.topic, future.partition)?.logEndOffset ?? future.logEndOffset
  return described(future, endOffset - future.logEndOffset, true)
}

function described(log: PartitionLog, lag: number, isFutureKey: boolean): Described {
  const { topic, partition } = log
  const partitionSize = BigInt(log.sizeInBytes())
  return { topic, replica: { partitionIndex: partition, partitionSize, offsetLag: BigInt(lag), isFutureKey } }
}

/** One look at the request, however many replicas there are. */
function askedBy({ topics }: DescribeLogDirsRequest): (log: PartitionLog) => boolean {
  if (topics === null) return () => true
  const asked = new Set(topics.flatMap(({ topic, partitions }) => partitions.map((index) => `${index}/${topic}`)))
  return ({ topic, partition }) => asked.has(`${partition}/${topic}`)
}
