import { array, int16, int32, string, struct, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const consumerGroupHeartbeatRequest = message(
  { name: 'ConsumerGroupHeartbeatRequest', apiKey: 68, validVersions: '0-1', flexibleVersions: '0+' },
  {
    groupId: string(),
    memberId: string(),
    memberEpoch: int32(),
    instanceId: string({ nullable: true, default: null }),
    rackId: string({ nullable: true, default: null }),
    rebalanceTimeoutMs: int32({ default: -1 }),
    subscribedTopicNames: array(string(), { nullable: true, default: null }),
    subscribedTopicRegex: string({ versions: '1+', nullable: true, default: null }),
    serverAssignor: string({ nullable: true, default: null }),
    topicPartitions: array(
      struct({
        topicId: uuid(),
        partitions: array(int32()),
      }),
      { nullable: true, default: null },
    ),
  },
)
export type ConsumerGroupHeartbeatRequest = Infer<typeof consumerGroupHeartbeatRequest>

export const consumerGroupHeartbeatResponse = message(
  { name: 'ConsumerGroupHeartbeatResponse', apiKey: 68, validVersions: '0-1', flexibleVersions: '0+' },
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
export type ConsumerGroupHeartbeatResponse = Infer<typeof consumerGroupHeartbeatResponse>

export const consumerGroupHeartbeatApi = api(consumerGroupHeartbeatRequest, consumerGroupHeartbeatResponse, {
  listeners: BROKER,
})
