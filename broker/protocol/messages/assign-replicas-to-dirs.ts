import { array, int16, int32, int64, struct, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, CONTROLLER } from '../api.ts'

export const assignReplicasToDirsRequest = message(
  { name: 'AssignReplicasToDirsRequest', apiKey: 73, validVersions: '0', flexibleVersions: '0+' },
  {
    brokerId: int32(),
    brokerEpoch: int64({ default: -1n }),
    directories: array(
      struct({
        id: uuid(),
        topics: array(
          struct({
            topicId: uuid(),
            partitions: array(
              struct({
                partitionIndex: int32(),
              }),
            ),
          }),
        ),
      }),
    ),
  },
)
export type AssignReplicasToDirsRequest = Infer<typeof assignReplicasToDirsRequest>

export const assignReplicasToDirsResponse = message(
  { name: 'AssignReplicasToDirsResponse', apiKey: 73, validVersions: '0', flexibleVersions: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    directories: array(
      struct({
        id: uuid(),
        topics: array(
          struct({
            topicId: uuid(),
            partitions: array(
              struct({
                partitionIndex: int32(),
                errorCode: int16(),
              }),
            ),
          }),
        ),
      }),
    ),
  },
)
export type AssignReplicasToDirsResponse = Infer<typeof assignReplicasToDirsResponse>

export const assignReplicasToDirsApi = api(assignReplicasToDirsRequest, assignReplicasToDirsResponse, {
  listeners: CONTROLLER,
})
