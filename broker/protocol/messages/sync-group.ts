import { array, bytes, int16, int32, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const syncGroupRequest = message(
  { name: 'SyncGroupRequest', apiKey: 14, validVersions: '0-5', flexibleVersions: '4+' },
  {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: string({ versions: '3+', nullable: true, default: null }),
    protocolType: string({ versions: '5+', nullable: true, default: null }),
    protocolName: string({ versions: '5+', nullable: true, default: null }),
    assignments: array(
      struct({
        memberId: string(),
        assignment: bytes(),
      }),
    ),
  },
)
export type SyncGroupRequest = Infer<typeof syncGroupRequest>

export const syncGroupResponse = message(
  { name: 'SyncGroupResponse', apiKey: 14, validVersions: '0-5', flexibleVersions: '4+' },
  {
    throttleTimeMs: int32({ versions: '1+' }),
    errorCode: int16(),
    protocolType: string({ versions: '5+', nullable: true, default: null }),
    protocolName: string({ versions: '5+', nullable: true, default: null }),
    assignment: bytes(),
  },
)
export type SyncGroupResponse = Infer<typeof syncGroupResponse>

export const syncGroupApi = api(syncGroupRequest, syncGroupResponse, { listeners: BROKER })
