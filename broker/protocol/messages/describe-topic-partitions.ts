import { array, bool, int16, int32, string, struct, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const describeTopicPartitionsRequest = message(
  { name: 'DescribeTopicPartitionsRequest', apiKey: 75, validVersions: '0', flexibleVersions: '0+' },
  {
    topics: array(
      struct({
        name: string(),
      }),
    ),
    responsePartitionLimit: int32({ default: 2000 }),
    cursor: struct(
      {
        topicName: string(),
        partitionIndex: int32(),
      },
      { nullable: true, default: null },
    ),
  },
)
export type DescribeTopicPartitionsRequest = Infer<typeof describeTopicPartitionsRequest>

export const describeTopicPartitionsResponse = message(
  { name: 'DescribeTopicPartitionsResponse', apiKey: 75, validVersions: '0', flexibleVersions: '0+' },
  {
    throttleTimeMs: int32(),
    topics: array(
      struct({
        errorCode: int16(),
        name: string({ nullable: true }),
        topicId: uuid(),
        isInternal: bool(),
        partitions: array(
          struct({
            errorCode: int16(),
            partitionIndex: int32(),
            leaderId: int32(),
            leaderEpoch: int32({ default: -1 }),
            replicaNodes: array(int32()),
            isrNodes: array(int32()),
            eligibleLeaderReplicas: array(int32(), { nullable: true, default: null }),
            lastKnownElr: array(int32(), { nullable: true, default: null }),
            offlineReplicas: array(int32()),
          }),
        ),
        topicAuthorizedOperations: int32({ default: -2147483648 }),
      }),
    ),
    nextCursor: struct(
      {
        topicName: string(),
        partitionIndex: int32(),
      },
      { nullable: true, default: null },
    ),
  },
)
export type DescribeTopicPartitionsResponse = Infer<typeof describeTopicPartitionsResponse>

export const describeTopicPartitionsApi = api(describeTopicPartitionsRequest, describeTopicPartitionsResponse, {
  listeners: BROKER,
})
