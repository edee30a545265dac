import { int16, int32, string } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const heartbeatRequest = message(
  { name: 'HeartbeatRequest', apiKey: 12, validVersions: '0-4', flexibleVersions: '4+' },
  {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: string({ versions: '3+', nullable: true, default: null }),
  },
)
export type HeartbeatRequest = Infer<typeof heartbeatRequest>

export const heartbeatResponse = message(
  { name: 'HeartbeatResponse', apiKey: 12, validVersions: '0-4', flexibleVersions: '4+' },
  {
    throttleTimeMs: int32({ versions: '1+' }),
    errorCode: int16(),
  },
)
export type HeartbeatResponse = Infer<typeof heartbeatResponse>

export const heartbeatApi = api(heartbeatRequest, heartbeatResponse, { listeners: BROKER })
