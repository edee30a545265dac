import { array, bool, int16, int32, int64, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BOTH } from '../api.ts'

export const apiVersionsRequest = message(
  { name: 'ApiVersionsRequest', apiKey: 18, validVersions: '0-4', flexibleVersions: '3+' },
  {
    clientSoftwareName: string({ versions: '3+' }),
    clientSoftwareVersion: string({ versions: '3+' }),
  },
)
export type ApiVersionsRequest = Infer<typeof apiVersionsRequest>

export const apiVersionsResponse = message(
  { name: 'ApiVersionsResponse', apiKey: 18, validVersions: '0-4', flexibleVersions: '3+' },
  {
    errorCode: int16(),
    apiKeys: array(
      struct({
        apiKey: int16(),
        minVersion: int16(),
        maxVersion: int16(),
      }),
    ),
    throttleTimeMs: int32({ versions: '1+' }),
    supportedFeatures: array(
      struct({
        name: string(),
        minVersion: int16(),
        maxVersion: int16(),
      }),
      { versions: '3+', tag: 0 },
    ),
    finalizedFeaturesEpoch: int64({ versions: '3+', tag: 1, default: -1n }),
    finalizedFeatures: array(
      struct({
        name: string(),
        maxVersionLevel: int16(),
        minVersionLevel: int16(),
      }),
      { versions: '3+', tag: 2 },
    ),
    zkMigrationReady: bool({ versions: '3+', tag: 3 }),
  },
)
export type ApiVersionsResponse = Infer<typeof apiVersionsResponse>

export const apiVersionsApi = api(apiVersionsRequest, apiVersionsResponse, { listeners: BOTH })
