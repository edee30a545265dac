import { array, int16, int32, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BOTH } from '../api.ts'

export const listPartitionReassignmentsRequest = message(
  { name: 'ListPartitionReassignmentsRequest', apiKey: 46, validVersions: '0', flexibleVersions: '0+' },
  {
    timeoutMs: int32({ default: 60000 }),
    topics: array(
      struct({
        name: string(),
        partitionIndexes: array(int32()),
      }),
      { nullable: true, default: null },
    ),
  },
)
export type ListPartitionReassignmentsRequest = Infer<typeof listPartitionReassignmentsRequest>

export const listPartitionReassignmentsResponse = message(
  { name: 'ListPartitionReassignmentsResponse', apiKey: 46, validVersions: '0', flexibleVersions: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ cut: true, nullable: true }),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            replicas: array(int32()),
            addingReplicas: array(int32()),
            removingReplicas: array(int32()),
          }),
        ),
      }),
    ),
  },
)
export type ListPartitionReassignmentsResponse = Infer<typeof listPartitionReassignmentsResponse>

export const listPartitionReassignmentsApi = api(
  listPartitionReassignmentsRequest,
  listPartitionReassignmentsResponse,
  { listeners: BOTH, forwardable: true },
)
