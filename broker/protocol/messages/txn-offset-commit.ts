import { array, int16, int32, int64, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const txnOffsetCommitRequest = message(
  { name: 'TxnOffsetCommitRequest', apiKey: 28, validVersions: '0-5', flexibleVersions: '3+' },
  {
    transactionalId: string(),
    groupId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    generationId: int32({ versions: '3+', default: -1 }),
    memberId: string({ versions: '3+' }),
    groupInstanceId: string({ versions: '3+', nullable: true, default: null }),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            committedOffset: int64(),
            committedLeaderEpoch: int32({ versions: '2+', default: -1 }),
            committedMetadata: string({ nullable: true }),
          }),
        ),
      }),
    ),
  },
)
export type TxnOffsetCommitRequest = Infer<typeof txnOffsetCommitRequest>

export const txnOffsetCommitResponse = message(
  { name: 'TxnOffsetCommitResponse', apiKey: 28, validVersions: '0-5', flexibleVersions: '3+' },
  {
    throttleTimeMs: int32(),
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
  },
)
export type TxnOffsetCommitResponse = Infer<typeof txnOffsetCommitResponse>

export const txnOffsetCommitApi = api(txnOffsetCommitRequest, txnOffsetCommitResponse, { listeners: BROKER })
