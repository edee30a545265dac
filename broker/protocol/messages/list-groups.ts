import { array, int16, int32, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const listGroupsRequest = message(
  { name: 'ListGroupsRequest', apiKey: 16, validVersions: '0-5', flexibleVersions: '3+' },
  {
    statesFilter: array(string(), { versions: '4+' }),
    typesFilter: array(string(), { versions: '5+' }),
  },
)
export type ListGroupsRequest = Infer<typeof listGroupsRequest>

export const listGroupsResponse = message(
  { name: 'ListGroupsResponse', apiKey: 16, validVersions: '0-5', flexibleVersions: '3+' },
  {
    throttleTimeMs: int32({ versions: '1+' }),
    errorCode: int16(),
    groups: array(
      struct({
        groupId: string(),
        protocolType: string(),
        groupState: string({ versions: '4+' }),
        groupType: string({ versions: '5+' }),
      }),
    ),
  },
)
export type ListGroupsResponse = Infer<typeof listGroupsResponse>

export const listGroupsApi = api(listGroupsRequest, listGroupsResponse, { listeners: BROKER })
