import { array, int16, int32, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const deleteGroupsRequest = message(
  { name: 'DeleteGroupsRequest', apiKey: 42, validVersions: '0-2', flexibleVersions: '2+' },
  {
    groupsNames: array(string()),
  },
)
export type DeleteGroupsRequest = Infer<typeof deleteGroupsRequest>

export const deleteGroupsResponse = message(
  { name: 'DeleteGroupsResponse', apiKey: 42, validVersions: '0-2', flexibleVersions: '2+' },
  {
    throttleTimeMs: int32(),
    results: array(
      struct({
        groupId: string(),
        errorCode: int16(),
      }),
    ),
  },
)
export type DeleteGroupsResponse = Infer<typeof deleteGroupsResponse>

export const deleteGroupsApi = api(deleteGroupsRequest, deleteGroupsResponse, { listeners: BROKER })
