import { array, int16, int32, int64, int8, records, string, struct, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BOTH } from '../api.ts'

export const fetchRequest = message(
  { name: 'FetchRequest', apiKey: 1, validVersions: '4-18', flexibleVersions: '12+' },
  {
    replicaId: int32({ versions: '4-14', default: -1 }),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: int32({ default: 2147483647 }),
    isolationLevel: int8(),
    sessionId: int32({ versions: '7+' }),
    sessionEpoch: int32({ versions: '7+', default: -1 }),
    topics: array(
      struct({
        topicId: uuid({ versions: '13+' }),
        topic: string({ versions: '4-12' }),
        partitions: array(
          struct({
            partition: int32(),
            currentLeaderEpoch: int32({ versions: '9+', default: -1 }),
            fetchOffset: int64(),
            lastFetchedEpoch: int32({ versions: '12+', default: -1 }),
            logStartOffset: int64({ versions: '5+', default: -1n }),
            partitionMaxBytes: int32(),
            replicaDirectoryId: uuid({ versions: '17+', tag: 0 }),
            highWatermark: int64({ versions: '18+', tag: 1, default: 9223372036854775807n }),
          }),
        ),
      }),
    ),
    forgottenTopicsData: array(
      struct({
        topicId: uuid({ versions: '13+' }),
        topic: string({ versions: '7-12' }),
        partitions: array(int32()),
      }),
      { versions: '7+' },
    ),
    rackId: string({ versions: '11+' }),
    clusterId: string({ versions: '12+', nullable: true, tag: 0, default: null }),
    replicaState: struct(
      {
        replicaId: int32({ default: -1 }),
        replicaEpoch: int64({ default: -1n }),
      },
      { versions: '15+', tag: 1 },
    ),
  },
)
export type FetchRequest = Infer<typeof fetchRequest>

export const fetchResponse = message(
  { name: 'FetchResponse', apiKey: 1, validVersions: '4-18', flexibleVersions: '12+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16({ versions: '7+' }),
    sessionId: int32({ versions: '7+' }),
    responses: array(
      struct({
        topicId: uuid({ versions: '13+' }),
        topic: string({ versions: '4-12' }),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
            highWatermark: int64(),
            lastStableOffset: int64({ default: -1n }),
            logStartOffset: int64({ versions: '5+', default: -1n }),
            abortedTransactions: array(
              struct({
                producerId: int64(),
                firstOffset: int64(),
              }),
              { nullable: true },
            ),
            preferredReadReplica: int32({ versions: '11+', default: -1 }),
            records: records({ nullable: true, default: null }),
            divergingEpoch: struct(
              {
                epoch: int32({ default: -1 }),
                endOffset: int64({ default: -1n }),
              },
              { versions: '12+', tag: 0 },
            ),
            currentLeader: struct(
              {
                leaderId: int32({ default: -1 }),
                leaderEpoch: int32({ default: -1 }),
              },
              { versions: '12+', tag: 1 },
            ),
            snapshotId: struct(
              {
                endOffset: int64({ default: -1n }),
                epoch: int32({ default: -1 }),
              },
              { versions: '12+', tag: 2 },
            ),
          }),
        ),
      }),
    ),
    nodeEndpoints: array(
      struct({
        nodeId: int32(),
        host: string(),
        port: int32(),
        rack: string({ nullable: true, default: null }),
      }),
      { versions: '16+', tag: 0 },
    ),
  },
)
export type FetchResponse = Infer<typeof fetchResponse>

export const fetchApi = api(fetchRequest, fetchResponse, { listeners: BOTH })
