import { array, bool, int16, int32, int64, int8, records, string, struct, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const shareFetchRequest = message(
  { name: 'ShareFetchRequest', apiKey: 78, validVersions: '1-2', flexibleVersions: '1+' },
  {
    groupId: string({ nullable: true, default: null }),
    memberId: string({ nullable: true }),
    shareSessionEpoch: int32(),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: int32({ default: 2147483647 }),
    maxRecords: int32(),
    batchSize: int32(),
    shareAcquireMode: int8({ versions: '2+' }),
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
    forgottenTopicsData: array(
      struct({
        topicId: uuid(),
        partitions: array(int32()),
      }),
    ),
  },
)
export type ShareFetchRequest = Infer<typeof shareFetchRequest>

export const shareFetchResponse = message(
  { name: 'ShareFetchResponse', apiKey: 78, validVersions: '1-2', flexibleVersions: '1+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ cut: true, nullable: true, default: null }),
    acquisitionLockTimeoutMs: int32(),
    responses: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
            errorMessage: string({ cut: true, nullable: true, default: null }),
            acknowledgeErrorCode: int16(),
            acknowledgeErrorMessage: string({ cut: true, nullable: true, default: null }),
            currentLeader: struct({
              leaderId: int32(),
              leaderEpoch: int32(),
            }),
            records: records({ default: null }),
            acquiredRecords: array(
              struct({
                firstOffset: int64(),
                lastOffset: int64(),
                deliveryCount: int16(),
              }),
            ),
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
export type ShareFetchResponse = Infer<typeof shareFetchResponse>

export const shareFetchApi = api(shareFetchRequest, shareFetchResponse, { listeners: BROKER })
