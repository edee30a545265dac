import { expect, test } from '@jest/globals'
import { alterReplicaLogDirsHandler } from '../../../broker/handlers/alter-replica-log-dirs.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { LogDirMover } from '../../../broker/replication/log-dir-mover.ts'
import type { ReplicaManager } from '../../../broker/replication/replica-manager.ts'
import type { LogManager } from '../../../broker/storage/log-manager.ts'
import { contextOf } from './context.ts'

test('a replica that is named twice goes to the last of its places, and has one answer', async () => {
  const moves: string[] = []
  const directories = ['/a', '/b'].map((path) => ({ path, online: true, isCordoned: false }))
  const handler = alterReplicaLogDirsHandler({
    logs: { directories: () => directories } as unknown as LogManager,
    replicas: {
      get: (topic: string) => (topic === 't' ? { isOffline: false } : undefined),
    } as unknown as ReplicaManager,
    logDirMover: {
      move: async (_partition: unknown, path: string) => {
        moves.push(path)
        return ErrorCode.NONE
      },
    } as unknown as LogDirMover,
  })
  const dirs = ['/a', '/b'].map((path) => ({ path, topics: ['t', 'u'].map((name) => ({ name, partitions: [0, 0] })) }))
  expect(await handler.handle({ dirs }, contextOf())).toMatchObject({
    results: [
      { topicName: 't', partitions: [{ partitionIndex: 0, errorCode: ErrorCode.NONE }] },
      { topicName: 'u', partitions: [{ partitionIndex: 0, errorCode: ErrorCode.REPLICA_NOT_AVAILABLE }] },
    ],
  })
  expect(moves).toEqual(['/b'])
})
