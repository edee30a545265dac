import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { DescribeLogDirsRequest, DescribeLogDirsResponse } from '../protocol/messages/describe-log-dirs.ts'
import type { PartitionLog } from '../storage/log.ts'
import type { LogManager } from '../storage/log-manager.ts'
import type { Handler } from './handler.ts'

export interface DescribeLogDirsDeps {
  readonly logs: LogManager
}

type Result = DescribeLogDirsResponse['results'][number]

/** DescribeLogDirs (35), v1 to v5: sizes of the replicas, and of the file systems below them (KIP-113, KIP-827). */
export function describeLogDirsHandler(deps: DescribeLogDirsDeps): Handler<typeof ApiKey.DescribeLogDirs> {
  return {
    key: ApiKey.DescribeLogDirs,
    handle: (request) => ({
      throttleTimeMs: 0,
      errorCode: ErrorCode.NONE,
      results: deps.logs.directories().map((directory) => describe(deps, directory, request)),
    }),
  }
}

function describe(
  deps: DescribeLogDirsDeps,
  directory: { path: string; online: boolean },
  request: DescribeLogDirsRequest,
): Result {
  const { path, online } = directory
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
  const logs = deps.logs.logs().filter((log) => log.parentDirectory === path && isAsked(request, log))
  const topics = Map.groupBy(logs, (log) => log.topic)
  return {
    errorCode: ErrorCode.NONE,
    logDir: path,
    topics: [...topics].map(([name, replicas]) => ({
      name,
      partitions: replicas.map((log) => ({
        partitionIndex: log.partition,
        partitionSize: BigInt(log.sizeInBytes()),
        offsetLag: BigInt(Math.max(0, log.highWatermark - log.logEndOffset)),
        isFutureKey: false,
      })),
    })),
    totalBytes: BigInt(totalBytes),
    usableBytes: BigInt(usableBytes),
    isCordoned: false,
  }
}

function isAsked(request: DescribeLogDirsRequest, log: PartitionLog): boolean {
  return (
    request.topics === null ||
    request.topics.some(({ topic, partitions }) => topic === log.topic && partitions.includes(log.partition))
  )
}
