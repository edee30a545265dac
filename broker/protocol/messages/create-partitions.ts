import { array, bool, int16, int32, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BOTH } from '../api.ts'

export const createPartitionsRequest = message(
  { name: 'CreatePartitionsRequest', apiKey: 37, validVersions: '0-3', flexibleVersions: '2+' },
  {
    topics: array(
      struct({
        name: string(),
        count: int32(),
        assignments: array(
          struct({
            brokerIds: array(int32()),
          }),
          { nullable: true },
        ),
      }),
    ),
    timeoutMs: int32(),
    validateOnly: bool(),
  },
)
export type CreatePartitionsRequest = Infer<typeof createPartitionsRequest>

export const createPartitionsResponse = message(
  { name: 'CreatePartitionsResponse', apiKey: 37, validVersions: '0-3', flexibleVersions: '2+' },
  {
    throttleTimeMs: int32(),
    results: array(
      struct({
        name: string(),
        errorCode: int16(),
        errorMessage: string({ cut: true, nullable: true, default: null }),
      }),
    ),
  },
)
export type CreatePartitionsResponse = Infer<typeof createPartitionsResponse>

export const createPartitionsApi = api(createPartitionsRequest, createPartitionsResponse, {
  listeners: BOTH,
  forwardable: true,
})
