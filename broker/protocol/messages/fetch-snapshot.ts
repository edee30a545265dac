import { array, int16, int32, int64, records, string, struct, uint16, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, CONTROLLER } from '../api.ts'

export const fetchSnapshotRequest = message(
  { name: 'FetchSnapshotRequest', apiKey: 59, validVersions: '0-1', flexibleVersions: '0+' },
  {
    replicaId: int32({ default: -1 }),
    maxBytes: int32({ default: 2147483647 }),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partition: int32(),
            currentLeaderEpoch: int32(),
            snapshotId: struct({
              endOffset: int64(),
              epoch: int32(),
            }),
            position: int64(),
            replicaDirectoryId: uuid({ versions: '1+', tag: 0 }),
          }),
        ),
      }),
    ),
    clusterId: string({ nullable: true, tag: 0, default: null }),
  },
)
export type FetchSnapshotRequest = Infer<typeof fetchSnapshotRequest>

export const fetchSnapshotResponse = message(
  { name: 'FetchSnapshotResponse', apiKey: 59, validVersions: '0-1', flexibleVersions: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            index: int32(),
            errorCode: int16(),
            snapshotId: struct({
              endOffset: int64(),
              epoch: int32(),
            }),
            size: int64(),
            position: int64(),
            unalignedRecords: records({ default: null }),
            currentLeader: struct(
              {
                leaderId: int32(),
                leaderEpoch: int32(),
              },
              { tag: 0 },
            ),
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
export type FetchSnapshotResponse = Infer<typeof fetchSnapshotResponse>

export const fetchSnapshotApi = api(fetchSnapshotRequest, fetchSnapshotResponse, { listeners: CONTROLLER })
