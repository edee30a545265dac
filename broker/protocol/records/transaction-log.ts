import { array, int16, int32, int64, int8, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'

export const transactionLogKey = message(
  { name: 'TransactionLogKey', apiKey: 0, validVersions: '0', flexibleVersions: 'none' },
  {
    transactionalId: string(),
  },
)
export type TransactionLogKey = Infer<typeof transactionLogKey>

export const transactionLogValue = message(
  { name: 'TransactionLogValue', apiKey: 0, validVersions: '0-1', flexibleVersions: '1+' },
  {
    producerId: int64(),
    producerEpoch: int16(),
    transactionTimeoutMs: int32(),
    transactionStatus: int8(),
    transactionPartitions: array(
      struct({
        topic: string(),
        partitionIds: array(int32()),
      }),
      { nullable: true },
    ),
    transactionLastUpdateTimestampMs: int64(),
    transactionStartTimestampMs: int64(),
    previousProducerId: int64({ versions: '1+', tag: 0, default: -1n }),
    nextProducerId: int64({ versions: '1+', tag: 1, default: -1n }),
    clientTransactionVersion: int16({ versions: '1+', tag: 2 }),
    nextProducerEpoch: int16({ versions: '1+', tag: 3, default: -1 }),
  },
)
export type TransactionLogValue = Infer<typeof transactionLogValue>
