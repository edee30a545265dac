import { array, int16, int32, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const alterReplicaLogDirsRequest = message(
  { name: 'AlterReplicaLogDirsRequest', apiKey: 34, validVersions: '1-2', flexibleVersions: '2+' },
  {
    dirs: array(
      struct({
        path: string(),
        topics: array(
          struct({
            name: string(),
            partitions: array(int32()),
          }),
        ),
      }),
    ),
  },
)
export type AlterReplicaLogDirsRequest = Infer<typeof alterReplicaLogDirsRequest>

export const alterReplicaLogDirsResponse = message(
  { name: 'AlterReplicaLogDirsResponse', apiKey: 34, validVersions: '1-2', flexibleVersions: '2+' },
  {
    throttleTimeMs: int32(),
    results: array(
      struct({
        topicName: string(),
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
export type AlterReplicaLogDirsResponse = Infer<typeof alterReplicaLogDirsResponse>

export const alterReplicaLogDirsApi = api(alterReplicaLogDirsRequest, alterReplicaLogDirsResponse, {
  listeners: BROKER,
})
