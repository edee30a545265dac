import { array, int16, int32, string, struct, uint16, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, CONTROLLER } from '../api.ts'

export const beginQuorumEpochRequest = message(
  { name: 'BeginQuorumEpochRequest', apiKey: 53, validVersions: '0-1', flexibleVersions: '1+' },
  {
    clusterId: string({ nullable: true, default: null }),
    voterId: int32({ versions: '1+', default: -1 }),
    topics: array(
      struct({
        topicName: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            voterDirectoryId: uuid({ versions: '1+' }),
            leaderId: int32(),
            leaderEpoch: int32(),
          }),
        ),
      }),
    ),
    leaderEndpoints: array(
      struct({
        name: string(),
        host: string(),
        port: uint16(),
      }),
      { versions: '1+' },
    ),
  },
)
export type BeginQuorumEpochRequest = Infer<typeof beginQuorumEpochRequest>

export const beginQuorumEpochResponse = message(
  { name: 'BeginQuorumEpochResponse', apiKey: 53, validVersions: '0-1', flexibleVersions: '1+' },
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
export type BeginQuorumEpochResponse = Infer<typeof beginQuorumEpochResponse>

export const beginQuorumEpochApi = api(beginQuorumEpochRequest, beginQuorumEpochResponse, {
  listeners: CONTROLLER,
  clusterAction: true,
})
