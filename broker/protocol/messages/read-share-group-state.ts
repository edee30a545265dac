import { array, int16, int32, int64, int8, string, struct, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const readShareGroupStateRequest = message(
  { name: 'ReadShareGroupStateRequest', apiKey: 84, validVersions: '0', flexibleVersions: '0+' },
  {
    groupId: string(),
    topics: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partition: int32(),
            leaderEpoch: int32(),
          }),
        ),
      }),
    ),
  },
)
export type ReadShareGroupStateRequest = Infer<typeof readShareGroupStateRequest>

export const readShareGroupStateResponse = message(
  { name: 'ReadShareGroupStateResponse', apiKey: 84, validVersions: '0', flexibleVersions: '0+' },
  {
    results: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partition: int32(),
            errorCode: int16(),
            errorMessage: string({ cut: true, nullable: true, default: null }),
            stateEpoch: int32(),
            startOffset: int64(),
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
export type ReadShareGroupStateResponse = Infer<typeof readShareGroupStateResponse>

export const readShareGroupStateApi = api(readShareGroupStateRequest, readShareGroupStateResponse, {
  listeners: BROKER,
  clusterAction: true,
})
