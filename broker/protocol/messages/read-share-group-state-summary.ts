import { array, int16, int32, int64, string, struct, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const readShareGroupStateSummaryRequest = message(
  { name: 'ReadShareGroupStateSummaryRequest', apiKey: 87, validVersions: '0-1', flexibleVersions: '0+' },
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
export type ReadShareGroupStateSummaryRequest = Infer<typeof readShareGroupStateSummaryRequest>

export const readShareGroupStateSummaryResponse = message(
  { name: 'ReadShareGroupStateSummaryResponse', apiKey: 87, validVersions: '0-1', flexibleVersions: '0+' },
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
            leaderEpoch: int32(),
            startOffset: int64(),
            deliveryCompleteCount: int32({ versions: '1+', default: -1 }),
          }),
        ),
      }),
    ),
  },
)
export type ReadShareGroupStateSummaryResponse = Infer<typeof readShareGroupStateSummaryResponse>

export const readShareGroupStateSummaryApi = api(
  readShareGroupStateSummaryRequest,
  readShareGroupStateSummaryResponse,
  { listeners: BROKER, clusterAction: true },
)
