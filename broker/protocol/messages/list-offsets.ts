import { array, int16, int32, int64, int8, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const listOffsetsRequest = message(
  { name: 'ListOffsetsRequest', apiKey: 2, validVersions: '1-11', flexibleVersions: '6+' },
  {
    replicaId: int32(),
    isolationLevel: int8({ versions: '2+' }),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            currentLeaderEpoch: int32({ versions: '4+', default: -1 }),
            timestamp: int64(),
          }),
        ),
      }),
    ),
    timeoutMs: int32({ versions: '10+' }),
  },
)
export type ListOffsetsRequest = Infer<typeof listOffsetsRequest>

export const listOffsetsResponse = message(
  { name: 'ListOffsetsResponse', apiKey: 2, validVersions: '1-11', flexibleVersions: '6+' },
  {
    throttleTimeMs: int32({ versions: '2+' }),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
            timestamp: int64({ default: -1n }),
            offset: int64({ default: -1n }),
            leaderEpoch: int32({ versions: '4+', default: -1 }),
          }),
        ),
      }),
    ),
  },
)
export type ListOffsetsResponse = Infer<typeof listOffsetsResponse>

export const listOffsetsApi = api(listOffsetsRequest, listOffsetsResponse, { listeners: BROKER })
