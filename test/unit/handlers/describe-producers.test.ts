import { expect, test } from '@jest/globals'
import { ClusterView } from '../../../broker/handlers/cluster-view.ts'
import { describeProducersHandler } from '../../../broker/handlers/describe-producers.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { DescribeProducersResponse } from '../../../broker/protocol/messages/describe-producers.ts'
import { clusterOf, topicWith } from '../controller/cluster.ts'
import { record, uuid } from '../metadata/records.ts'
import { contextOf } from './context.ts'
import { hosting } from './hosting.ts'

test('a topic that is not there, or cannot be, is told with why', async () => {
  const { deps } = await hosting()
  const image = clusterOf([1], [], topicWith(9, { replicas: [1] }))
  const cluster = () => new ClusterView(image, { clusterId: 'c', controllerId: 1 })
  const topics = ['absent', 'a/b', 'topic-9'].map((name) => ({ name, partitionIndexes: [3] }))
  const answer = await describeProducersHandler({ ...deps, cluster }).handle({ topics }, contextOf({ apiVersion: 0 }))
  const told = (answer as DescribeProducersResponse).topics.map(({ partitions }) => partitions[0])
  expect(told).toMatchObject([
    {
      errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      errorMessage: 'This server does not host this topic-partition.',
    },
    { errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION, errorMessage: expect.stringContaining("'a/b' contains") },
    { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: null },
  ])
})

test('a follower tells of its replica too: who looks for hanging transactions asks each broker', async () => {
  const { deps, log } = await hosting({ leader: 2 })
  const image = clusterOf([1, 2], [], [record('TopicRecord', { name: log.topic, topicId: uuid(9) })])
  const cluster = () => new ClusterView(image, { clusterId: 'c', controllerId: 1 })
  const topics = [{ name: log.topic, partitionIndexes: [0, 1] }]
  const answer = await describeProducersHandler({ ...deps, cluster }).handle({ topics }, contextOf({ apiVersion: 0 }))
  const told = (answer as DescribeProducersResponse).topics.flatMap(({ partitions }) => partitions)
  expect(told.map(({ errorCode }) => errorCode)).toEqual([ErrorCode.NONE, ErrorCode.NOT_LEADER_OR_FOLLOWER])
})
