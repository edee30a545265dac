import { array, bool, float64, int16, int32, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BOTH } from '../api.ts'

export const alterClientQuotasRequest = message(
  { name: 'AlterClientQuotasRequest', apiKey: 49, validVersions: '0-1', flexibleVersions: '1+' },
  {
    entries: array(
      struct({
        entity: array(
          struct({
            entityType: string(),
            entityName: string({ nullable: true }),
          }),
        ),
        ops: array(
          struct({
            key: string(),
            value: float64(),
            remove: bool(),
          }),
        ),
      }),
    ),
    validateOnly: bool(),
  },
)
export type AlterClientQuotasRequest = Infer<typeof alterClientQuotasRequest>

export const alterClientQuotasResponse = message(
  { name: 'AlterClientQuotasResponse', apiKey: 49, validVersions: '0-1', flexibleVersions: '1+' },
  {
    throttleTimeMs: int32(),
    entries: array(
      struct({
        errorCode: int16(),
        errorMessage: string({ cut: true, nullable: true }),
        entity: array(
          struct({
            entityType: string(),
            entityName: string({ nullable: true }),
          }),
        ),
      }),
    ),
  },
)
export type AlterClientQuotasResponse = Infer<typeof alterClientQuotasResponse>

export const alterClientQuotasApi = api(alterClientQuotasRequest, alterClientQuotasResponse, {
  listeners: BOTH,
  forwardable: true,
})
