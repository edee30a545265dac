import { array, int16, int32, string, struct, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const deleteShareGroupStateRequest = message(
  { name: 'DeleteShareGroupStateRequest', apiKey: 86, validVersions: '0', flexibleVersions: '0+' },
  {
    groupId: string(),
    topics: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partition: int32(),
          }),
        ),
      }),
    ),
  },
)
export type DeleteShareGroupStateRequest = Infer<typeof deleteShareGroupStateRequest>

export const deleteShareGroupStateResponse = message(
  { name: 'DeleteShareGroupStateResponse', apiKey: 86, validVersions: '0', flexibleVersions: '0+' },
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
export type DeleteShareGroupStateResponse = Infer<typeof deleteShareGroupStateResponse>

export const deleteShareGroupStateApi = api(deleteShareGroupStateRequest, deleteShareGroupStateResponse, {
  listeners: BROKER,
  clusterAction: true,
})
