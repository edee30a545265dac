import { array, int16, int32, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const offsetDeleteRequest = message(
  { name: 'OffsetDeleteRequest', apiKey: 47, validVersions: '0', flexibleVersions: 'none' },
  {
    groupId: string(),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
          }),
        ),
      }),
    ),
  },
)
export type OffsetDeleteRequest = Infer<typeof offsetDeleteRequest>

export const offsetDeleteResponse = message(
  { name: 'OffsetDeleteResponse', apiKey: 47, validVersions: '0', flexibleVersions: 'none' },
  {
    errorCode: int16(),
    throttleTimeMs: int32(),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
          }),
        ),
      }),
    ),
  },
)
export type OffsetDeleteResponse = Infer<typeof offsetDeleteResponse>

export const offsetDeleteApi = api(offsetDeleteRequest, offsetDeleteResponse, { listeners: BROKER })
