import { describe, expect, test } from '@jest/globals'
import { TOPIC_OPERATIONS } from '../../../broker/handlers/authorized-operations.ts'
import { ClusterView } from '../../../broker/handlers/cluster-view.ts'
import { metadataHandler } from '../../../broker/handlers/metadata.ts'
import { ZERO_UUID } from '../../../broker/lib/uuid.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { MetadataResponse } from '../../../broker/protocol/messages/metadata.ts'
import { clusterOf, type PartitionState, topicWith } from '../controller/cluster.ts'
import { uuid } from '../metadata/records.ts'
import { contextOf } from './context.ts'

/** The first partition of a topic, as clients of a cluster with brokers 1, 2 and the fenced 3 are told of it. */
async function told(state: PartitionState, apiVersion = 13, listener = 'PLAINTEXT') {
  const image = clusterOf([1, 2, 3], [3], topicWith(9, state))
  const cluster = () => new ClusterView(image, { clusterId: 'c', controllerId: 1 })
  const handler = metadataHandler({ cluster, autoCreate: () => ErrorCode.UNKNOWN_TOPIC_OR_PARTITION })
  const request = {
    topics: null,
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  }
  const answer = (await handler.handle(request, contextOf({ apiVersion, listener }))) as MetadataResponse
  return { partition: answer.topics[0]?.partitions[0], brokers: answer.brokers.map(({ nodeId }) => nodeId) }
}

describe('a partition', () => {
  test('tells its leader, and replicas on fenced brokers as offline', async () => {
    const { partition, brokers } = await told({ replicas: [1, 2, 3], isr: [1, 2] })
    expect(brokers).toEqual([1, 2])
    expect(partition).toMatchObject({
      errorCode: ErrorCode.NONE,
      leaderId: 1,
      replicaNodes: [1, 2, 3],
      isrNodes: [1, 2],
      offlineReplicas: [3],
    })
  })

  test('without a leader says so', async () => {
    const { partition } = await told({ replicas: [3], leader: -1, leaderEpoch: 5 })
    expect(partition).toMatchObject({ errorCode: ErrorCode.LEADER_NOT_AVAILABLE, leaderId: -1, leaderEpoch: 5 })
  })

  test('tells replicas as offline that are in a failed log dir, or on a broker that is not registered', async () => {
    const { partition } = await told({ replicas: [1, 2, 4], directories: [uuid(1), uuid(77), uuid(4)] })
    expect(partition?.offlineReplicas).toEqual([2, 4])
  })

  test.each([
    [5, 'LEADER_NOT_AVAILABLE'],
    [6, 'LISTENER_NOT_FOUND'],
  ] as const)('whose leader lacks the listener has in v%i the error %s', async (version, error) => {
    const { partition } = await told({ replicas: [1, 2] }, version, 'OTHER')
    expect(partition).toMatchObject({ errorCode: ErrorCode[error], leaderId: -1, offlineReplicas: [1, 2] })
  })

  test('hides from clients of v0 the replicas on brokers that are not there', async () => {
    const { partition } = await told({ replicas: [1, 4], isr: [1] }, 0)
    expect(partition).toMatchObject({ errorCode: ErrorCode.REPLICA_NOT_AVAILABLE, leaderId: 1, replicaNodes: [1] })
  })
})

test('what may be done with a topic is told of every name that is asked for, also where there is no such topic', async () => {
  const cluster = () => new ClusterView(clusterOf([1]), { clusterId: 'c', controllerId: 1 })
  const handler = metadataHandler({ cluster, autoCreate: () => ErrorCode.UNKNOWN_TOPIC_OR_PARTITION })
  const named = ['absent', 'a/b'].map((name) => ({ name, topicId: ZERO_UUID }))
  const request = {
    topics: named,
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: true,
  }
  const operations = async (topics: readonly { name: string | null; topicId: string }[]) => {
    const answer = await handler.handle({ ...request, topics: [...topics] }, contextOf({ apiVersion: 12 }))
    return (answer as MetadataResponse).topics.map(({ topicAuthorizedOperations }) => topicAuthorizedOperations)
  }
  expect(await operations(named)).toEqual([TOPIC_OPERATIONS, TOPIC_OPERATIONS])
  expect(await operations([{ name: null, topicId: uuid(5) }])).toEqual([-2_147_483_648])
})
