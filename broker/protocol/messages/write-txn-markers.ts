import { array, bool, int16, int32, int64, int8, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const writeTxnMarkersRequest = message(
  { name: 'WriteTxnMarkersRequest', apiKey: 27, validVersions: '1-2', flexibleVersions: '1+' },
  {
    markers: array(
      struct({
        producerId: int64(),
        producerEpoch: int16(),
        transactionResult: bool(),
        topics: array(
          struct({
            name: string(),
            partitionIndexes: array(int32()),
          }),
        ),
        coordinatorEpoch: int32(),
        transactionVersion: int8({ versions: '2+' }),
      }),
    ),
  },
)
export type WriteTxnMarkersRequest = Infer<typeof writeTxnMarkersRequest>

export const writeTxnMarkersResponse = message(
  { name: 'WriteTxnMarkersResponse', apiKey: 27, validVersions: '1-2', flexibleVersions: '1+' },
  {
    markers: array(
      struct({
        producerId: int64(),
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
      }),
    ),
  },
)
export type WriteTxnMarkersResponse = Infer<typeof writeTxnMarkersResponse>

export const writeTxnMarkersApi = api(writeTxnMarkersRequest, writeTxnMarkersResponse, {
  listeners: BROKER,
  clusterAction: true,
})
