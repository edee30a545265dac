import { array, bool, bytes, int16, int32, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const joinGroupRequest = message(
  { name: 'JoinGroupRequest', apiKey: 11, validVersions: '0-9', flexibleVersions: '6+' },
  {
    groupId: string(),
    sessionTimeoutMs: int32(),
    rebalanceTimeoutMs: int32({ versions: '1+', default: -1 }),
    memberId: string(),
    groupInstanceId: string({ versions: '5+', nullable: true, default: null }),
    protocolType: string(),
    protocols: array(
      struct({
        name: string(),
        metadata: bytes(),
      }),
    ),
    reason: string({ versions: '8+', nullable: true, default: null }),
  },
)
export type JoinGroupRequest = Infer<typeof joinGroupRequest>

export const joinGroupResponse = message(
  { name: 'JoinGroupResponse', apiKey: 11, validVersions: '0-9', flexibleVersions: '6+' },
  {
    throttleTimeMs: int32({ versions: '2+' }),
    errorCode: int16(),
    generationId: int32({ default: -1 }),
    protocolType: string({ versions: '7+', nullable: true, default: null }),
    protocolName: string({ nullable: '7+' }),
    leader: string(),
    skipAssignment: bool({ versions: '9+' }),
    memberId: string(),
    members: array(
      struct({
        memberId: string(),
        groupInstanceId: string({ versions: '5+', nullable: true, default: null }),
        metadata: bytes(),
      }),
    ),
  },
)
export type JoinGroupResponse = Infer<typeof joinGroupResponse>

export const joinGroupApi = api(joinGroupRequest, joinGroupResponse, { listeners: BROKER })
