import { array, int16, int32, int64, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const deleteRecordsRequest = message(
  { name: 'DeleteRecordsRequest', apiKey: 21, validVersions: '0-2', flexibleVersions: '2+' },
  {
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            offset: int64(),
          }),
        ),
      }),
    ),
    timeoutMs: int32(),
  },
)
export type DeleteRecordsRequest = Infer<typeof deleteRecordsRequest>

export const deleteRecordsResponse = message(
  { name: 'DeleteRecordsResponse', apiKey: 21, validVersions: '0-2', flexibleVersions: '2+' },
  {
    throttleTimeMs: int32(),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            lowWatermark: int64(),
            errorCode: int16(),
          }),
        ),
      }),
    ),
  },
)
export type DeleteRecordsResponse = Infer<typeof deleteRecordsResponse>

export const deleteRecordsApi = api(deleteRecordsRequest, deleteRecordsResponse, { listeners: BROKER })
