import { array, int16, int32, int64, string, struct, uint16, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BOTH } from '../api.ts'

export const describeQuorumRequest = message(
  { name: 'DescribeQuorumRequest', apiKey: 55, validVersions: '0-2', flexibleVersions: '0+' },
  {
    topics: array(
      struct({
        topicName: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
          }),
        ),
      }),
    ),
  },
)
export type DescribeQuorumRequest = Infer<typeof describeQuorumRequest>

export const describeQuorumResponse = message(
  { name: 'DescribeQuorumResponse', apiKey: 55, validVersions: '0-2', flexibleVersions: '0+' },
  {
    errorCode: int16(),
    errorMessage: string({ cut: true, versions: '2+', nullable: true }),
    topics: array(
      struct({
        topicName: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
            errorMessage: string({ cut: true, versions: '2+', nullable: true }),
            leaderId: int32(),
            leaderEpoch: int32(),
            highWatermark: int64(),
            currentVoters: array(
              struct({
                replicaId: int32(),
                replicaDirectoryId: uuid({ versions: '2+' }),
                logEndOffset: int64(),
                lastFetchTimestamp: int64({ versions: '1+', default: -1n }),
                lastCaughtUpTimestamp: int64({ versions: '1+', default: -1n }),
              }),
            ),
            observers: array(
              struct({
                replicaId: int32(),
                replicaDirectoryId: uuid({ versions: '2+' }),
                logEndOffset: int64(),
                lastFetchTimestamp: int64({ versions: '1+', default: -1n }),
                lastCaughtUpTimestamp: int64({ versions: '1+', default: -1n }),
              }),
            ),
          }),
        ),
      }),
    ),
    nodes: array(
      struct({
        nodeId: int32(),
        listeners: array(
          struct({
            name: string(),
            host: string(),
            port: uint16(),
          }),
        ),
      }),
      { versions: '2+' },
    ),
  },
)
export type DescribeQuorumResponse = Infer<typeof describeQuorumResponse>

export const describeQuorumApi = api(describeQuorumRequest, describeQuorumResponse, {
  listeners: BOTH,
  forwardable: true,
  clusterAction: true,
})
