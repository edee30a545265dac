import { array, int16, int32, int64, int8, struct, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, CONTROLLER } from '../api.ts'

export const alterPartitionRequest = message(
  { name: 'AlterPartitionRequest', apiKey: 56, validVersions: '2-3', flexibleVersions: '2+' },
  {
    brokerId: int32(),
    brokerEpoch: int64({ default: -1n }),
    topics: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            leaderEpoch: int32(),
            newIsrWithEpochs: array(
              struct({
                brokerId: int32(),
                brokerEpoch: int64({ default: -1n }),
              }),
              { versions: '3+' },
            ),
            newIsr: array(int32(), { versions: '2' }),
            leaderRecoveryState: int8(),
            partitionEpoch: int32(),
          }),
        ),
      }),
    ),
  },
)
export type AlterPartitionRequest = Infer<typeof alterPartitionRequest>

export const alterPartitionResponse = message(
  { name: 'AlterPartitionResponse', apiKey: 56, validVersions: '2-3', flexibleVersions: '2+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    topics: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
            leaderId: int32(),
            leaderEpoch: int32(),
            isr: array(int32()),
            leaderRecoveryState: int8(),
            partitionEpoch: int32(),
          }),
        ),
      }),
    ),
  },
)
export type AlterPartitionResponse = Infer<typeof alterPartitionResponse>

export const alterPartitionApi = api(alterPartitionRequest, alterPartitionResponse, {
  listeners: CONTROLLER,
  clusterAction: true,
})
