import { array, int16, int32, string, struct, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BOTH } from '../api.ts'

export const deleteTopicsRequest = message(
  { name: 'DeleteTopicsRequest', apiKey: 20, validVersions: '1-6', flexibleVersions: '4+' },
  {
    topics: array(
      struct({
        name: string({ nullable: true, default: null }),
        topicId: uuid(),
      }),
      { versions: '6+' },
    ),
    topicNames: array(string(), { versions: '1-5' }),
    timeoutMs: int32(),
  },
)
export type DeleteTopicsRequest = Infer<typeof deleteTopicsRequest>

export const deleteTopicsResponse = message(
  { name: 'DeleteTopicsResponse', apiKey: 20, validVersions: '1-6', flexibleVersions: '4+' },
  {
    throttleTimeMs: int32(),
    responses: array(
      struct({
        name: string({ nullable: '6+' }),
        topicId: uuid({ versions: '6+' }),
        errorCode: int16(),
        errorMessage: string({ cut: true, versions: '5+', nullable: true, default: null }),
      }),
    ),
  },
)
export type DeleteTopicsResponse = Infer<typeof deleteTopicsResponse>

export const deleteTopicsApi = api(deleteTopicsRequest, deleteTopicsResponse, { listeners: BOTH, forwardable: true })
