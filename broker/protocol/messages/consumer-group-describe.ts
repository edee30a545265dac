import { array, bool, int16, int32, int8, string, struct, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const consumerGroupDescribeRequest = message(
  { name: 'ConsumerGroupDescribeRequest', apiKey: 69, validVersions: '0-1', flexibleVersions: '0+' },
  {
    groupIds: array(string()),
    includeAuthorizedOperations: bool(),
  },
)
export type ConsumerGroupDescribeRequest = Infer<typeof consumerGroupDescribeRequest>

export const consumerGroupDescribeResponse = message(
  { name: 'ConsumerGroupDescribeResponse', apiKey: 69, validVersions: '0-1', flexibleVersions: '0+' },
  {
    throttleTimeMs: int32(),
    groups: array(
      struct({
        errorCode: int16(),
        errorMessage: string({ cut: true, nullable: true, default: null }),
        groupId: string(),
        groupState: string(),
        groupEpoch: int32(),
        assignmentEpoch: int32(),
        assignorName: string(),
        members: array(
          struct({
            memberId: string(),
            instanceId: string({ nullable: true, default: null }),
            rackId: string({ nullable: true, default: null }),
            memberEpoch: int32(),
            clientId: string(),
            clientHost: string(),
            subscribedTopicNames: array(string()),
            subscribedTopicRegex: string({ nullable: true, default: null }),
            assignment: struct({
              topicPartitions: array(
                struct({
                  topicId: uuid(),
                  topicName: string(),
                  partitions: array(int32()),
                }),
              ),
            }),
            targetAssignment: struct({
              topicPartitions: array(
                struct({
                  topicId: uuid(),
                  topicName: string(),
                  partitions: array(int32()),
                }),
              ),
            }),
            memberType: int8({ versions: '1+', default: -1 }),
          }),
        ),
        authorizedOperations: int32({ default: -2147483648 }),
      }),
    ),
  },
)
export type ConsumerGroupDescribeResponse = Infer<typeof consumerGroupDescribeResponse>

export const consumerGroupDescribeApi = api(consumerGroupDescribeRequest, consumerGroupDescribeResponse, {
  listeners: BROKER,
})
