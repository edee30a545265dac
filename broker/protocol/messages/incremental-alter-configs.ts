import { array, bool, int16, int32, int8, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BOTH } from '../api.ts'

export const incrementalAlterConfigsRequest = message(
  { name: 'IncrementalAlterConfigsRequest', apiKey: 44, validVersions: '0-1', flexibleVersions: '1+' },
  {
    resources: array(
      struct({
        resourceType: int8(),
        resourceName: string(),
        configs: array(
          struct({
            name: string(),
            configOperation: int8(),
            value: string({ nullable: true }),
          }),
        ),
      }),
    ),
    validateOnly: bool(),
  },
)
export type IncrementalAlterConfigsRequest = Infer<typeof incrementalAlterConfigsRequest>

export const incrementalAlterConfigsResponse = message(
  { name: 'IncrementalAlterConfigsResponse', apiKey: 44, validVersions: '0-1', flexibleVersions: '1+' },
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
export type IncrementalAlterConfigsResponse = Infer<typeof incrementalAlterConfigsResponse>

export const incrementalAlterConfigsApi = api(incrementalAlterConfigsRequest, incrementalAlterConfigsResponse, {
  listeners: BOTH,
  forwardable: true,
})
