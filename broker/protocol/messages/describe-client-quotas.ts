import { array, bool, float64, int16, int32, int8, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const describeClientQuotasRequest = message(
  { name: 'DescribeClientQuotasRequest', apiKey: 48, validVersions: '0-1', flexibleVersions: '1+' },
  {
    components: array(
      struct({
        entityType: string(),
        matchType: int8(),
        match: string({ nullable: true }),
      }),
    ),
    strict: bool(),
  },
)
export type DescribeClientQuotasRequest = Infer<typeof describeClientQuotasRequest>

export const describeClientQuotasResponse = message(
  { name: 'DescribeClientQuotasResponse', apiKey: 48, validVersions: '0-1', flexibleVersions: '1+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ cut: true, nullable: true }),
    entries: array(
      struct({
        entity: array(
          struct({
            entityType: string(),
            entityName: string({ nullable: true }),
          }),
        ),
        values: array(
          struct({
            key: string(),
            value: float64(),
          }),
        ),
      }),
      { nullable: true },
    ),
  },
)
export type DescribeClientQuotasResponse = Infer<typeof describeClientQuotasResponse>

export const describeClientQuotasApi = api(describeClientQuotasRequest, describeClientQuotasResponse, {
  listeners: BROKER,
})
