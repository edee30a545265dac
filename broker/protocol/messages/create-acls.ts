import { array, int16, int32, int8, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BOTH } from '../api.ts'

export const createAclsRequest = message(
  { name: 'CreateAclsRequest', apiKey: 30, validVersions: '1-3', flexibleVersions: '2+' },
  {
    creations: array(
      struct({
        resourceType: int8(),
        resourceName: string(),
        resourcePatternType: int8({ default: 3 }),
        principal: string(),
        host: string(),
        operation: int8(),
        permissionType: int8(),
      }),
    ),
  },
)
export type CreateAclsRequest = Infer<typeof createAclsRequest>

export const createAclsResponse = message(
  { name: 'CreateAclsResponse', apiKey: 30, validVersions: '1-3', flexibleVersions: '2+' },
  {
    throttleTimeMs: int32(),
    results: array(
      struct({
        errorCode: int16(),
        errorMessage: string({ cut: true, nullable: true }),
      }),
    ),
  },
)
export type CreateAclsResponse = Infer<typeof createAclsResponse>

export const createAclsApi = api(createAclsRequest, createAclsResponse, { listeners: BOTH, forwardable: true })
