import { array, bool, int16, int32, int8, string, struct, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BOTH } from '../api.ts'

export const createTopicsRequest = message(
  { name: 'CreateTopicsRequest', apiKey: 19, validVersions: '2-7', flexibleVersions: '5+' },
  {
    topics: array(
      struct({
        name: string(),
        numPartitions: int32(),
        replicationFactor: int16(),
        assignments: array(
          struct({
            partitionIndex: int32(),
            brokerIds: array(int32()),
          }),
        ),
        configs: array(
          struct({
            name: string(),
            value: string({ nullable: true }),
          }),
        ),
      }),
    ),
    timeoutMs: int32({ default: 60000 }),
    validateOnly: bool(),
  },
)
export type CreateTopicsRequest = Infer<typeof createTopicsRequest>

export const createTopicsResponse = message(
  { name: 'CreateTopicsResponse', apiKey: 19, validVersions: '2-7', flexibleVersions: '5+' },
  {
    throttleTimeMs: int32(),
    topics: array(
      struct({
        name: string(),
        topicId: uuid({ versions: '7+' }),
        errorCode: int16(),
        errorMessage: string({ cut: true, nullable: true }),
        numPartitions: int32({ versions: '5+', default: -1 }),
        replicationFactor: int16({ versions: '5+', default: -1 }),
        configs: array(
          struct({
            name: string(),
            value: string({ nullable: true }),
            readOnly: bool(),
            configSource: int8({ default: -1 }),
            isSensitive: bool(),
          }),
          { versions: '5+', nullable: true },
        ),
        topicConfigErrorCode: int16({ versions: '5+', tag: 0 }),
      }),
    ),
  },
)
export type CreateTopicsResponse = Infer<typeof createTopicsResponse>

export const createTopicsApi = api(createTopicsRequest, createTopicsResponse, { listeners: BOTH, forwardable: true })
