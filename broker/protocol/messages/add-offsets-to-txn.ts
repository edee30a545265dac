import { int16, int32, int64, string } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const addOffsetsToTxnRequest = message(
  { name: 'AddOffsetsToTxnRequest', apiKey: 25, validVersions: '0-4', flexibleVersions: '3+' },
  {
    transactionalId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    groupId: string(),
  },
)
export type AddOffsetsToTxnRequest = Infer<typeof addOffsetsToTxnRequest>

export const addOffsetsToTxnResponse = message(
  { name: 'AddOffsetsToTxnResponse', apiKey: 25, validVersions: '0-4', flexibleVersions: '3+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
  },
)
export type AddOffsetsToTxnResponse = Infer<typeof addOffsetsToTxnResponse>

export const addOffsetsToTxnApi = api(addOffsetsToTxnRequest, addOffsetsToTxnResponse, { listeners: BROKER })
