import { array, bool, int16, int32, int8, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BOTH } from '../api.ts'

export const updateFeaturesRequest = message(
  { name: 'UpdateFeaturesRequest', apiKey: 57, validVersions: '0-2', flexibleVersions: '0+' },
  {
    timeoutMs: int32({ default: 60000 }),
    featureUpdates: array(
      struct({
        feature: string(),
        maxVersionLevel: int16(),
        upgradeType: int8({ versions: '1+', default: 1 }),
        allowDowngrade: bool({ versions: '0' }),
      }),
    ),
    validateOnly: bool({ versions: '1+' }),
  },
)
export type UpdateFeaturesRequest = Infer<typeof updateFeaturesRequest>

export const updateFeaturesResponse = message(
  { name: 'UpdateFeaturesResponse', apiKey: 57, validVersions: '0-2', flexibleVersions: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ cut: true, nullable: true }),
    results: array(
      struct({
        feature: string(),
        errorCode: int16(),
        errorMessage: string({ cut: true, nullable: true }),
      }),
      { versions: '0-1' },
    ),
  },
)
export type UpdateFeaturesResponse = Infer<typeof updateFeaturesResponse>

export const updateFeaturesApi = api(updateFeaturesRequest, updateFeaturesResponse, {
  listeners: BOTH,
  forwardable: true,
  clusterAction: true,
})
