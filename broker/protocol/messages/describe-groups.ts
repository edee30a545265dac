import { array, bool, bytes, int16, int32, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const describeGroupsRequest = message(
  { name: 'DescribeGroupsRequest', apiKey: 15, validVersions: '0-6', flexibleVersions: '5+' },
  {
    groups: array(string()),
    includeAuthorizedOperations: bool({ versions: '3+' }),
  },
)
export type DescribeGroupsRequest = Infer<typeof describeGroupsRequest>

export const describeGroupsResponse = message(
  { name: 'DescribeGroupsResponse', apiKey: 15, validVersions: '0-6', flexibleVersions: '5+' },
  {
    throttleTimeMs: int32({ versions: '1+' }),
    groups: array(
      struct({
        errorCode: int16(),
        errorMessage: string({ cut: true, versions: '6+', nullable: true, default: null }),
        groupId: string(),
        groupState: string(),
        protocolType: string(),
        protocolData: string(),
        members: array(
          struct({
            memberId: string(),
            groupInstanceId: string({ versions: '4+', nullable: true, default: null }),
            clientId: string(),
            clientHost: string(),
            memberMetadata: bytes(),
            memberAssignment: bytes(),
          }),
        ),
        authorizedOperations: int32({ versions: '3+', default: -2147483648 }),
      }),
    ),
  },
)
export type DescribeGroupsResponse = Infer<typeof describeGroupsResponse>

export const describeGroupsApi = api(describeGroupsRequest, describeGroupsResponse, { listeners: BROKER })
