import { array, int16, int32, int64, int8, string, struct, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const writeShareGroupStateRequest = message(
  { name: 'WriteShareGroupStateRequest', apiKey: 85, validVersions: '0-1', flexibleVersions: '0+' },
  {
    groupId: string(),
    topics: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partition: int32(),
            stateEpoch: int32(),
            leaderEpoch: int32(),
            startOffset: int64(),
            deliveryCompleteCount: int32({ versions: '1+', default: -1 }),
            stateBatches: array(
              struct({
                firstOffset: int64(),
                lastOffset: int64(),
                deliveryState: int8(),
                deliveryCount: int16(),
              }),
            ),
          }),
        ),
      }),
    ),
  },
)
export type WriteShareGroupStateRequest = Infer<typeof writeShareGroupStateRequest>

export const writeShareGroupStateResponse = message(
  { name: 'WriteShareGroupStateResponse', apiKey: 85, validVersions: '0-1', flexibleVersions: '0+' },
  {
    results: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partition: int32(),
            errorCode: int16(),
            errorMessage: string({ cut: true, nullable: true, default: null }),
          }),
        ),
      }),
    ),
  },
)
export type WriteShareGroupStateResponse = Infer<typeof writeShareGroupStateResponse>

export const writeShareGroupStateApi = api(writeShareGroupStateRequest, writeShareGroupStateResponse, {
  listeners: BROKER,
  clusterAction: true,
})
