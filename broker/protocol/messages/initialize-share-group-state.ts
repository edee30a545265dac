import { array, int16, int32, int64, string, struct, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const initializeShareGroupStateRequest = message(
  { name: 'InitializeShareGroupStateRequest', apiKey: 83, validVersions: '0', flexibleVersions: '0+' },
  {
    groupId: string(),
    topics: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partition: int32(),
            stateEpoch: int32(),
            startOffset: int64(),
          }),
        ),
      }),
    ),
  },
)
export type InitializeShareGroupStateRequest = Infer<typeof initializeShareGroupStateRequest>

export const initializeShareGroupStateResponse = message(
  { name: 'InitializeShareGroupStateResponse', apiKey: 83, validVersions: '0', flexibleVersions: '0+' },
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
export type InitializeShareGroupStateResponse = Infer<typeof initializeShareGroupStateResponse>

export const initializeShareGroupStateApi = api(initializeShareGroupStateRequest, initializeShareGroupStateResponse, {
  listeners: BROKER,
  clusterAction: true,
})
