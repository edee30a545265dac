import { array, bool, int16, int32, string, struct, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const metadataRequest = message(
  { name: 'MetadataRequest', apiKey: 3, validVersions: '0-13', flexibleVersions: '9+' },
  {
    topics: array(
      struct({
        topicId: uuid({ versions: '10+' }),
        name: string({ nullable: '10+' }),
      }),
      { nullable: '1+' },
    ),
    allowAutoTopicCreation: bool({ versions: '4+', default: true }),
    includeClusterAuthorizedOperations: bool({ versions: '8-10' }),
    includeTopicAuthorizedOperations: bool({ versions: '8+' }),
  },
)
export type MetadataRequest = Infer<typeof metadataRequest>

export const metadataResponse = message(
  { name: 'MetadataResponse', apiKey: 3, validVersions: '0-13', flexibleVersions: '9+' },
  {
    throttleTimeMs: int32({ versions: '3+' }),
    brokers: array(
      struct({
        nodeId: int32(),
        host: string(),
        port: int32(),
        rack: string({ versions: '1+', nullable: true, default: null }),
      }),
    ),
    clusterId: string({ versions: '2+', nullable: true, default: null }),
    controllerId: int32({ versions: '1+', default: -1 }),
    topics: array(
      struct({
        errorCode: int16(),
        name: string({ nullable: '12+' }),
        topicId: uuid({ versions: '10+' }),
        isInternal: bool({ versions: '1+' }),
        partitions: array(
          struct({
            errorCode: int16(),
            partitionIndex: int32(),
            leaderId: int32(),
            leaderEpoch: int32({ versions: '7+', default: -1 }),
            replicaNodes: array(int32()),
            isrNodes: array(int32()),
            offlineReplicas: array(int32(), { versions: '5+' }),
          }),
        ),
        topicAuthorizedOperations: int32({ versions: '8+', default: -2147483648 }),
      }),
    ),
    errorCode: int16({ versions: '13+' }),
    clusterAuthorizedOperations: int32({ versions: '8-10', default: -2147483648 }),
  },
)
export type MetadataResponse = Infer<typeof metadataResponse>

export const metadataApi = api(metadataRequest, metadataResponse, { listeners: BROKER })
