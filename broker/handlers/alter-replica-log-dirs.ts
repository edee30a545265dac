import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { AlterReplicaLogDirsRequest } from '../protocol/messages/alter-replica-log-dirs.ts'
import type { LogDirMover } from '../replication/log-dir-mover.ts'
import type { ReplicaManager } from '../replication/replica-manager.ts'
import type { LogManager } from '../storage/log-manager.ts'
import type { Handler } from './handler.ts'

export interface AlterReplicaLogDirsDeps {
  readonly logs: LogManager
  readonly replicas: ReplicaManager
  readonly logDirMover: LogDirMover
}

/** AlterReplicaLogDirs (34), v1 to v2: begins to move replicas of this broker between its log dirs (KIP-113). */
export function alterReplicaLogDirsHandler(deps: AlterReplicaLogDirsDeps): Handler<typeof ApiKey.AlterReplicaLogDirs> {
  return {
    key: ApiKey.AlterReplicaLogDirs,
    handle: async (request) => {
      const results: { topicName: string; partitions: { partitionIndex: number; errorCode: ErrorCode }[] }[] = []
      for (const [topicName, paths] of pathsOf(request)) {
        const partitions = []
        for (const [partitionIndex, path] of paths)
          partitions.push({ partitionIndex, errorCode: await move(deps, topicName, partitionIndex, path) })
        results.push({ topicName, partitions })
      }
      return { throttleTimeMs: 0, results }
    },
  }
}

/** Where each replica is to be, by topic and partition: one that is named twice goes to the last of its places. */
function pathsOf({ dirs }: AlterReplicaLogDirsRequest): Map<string, Map<number, string>> {
  const byTopic = new Map<string, Map<number, string>>()
  for (const { path, topics } of dirs) {
    for (const { name, partitions } of topics) {
      const paths = byTopic.get(name) ?? new Map<number, string>()
      byTopic.set(name, paths)
      for (const index of partitions) paths.set(index, path)
    }
  }
  return byTopic
}

async function move(deps: AlterReplicaLogDirsDeps, topic: string, index: number, path: string): Promise<ErrorCode> {
  const directory = deps.logs.directories().find((each) => each.path === path)
  if (directory === undefined) return ErrorCode.LOG_DIR_NOT_FOUND
  if (!directory.online) return ErrorCode.KAFKA_STORAGE_ERROR
  if (directory.isCordoned) return ErrorCode.INVALID_REPLICA_ASSIGNMENT
  const partition = deps.replicas.find(topic, index)
  if (partition === ErrorCode.NOT_LEADER_OR_FOLLOWER) return ErrorCode.REPLICA_NOT_AVAILABLE
  if (typeof partition === 'number') return partition
  if (partition.isOffline) return ErrorCode.KAFKA_STORAGE_ERROR
  return deps.logDirMover.move(partition, path)
}
