import { array, int16, int32, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const leaveGroupRequest = message(
  { name: 'LeaveGroupRequest', apiKey: 13, validVersions: '0-5', flexibleVersions: '4+' },
  {
    groupId: string(),
    members: array(
      struct({
        memberId: string(),
        groupInstanceId: string({ nullable: true, default: null }),
        reason: string({ versions: '5+', nullable: true, default: null }),
      }),
      { versions: '3+' },
    ),
    memberId: string({ versions: '0-2' }),
  },
)
export type LeaveGroupRequest = Infer<typeof leaveGroupRequest>

export const leaveGroupResponse = message(
  { name: 'LeaveGroupResponse', apiKey: 13, validVersions: '0-5', flexibleVersions: '4+' },
  {
    throttleTimeMs: int32({ versions: '1+' }),
    errorCode: int16(),
    members: array(
      struct({
        memberId: string(),
        groupInstanceId: string({ nullable: true }),
        errorCode: int16(),
      }),
      { versions: '3+' },
    ),
  },
)
export type LeaveGroupResponse = Infer<typeof leaveGroupResponse>

export const leaveGroupApi = api(leaveGroupRequest, leaveGroupResponse, { listeners: BROKER })
