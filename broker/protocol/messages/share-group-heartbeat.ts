import { array, int16, int32, string, struct, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const shareGroupHeartbeatRequest = message(
  { name: 'ShareGroupHeartbeatRequest', apiKey: 76, validVersions: '1', flexibleVersions: '1+' },
  {
    groupId: string(),
    memberId: string(),
    memberEpoch: int32(),
    rackId: string({ nullable: true, default: null }),
    subscribedTopicNames: array(string(), { nullable: true, default: null }),
  },
)
export type ShareGroupHeartbeatRequest = Infer<typeof shareGroupHeartbeatRequest>

export const shareGroupHeartbeatResponse = message(
  { name: 'ShareGroupHeartbeatResponse', apiKey: 76, validVersions: '1', flexibleVersions: '1+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ cut: true, nullable: true, default: null }),
    memberId: string({ nullable: true, default: null }),
    memberEpoch: int32(),
    heartbeatIntervalMs: int32(),
    assignment: struct(
      {
        topicPartitions: array(
          struct({
            topicId: uuid(),
            partitions: array(int32()),
          }),
        ),
      },
      { nullable: true, default: null },
    ),
  },
)
export type ShareGroupHeartbeatResponse = Infer<typeof shareGroupHeartbeatResponse>

export const shareGroupHeartbeatApi = api(shareGroupHeartbeatRequest, shareGroupHeartbeatResponse, {
  listeners: BROKER,
})
