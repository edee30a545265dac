import { expect, test } from '@jest/globals'
import { alterReplicaLogDirsHandler } from '../../../broker/handlers/alter-replica-log-dirs.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { LogDirMover } from '../../../broker/replication/log-dir-mover.ts'
import type { ReplicaManager } from '../../../broker/replication/replica-manager.ts'
import type { LogManager } from '../../../broker/storage/log-manager.ts'
import { contextOf } from './context.ts'

const FOUND = new Map<string, unknown>([
  ['t', { isOffline: false }],
  ['elsewhere', ErrorCode.NOT_LEADER_OR_FOLLOWER],
])

test('a replica that is named twice goes to the last of its places, and has one answer', async () => {
  const moves: string[] = []
  const directories = ['/a', '/b'].map((path) => ({ path, online: true, isCordoned: false }))
  const handler = alterReplicaLogDirsHandler({
    logs: { directories: () => directories } as unknown as LogManager,
    replicas: {
      find: (topic: string) => FOUND.get(topic) ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    } as unknown as ReplicaManager,
    logDirMover: {
      move: async (_partition: unknown, path: string) => {
        moves.push(path)
        return ErrorCode.NONE
      },
    } as unknown as LogDirMover,
  })
  const dirs = ['/a', '/b'].map((path) => ({
    path,
    topics: ['t', 'u', 'elsewhere'].map((name) => ({ name, partitions: [0, 0] })),
  }))
  expect(await handler.handle({ dirs }, contextOf())).toMatchObject({
    results: [
      { topicName: 't', partitions: [{ partitionIndex: 0, errorCode: ErrorCode.NONE }] },
      { topicName: 'u', partitions: [{ partitionIndex: 0, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }] },
      { topicName: 'elsewhere', partitions: [{ partitionIndex: 0, errorCode: ErrorCode.REPLICA_NOT_AVAILABLE }] },
    ],
  })
  expect(moves).toEqual(['/b'])
})
