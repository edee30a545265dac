import { expect, test } from '@jest/globals'
import { deleteRecordsHandler } from '../../../broker/handlers/delete-records.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { ReplicaManager } from '../../../broker/replication/replica-manager.ts'
import { SimClock } from '../../fakes/clock.ts'
import { silentLogger } from '../../fakes/logger.ts'
import { NODE, PARTITION_DEPS } from '../replication/rig.ts'
import { contextOf } from './context.ts'

function handler() {
  const topics = { nameOf: () => undefined, hasPartition: (_topic: string, index: number) => index === 0 }
  const replicas = new ReplicaManager({ nodeId: NODE }, { ...PARTITION_DEPS, topics, logger: silentLogger() })
  return deleteRecordsHandler({ clock: new SimClock(), replicas })
}

test.each([
  ['__consumer_offsets', 0, 'INVALID_TOPIC_EXCEPTION'],
  ['__consumer_offsets', 1, 'UNKNOWN_TOPIC_OR_PARTITION'],
  ['orders', 0, 'NOT_LEADER_OR_FOLLOWER'],
  ['orders', 1, 'UNKNOWN_TOPIC_OR_PARTITION'],
] as const)('of %s, partition %i, which others have, it is %s', async (name, partitionIndex, error) => {
  const request = { topics: [{ name, partitions: [{ partitionIndex, offset: 0n }] }], timeoutMs: 1000 }
  expect(await handler().handle(request, contextOf())).toMatchObject({
    topics: [{ partitions: [{ errorCode: ErrorCode[error], lowWatermark: -1n }] }],
  })
})

test('a topic that is named in several places has one place in the answer, and each partition once', async () => {
  const partition = (partitionIndex: number) => ({ partitionIndex, offset: 0n })
  const named = [[partition(0), partition(0)], [], [partition(1), partition(0)]]
  const request = { topics: named.map((partitions) => ({ name: 'orders', partitions })), timeoutMs: 1000 }
  expect(await handler().handle(request, contextOf())).toMatchObject({
    topics: [{ name: 'orders', partitions: [{ partitionIndex: 0 }, { partitionIndex: 1 }] }],
  })
})
