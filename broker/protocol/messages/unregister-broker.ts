import { int16, int32, string } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BOTH } from '../api.ts'

export const unregisterBrokerRequest = message(
  { name: 'UnregisterBrokerRequest', apiKey: 64, validVersions: '0', flexibleVersions: '0+' },
  {
    brokerId: int32(),
  },
)
export type UnregisterBrokerRequest = Infer<typeof unregisterBrokerRequest>

export const unregisterBrokerResponse = message(
  { name: 'UnregisterBrokerResponse', apiKey: 64, validVersions: '0', flexibleVersions: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ cut: true, nullable: true }),
  },
)
export type UnregisterBrokerResponse = Infer<typeof unregisterBrokerResponse>

export const unregisterBrokerApi = api(unregisterBrokerRequest, unregisterBrokerResponse, {
  listeners: BOTH,
  forwardable: true,
})
