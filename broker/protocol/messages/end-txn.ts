import { bool, int16, int32, int64, string } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const endTxnRequest = message(
  { name: 'EndTxnRequest', apiKey: 26, validVersions: '0-5', flexibleVersions: '3+' },
  {
    transactionalId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    committed: bool(),
  },
)
export type EndTxnRequest = Infer<typeof endTxnRequest>

export const endTxnResponse = message(
  { name: 'EndTxnResponse', apiKey: 26, validVersions: '0-5', flexibleVersions: '3+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    producerId: int64({ versions: '5+', default: -1n }),
    producerEpoch: int16({ versions: '5+', default: -1 }),
  },
)
export type EndTxnResponse = Infer<typeof endTxnResponse>

export const endTxnApi = api(endTxnRequest, endTxnResponse, { listeners: BROKER })
