import { bytes, int16 } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, CONTROLLER } from '../api.ts'

export const envelopeRequest = message(
  { name: 'EnvelopeRequest', apiKey: 58, validVersions: '0', flexibleVersions: '0+' },
  {
    requestData: bytes(),
    requestPrincipal: bytes({ nullable: true }),
    clientHostAddress: bytes(),
  },
)
export type EnvelopeRequest = Infer<typeof envelopeRequest>

export const envelopeResponse = message(
  { name: 'EnvelopeResponse', apiKey: 58, validVersions: '0', flexibleVersions: '0+' },
  {
    responseData: bytes({ nullable: true, default: null }),
    errorCode: int16(),
  },
)
export type EnvelopeResponse = Infer<typeof envelopeResponse>

export const envelopeApi = api(envelopeRequest, envelopeResponse, { listeners: CONTROLLER, clusterAction: true })
