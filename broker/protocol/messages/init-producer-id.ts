import { bool, int16, int32, int64, string } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const initProducerIdRequest = message(
  { name: 'InitProducerIdRequest', apiKey: 22, validVersions: '0-6', flexibleVersions: '2+' },
  {
    transactionalId: string({ nullable: true }),
    transactionTimeoutMs: int32(),
    producerId: int64({ versions: '3+', default: -1n }),
    producerEpoch: int16({ versions: '3+', default: -1 }),
    enable2Pc: bool({ versions: '6+' }),
    keepPreparedTxn: bool({ versions: '6+' }),
  },
)
export type InitProducerIdRequest = Infer<typeof initProducerIdRequest>

export const initProducerIdResponse = message(
  { name: 'InitProducerIdResponse', apiKey: 22, validVersions: '0-6', flexibleVersions: '2+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    producerId: int64({ default: -1n }),
    producerEpoch: int16(),
    ongoingTxnProducerId: int64({ versions: '6+', default: -1n }),
    ongoingTxnProducerEpoch: int16({ versions: '6+', default: -1 }),
  },
)
export type InitProducerIdResponse = Infer<typeof initProducerIdResponse>

export const initProducerIdApi = api(initProducerIdRequest, initProducerIdResponse, {
  listeners: BROKER,
  latestUnstable: 6,
})
