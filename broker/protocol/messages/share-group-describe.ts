import { array, bool, int16, int32, string, struct, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const shareGroupDescribeRequest = message(
  { name: 'ShareGroupDescribeRequest', apiKey: 77, validVersions: '1', flexibleVersions: '1+' },
  {
    groupIds: array(string()),
    includeAuthorizedOperations: bool(),
  },
)
export type ShareGroupDescribeRequest = Infer<typeof shareGroupDescribeRequest>

export const shareGroupDescribeResponse = message(
  { name: 'ShareGroupDescribeResponse', apiKey: 77, validVersions: '1', flexibleVersions: '1+' },
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
            rackId: string({ nullable: true, default: null }),
            memberEpoch: int32(),
            clientId: string(),
            clientHost: string(),
            subscribedTopicNames: array(string()),
            assignment: struct({
              topicPartitions: array(
                struct({
                  topicId: uuid(),
                  topicName: string(),
                  partitions: array(int32()),
                }),
              ),
            }),
          }),
        ),
        authorizedOperations: int32({ default: -2147483648 }),
      }),
    ),
  },
)
export type ShareGroupDescribeResponse = Infer<typeof shareGroupDescribeResponse>

export const shareGroupDescribeApi = api(shareGroupDescribeRequest, shareGroupDescribeResponse, { listeners: BROKER })
