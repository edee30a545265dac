import { array, int16, int32, int64, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const describeProducersRequest = message(
  { name: 'DescribeProducersRequest', apiKey: 61, validVersions: '0', flexibleVersions: '0+' },
  {
    topics: array(
      struct({
        name: string(),
        partitionIndexes: array(int32()),
      }),
    ),
  },
)
export type DescribeProducersRequest = Infer<typeof describeProducersRequest>

export const describeProducersResponse = message(
  { name: 'DescribeProducersResponse', apiKey: 61, validVersions: '0', flexibleVersions: '0+' },
  {
    throttleTimeMs: int32(),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
            errorMessage: string({ cut: true, nullable: true, default: null }),
            activeProducers: array(
              struct({
                producerId: int64(),
                producerEpoch: int32(),
                lastSequence: int32({ default: -1 }),
                lastTimestamp: int64({ default: -1n }),
                coordinatorEpoch: int32(),
                currentTxnStartOffset: int64({ default: -1n }),
              }),
            ),
          }),
        ),
      }),
    ),
  },
)
export type DescribeProducersResponse = Infer<typeof describeProducersResponse>

export const describeProducersApi = api(describeProducersRequest, describeProducersResponse, { listeners: BROKER })
