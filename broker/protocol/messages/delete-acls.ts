import { array, int16, int32, int8, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BOTH } from '../api.ts'

export const deleteAclsRequest = message(
  { name: 'DeleteAclsRequest', apiKey: 31, validVersions: '1-3', flexibleVersions: '2+' },
  {
    filters: array(
      struct({
        resourceTypeFilter: int8(),
        resourceNameFilter: string({ nullable: true }),
        patternTypeFilter: int8({ default: 3 }),
        principalFilter: string({ nullable: true }),
        hostFilter: string({ nullable: true }),
        operation: int8(),
        permissionType: int8(),
      }),
    ),
  },
)
export type DeleteAclsRequest = Infer<typeof deleteAclsRequest>

export const deleteAclsResponse = message(
  { name: 'DeleteAclsResponse', apiKey: 31, validVersions: '1-3', flexibleVersions: '2+' },
  {
    throttleTimeMs: int32(),
    filterResults: array(
      struct({
        errorCode: int16(),
        errorMessage: string({ cut: true, nullable: true }),
        matchingAcls: array(
          struct({
            errorCode: int16(),
            errorMessage: string({ cut: true, nullable: true }),
            resourceType: int8(),
            resourceName: string(),
            patternType: int8({ default: 3 }),
            principal: string(),
            host: string(),
            operation: int8(),
            permissionType: int8(),
          }),
        ),
      }),
    ),
  },
)
export type DeleteAclsResponse = Infer<typeof deleteAclsResponse>

export const deleteAclsApi = api(deleteAclsRequest, deleteAclsResponse, { listeners: BOTH, forwardable: true })
