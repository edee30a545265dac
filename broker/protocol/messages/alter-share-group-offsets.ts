import { array, int16, int32, int64, string, struct, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const alterShareGroupOffsetsRequest = message(
  { name: 'AlterShareGroupOffsetsRequest', apiKey: 91, validVersions: '0', flexibleVersions: '0+' },
  {
    groupId: string(),
    topics: array(
      struct({
        topicName: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            startOffset: int64(),
          }),
        ),
      }),
    ),
  },
)
export type AlterShareGroupOffsetsRequest = Infer<typeof alterShareGroupOffsetsRequest>

export const alterShareGroupOffsetsResponse = message(
  { name: 'AlterShareGroupOffsetsResponse', apiKey: 91, validVersions: '0', flexibleVersions: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ cut: true, nullable: true, default: null }),
    responses: array(
      struct({
        topicName: string(),
        topicId: uuid(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
            errorMessage: string({ cut: true, nullable: true, default: null }),
          }),
        ),
      }),
    ),
  },
)
export type AlterShareGroupOffsetsResponse = Infer<typeof alterShareGroupOffsetsResponse>

export const alterShareGroupOffsetsApi = api(alterShareGroupOffsetsRequest, alterShareGroupOffsetsResponse, {
  listeners: BROKER,
})
