import { array, bool, int16, int32, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BOTH } from '../api.ts'

export const alterPartitionReassignmentsRequest = message(
  { name: 'AlterPartitionReassignmentsRequest', apiKey: 45, validVersions: '0-1', flexibleVersions: '0+' },
  {
    timeoutMs: int32({ default: 60000 }),
    allowReplicationFactorChange: bool({ versions: '1+', default: true }),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            replicas: array(int32(), { nullable: true, default: null }),
          }),
        ),
      }),
    ),
  },
)
export type AlterPartitionReassignmentsRequest = Infer<typeof alterPartitionReassignmentsRequest>

export const alterPartitionReassignmentsResponse = message(
  { name: 'AlterPartitionReassignmentsResponse', apiKey: 45, validVersions: '0-1', flexibleVersions: '0+' },
  {
    throttleTimeMs: int32(),
    allowReplicationFactorChange: bool({ versions: '1+', default: true }),
    errorCode: int16(),
    errorMessage: string({ cut: true, nullable: true }),
    responses: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
            errorMessage: string({ cut: true, nullable: true }),
          }),
        ),
      }),
    ),
  },
)
export type AlterPartitionReassignmentsResponse = Infer<typeof alterPartitionReassignmentsResponse>

export const alterPartitionReassignmentsApi = api(
  alterPartitionReassignmentsRequest,
  alterPartitionReassignmentsResponse,
  { listeners: BOTH, forwardable: true },
)
