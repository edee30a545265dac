import { array, int16, int32, int64, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const listTransactionsRequest = message(
  { name: 'ListTransactionsRequest', apiKey: 66, validVersions: '0-2', flexibleVersions: '0+' },
  {
    stateFilters: array(string()),
    producerIdFilters: array(int64()),
    durationFilter: int64({ versions: '1+', default: -1n }),
    transactionalIdPattern: string({ versions: '2+', nullable: true, default: null }),
  },
)
export type ListTransactionsRequest = Infer<typeof listTransactionsRequest>

export const listTransactionsResponse = message(
  { name: 'ListTransactionsResponse', apiKey: 66, validVersions: '0-2', flexibleVersions: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    unknownStateFilters: array(string()),
    transactionStates: array(
      struct({
        transactionalId: string(),
        producerId: int64(),
        transactionState: string(),
      }),
    ),
  },
)
export type ListTransactionsResponse = Infer<typeof listTransactionsResponse>

export const listTransactionsApi = api(listTransactionsRequest, listTransactionsResponse, { listeners: BROKER })
