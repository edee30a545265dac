import { array, bool, int16, int32, int64, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const addPartitionsToTxnRequest = message(
  { name: 'AddPartitionsToTxnRequest', apiKey: 24, validVersions: '0-5', flexibleVersions: '3+' },
  {
    transactions: array(
      struct({
        transactionalId: string(),
        producerId: int64(),
        producerEpoch: int16(),
        verifyOnly: bool(),
        topics: array(
          struct({
            name: string(),
            partitions: array(int32()),
          }),
        ),
      }),
      { versions: '4+' },
    ),
    v3AndBelowTransactionalId: string({ versions: '0-3' }),
    v3AndBelowProducerId: int64({ versions: '0-3' }),
    v3AndBelowProducerEpoch: int16({ versions: '0-3' }),
    v3AndBelowTopics: array(
      struct({
        name: string(),
        partitions: array(int32()),
      }),
      { versions: '0-3' },
    ),
  },
)
export type AddPartitionsToTxnRequest = Infer<typeof addPartitionsToTxnRequest>

export const addPartitionsToTxnResponse = message(
  { name: 'AddPartitionsToTxnResponse', apiKey: 24, validVersions: '0-5', flexibleVersions: '3+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16({ versions: '4+' }),
    resultsByTransaction: array(
      struct({
        transactionalId: string(),
        topicResults: array(
          struct({
            name: string(),
            resultsByPartition: array(
              struct({
                partitionIndex: int32(),
                partitionErrorCode: int16(),
              }),
            ),
          }),
        ),
      }),
      { versions: '4+' },
    ),
    resultsByTopicV3AndBelow: array(
      struct({
        name: string(),
        resultsByPartition: array(
          struct({
            partitionIndex: int32(),
            partitionErrorCode: int16(),
          }),
        ),
      }),
      { versions: '0-3' },
    ),
  },
)
export type AddPartitionsToTxnResponse = Infer<typeof addPartitionsToTxnResponse>

export const addPartitionsToTxnApi = api(addPartitionsToTxnRequest, addPartitionsToTxnResponse, { listeners: BROKER })
