import { array, int16, string } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BOTH } from '../api.ts'

export const saslHandshakeRequest = message(
  { name: 'SaslHandshakeRequest', apiKey: 17, validVersions: '0-1', flexibleVersions: 'none' },
  {
    mechanism: string(),
  },
)
export type SaslHandshakeRequest = Infer<typeof saslHandshakeRequest>

export const saslHandshakeResponse = message(
  { name: 'SaslHandshakeResponse', apiKey: 17, validVersions: '0-1', flexibleVersions: 'none' },
  {
    errorCode: int16(),
    mechanisms: array(string()),
  },
)
export type SaslHandshakeResponse = Infer<typeof saslHandshakeResponse>

export const saslHandshakeApi = api(saslHandshakeRequest, saslHandshakeResponse, { listeners: BOTH })
