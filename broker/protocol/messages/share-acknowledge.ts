import { array, bool, int16, int32, int64, int8, string, struct, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const shareAcknowledgeRequest = message(
  { name: 'ShareAcknowledgeRequest', apiKey: 79, validVersions: '1-2', flexibleVersions: '1+' },
  {
    groupId: string({ nullable: true, default: null }),
    memberId: string({ nullable: true }),
    shareSessionEpoch: int32(),
    isRenewAck: bool({ versions: '2+' }),
    topics: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            acknowledgementBatches: array(
              struct({
                firstOffset: int64(),
                lastOffset: int64(),
                acknowledgeTypes: array(int8()),
              }),
            ),
          }),
        ),
      }),
    ),
  },
)
export type ShareAcknowledgeRequest = Infer<typeof shareAcknowledgeRequest>

export const shareAcknowledgeResponse = message(
  { name: 'ShareAcknowledgeResponse', apiKey: 79, validVersions: '1-2', flexibleVersions: '1+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ cut: true, nullable: true, default: null }),
    acquisitionLockTimeoutMs: int32({ versions: '2+' }),
    responses: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
            errorMessage: string({ cut: true, nullable: true, default: null }),
            currentLeader: struct({
              leaderId: int32(),
              leaderEpoch: int32(),
            }),
          }),
        ),
      }),
    ),
    nodeEndpoints: array(
      struct({
        nodeId: int32(),
        host: string(),
        port: int32(),
        rack: string({ nullable: true, default: null }),
      }),
    ),
  },
)
export type ShareAcknowledgeResponse = Infer<typeof shareAcknowledgeResponse>

export const shareAcknowledgeApi = api(shareAcknowledgeRequest, shareAcknowledgeResponse, { listeners: BROKER })
