import { array, int16, int32, int64, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const offsetForLeaderEpochRequest = message(
  { name: 'OffsetForLeaderEpochRequest', apiKey: 23, validVersions: '2-4', flexibleVersions: '4+' },
  {
    replicaId: int32({ versions: '3+', default: -2 }),
    topics: array(
      struct({
        topic: string(),
        partitions: array(
          struct({
            partition: int32(),
            currentLeaderEpoch: int32({ default: -1 }),
            leaderEpoch: int32(),
          }),
        ),
      }),
    ),
  },
)
export type OffsetForLeaderEpochRequest = Infer<typeof offsetForLeaderEpochRequest>

export const offsetForLeaderEpochResponse = message(
  { name: 'OffsetForLeaderEpochResponse', apiKey: 23, validVersions: '2-4', flexibleVersions: '4+' },
  {
    throttleTimeMs: int32(),
    topics: array(
      struct({
        topic: string(),
        partitions: array(
          struct({
            errorCode: int16(),
            partition: int32(),
            leaderEpoch: int32({ default: -1 }),
            endOffset: int64({ default: -1n }),
          }),
        ),
      }),
    ),
  },
)
export type OffsetForLeaderEpochResponse = Infer<typeof offsetForLeaderEpochResponse>

export const offsetForLeaderEpochApi = api(offsetForLeaderEpochRequest, offsetForLeaderEpochResponse, {
  listeners: BROKER,
})
