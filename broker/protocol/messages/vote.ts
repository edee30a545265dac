import { array, bool, int16, int32, int64, string, struct, uint16, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, CONTROLLER } from '../api.ts'

export const voteRequest = message(
  { name: 'VoteRequest', apiKey: 52, validVersions: '0-2', flexibleVersions: '0+' },
  {
    clusterId: string({ nullable: true, default: null }),
    voterId: int32({ versions: '1+', default: -1 }),
    topics: array(
      struct({
        topicName: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            replicaEpoch: int32(),
            replicaId: int32(),
            replicaDirectoryId: uuid({ versions: '1+' }),
            voterDirectoryId: uuid({ versions: '1+' }),
            lastOffsetEpoch: int32(),
            lastOffset: int64(),
            preVote: bool({ versions: '2+' }),
          }),
        ),
      }),
    ),
  },
)
export type VoteRequest = Infer<typeof voteRequest>

export const voteResponse = message(
  { name: 'VoteResponse', apiKey: 52, validVersions: '0-2', flexibleVersions: '0+' },
  {
    errorCode: int16(),
    topics: array(
      struct({
        topicName: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
            leaderId: int32(),
            leaderEpoch: int32(),
            voteGranted: bool(),
          }),
        ),
      }),
    ),
    nodeEndpoints: array(
      struct({
        nodeId: int32(),
        host: string(),
        port: uint16(),
      }),
      { versions: '1+', tag: 0 },
    ),
  },
)
export type VoteResponse = Infer<typeof voteResponse>

export const voteApi = api(voteRequest, voteResponse, { listeners: CONTROLLER, clusterAction: true })
