import { array, bool, int16, int32, int8, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BOTH } from '../api.ts'

export const describeConfigsRequest = message(
  { name: 'DescribeConfigsRequest', apiKey: 32, validVersions: '1-4', flexibleVersions: '4+' },
  {
    resources: array(
      struct({
        resourceType: int8(),
        resourceName: string(),
        configurationKeys: array(string(), { nullable: true }),
      }),
    ),
    includeSynonyms: bool(),
    includeDocumentation: bool({ versions: '3+' }),
  },
)
export type DescribeConfigsRequest = Infer<typeof describeConfigsRequest>

export const describeConfigsResponse = message(
  { name: 'DescribeConfigsResponse', apiKey: 32, validVersions: '1-4', flexibleVersions: '4+' },
  {
    throttleTimeMs: int32(),
    results: array(
      struct({
        errorCode: int16(),
        errorMessage: string({ cut: true, nullable: true }),
        resourceType: int8(),
        resourceName: string(),
        configs: array(
          struct({
            name: string(),
            value: string({ nullable: true }),
            readOnly: bool(),
            configSource: int8({ default: -1 }),
            isSensitive: bool(),
            synonyms: array(
              struct({
                name: string(),
                value: string({ nullable: true }),
                source: int8(),
              }),
            ),
            configType: int8({ versions: '3+' }),
            documentation: string({ versions: '3+', nullable: true }),
          }),
        ),
      }),
    ),
  },
)
export type DescribeConfigsResponse = Infer<typeof describeConfigsResponse>

export const describeConfigsApi = api(describeConfigsRequest, describeConfigsResponse, { listeners: BOTH })
