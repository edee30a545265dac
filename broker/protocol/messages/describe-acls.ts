import { array, int16, int32, int8, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BOTH } from '../api.ts'

export const describeAclsRequest = message(
  { name: 'DescribeAclsRequest', apiKey: 29, validVersions: '1-3', flexibleVersions: '2+' },
  {
    resourceTypeFilter: int8(),
    resourceNameFilter: string({ nullable: true }),
    patternTypeFilter: int8({ default: 3 }),
    principalFilter: string({ nullable: true }),
    hostFilter: string({ nullable: true }),
    operation: int8(),
    permissionType: int8(),
  },
)
export type DescribeAclsRequest = Infer<typeof describeAclsRequest>

export const describeAclsResponse = message(
  { name: 'DescribeAclsResponse', apiKey: 29, validVersions: '1-3', flexibleVersions: '2+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ cut: true, nullable: true }),
    resources: array(
      struct({
        resourceType: int8(),
        resourceName: string(),
        patternType: int8({ default: 3 }),
        acls: array(
          struct({
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
export type DescribeAclsResponse = Infer<typeof describeAclsResponse>

export const describeAclsApi = api(describeAclsRequest, describeAclsResponse, { listeners: BOTH })
