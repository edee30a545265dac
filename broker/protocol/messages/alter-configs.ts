import { array, bool, int16, int32, int8, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BOTH } from '../api.ts'

export const alterConfigsRequest = message(
  { name: 'AlterConfigsRequest', apiKey: 33, validVersions: '0-2', flexibleVersions: '2+' },
  {
    resources: array(
      struct({
        resourceType: int8(),
        resourceName: string(),
        configs: array(
          struct({
            name: string(),
            value: string({ nullable: true }),
          }),
        ),
      }),
    ),
    validateOnly: bool(),
  },
)
export type AlterConfigsRequest = Infer<typeof alterConfigsRequest>

export const alterConfigsResponse = message(
  { name: 'AlterConfigsResponse', apiKey: 33, validVersions: '0-2', flexibleVersions: '2+' },
  {
    throttleTimeMs: int32(),
    responses: array(
      struct({
        errorCode: int16(),
        errorMessage: string({ cut: true, nullable: true }),
        resourceType: int8(),
        resourceName: string(),
      }),
    ),
  },
)
export type AlterConfigsResponse = Infer<typeof alterConfigsResponse>

export const alterConfigsApi = api(alterConfigsRequest, alterConfigsResponse, { listeners: BOTH, forwardable: true })
