import { array, int16, int32, int8, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const listConfigResourcesRequest = message(
  { name: 'ListConfigResourcesRequest', apiKey: 74, validVersions: '0-1', flexibleVersions: '0+' },
  {
    resourceTypes: array(int8(), { versions: '1+' }),
  },
)
export type ListConfigResourcesRequest = Infer<typeof listConfigResourcesRequest>

export const listConfigResourcesResponse = message(
  { name: 'ListConfigResourcesResponse', apiKey: 74, validVersions: '0-1', flexibleVersions: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    configResources: array(
      struct({
        resourceName: string(),
        resourceType: int8({ versions: '1+', default: 16 }),
      }),
    ),
  },
)
export type ListConfigResourcesResponse = Infer<typeof listConfigResourcesResponse>

export const listConfigResourcesApi = api(listConfigResourcesRequest, listConfigResourcesResponse, {
  listeners: BROKER,
})
