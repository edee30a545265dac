import { bytes, int16, int64, string } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BOTH } from '../api.ts'

export const saslAuthenticateRequest = message(
  { name: 'SaslAuthenticateRequest', apiKey: 36, validVersions: '0-2', flexibleVersions: '2+' },
  {
    authBytes: bytes(),
  },
)
export type SaslAuthenticateRequest = Infer<typeof saslAuthenticateRequest>

export const saslAuthenticateResponse = message(
  { name: 'SaslAuthenticateResponse', apiKey: 36, validVersions: '0-2', flexibleVersions: '2+' },
  {
    errorCode: int16(),
    errorMessage: string({ cut: true, nullable: true }),
    authBytes: bytes(),
    sessionLifetimeMs: int64({ versions: '1+' }),
  },
)
export type SaslAuthenticateResponse = Infer<typeof saslAuthenticateResponse>

export const saslAuthenticateApi = api(saslAuthenticateRequest, saslAuthenticateResponse, { listeners: BOTH })
