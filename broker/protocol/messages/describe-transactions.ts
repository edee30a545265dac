import { array, int16, int32, int64, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const describeTransactionsRequest = message(
  { name: 'DescribeTransactionsRequest', apiKey: 65, validVersions: '0', flexibleVersions: '0+' },
  {
    transactionalIds: array(string()),
  },
)
export type DescribeTransactionsRequest = Infer<typeof describeTransactionsRequest>

export const describeTransactionsResponse = message(
  { name: 'DescribeTransactionsResponse', apiKey: 65, validVersions: '0', flexibleVersions: '0+' },
  {
    throttleTimeMs: int32(),
    transactionStates: array(
      struct({
        errorCode: int16(),
        transactionalId: string(),
        transactionState: string(),
        transactionTimeoutMs: int32(),
        transactionStartTimeMs: int64(),
        producerId: int64(),
        producerEpoch: int16(),
        topics: array(
          struct({
            topic: string(),
            partitions: array(int32()),
          }),
        ),
      }),
    ),
  },
)
export type DescribeTransactionsResponse = Infer<typeof describeTransactionsResponse>

export const describeTransactionsApi = api(describeTransactionsRequest, describeTransactionsResponse, {
  listeners: BROKER,
})
