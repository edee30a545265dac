import { array, int16, int32, string, struct, uint16, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, CONTROLLER } from '../api.ts'

export const endQuorumEpochRequest = message(
  { name: 'EndQuorumEpochRequest', apiKey: 54, validVersions: '0-1', flexibleVersions: '1+' },
  {
    clusterId: string({ nullable: true, default: null }),
    topics: array(
      struct({
        topicName: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            leaderId: int32(),
            leaderEpoch: int32(),
            preferredCandidates: array(
              struct({
                candidateId: int32(),
                candidateDirectoryId: uuid(),
              }),
              { versions: '1+' },
            ),
            preferredSuccessors: array(int32(), { versions: '0' }),
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
export type EndQuorumEpochRequest = Infer<typeof endQuorumEpochRequest>

export const endQuorumEpochResponse = message(
  { name: 'EndQuorumEpochResponse', apiKey: 54, validVersions: '0-1', flexibleVersions: '1+' },
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
export type EndQuorumEpochResponse = Infer<typeof endQuorumEpochResponse>

export const endQuorumEpochApi = api(endQuorumEpochRequest, endQuorumEpochResponse, {
  listeners: CONTROLLER,
  clusterAction: true,
})
