import { array, int16, int32, string, struct, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const deleteShareGroupOffsetsRequest = message(
  { name: 'DeleteShareGroupOffsetsRequest', apiKey: 92, validVersions: '0', flexibleVersions: '0+' },
  {
    groupId: string(),
    topics: array(
      struct({
        topicName: string(),
      }),
    ),
  },
)
export type DeleteShareGroupOffsetsRequest = Infer<typeof deleteShareGroupOffsetsRequest>

export const deleteShareGroupOffsetsResponse = message(
  { name: 'DeleteShareGroupOffsetsResponse', apiKey: 92, validVersions: '0', flexibleVersions: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ cut: true, nullable: true, default: null }),
    responses: array(
      struct({
        topicName: string(),
        topicId: uuid(),
        errorCode: int16(),
        errorMessage: string({ cut: true, nullable: true, default: null }),
      }),
    ),
  },
)
export type DeleteShareGroupOffsetsResponse = Infer<typeof deleteShareGroupOffsetsResponse>

export const deleteShareGroupOffsetsApi = api(deleteShareGroupOffsetsRequest, deleteShareGroupOffsetsResponse, {
  listeners: BROKER,
})
