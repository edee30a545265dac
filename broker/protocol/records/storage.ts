import { array, bool, bytes, int16, int32, int64, int8, string, struct, uint32, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'

export const producerSnapshot = message(
  { name: 'ProducerSnapshot', validVersions: '1', flexibleVersions: 'none' },
  {
    crc: uint32(),
    producerEntries: array(
      struct({
        producerId: int64(),
        epoch: int16(),
        lastSequence: int32(),
        lastOffset: int64(),
        offsetDelta: int32(),
        timestamp: int64(),
        coordinatorEpoch: int32(),
        currentTxnFirstOffset: int64(),
      }),
    ),
  },
)
export type ProducerSnapshot = Infer<typeof producerSnapshot>

export const remoteLogSegmentMetadataRecord = message(
  { name: 'RemoteLogSegmentMetadataRecord', apiKey: 0, validVersions: '0', flexibleVersions: '0+' },
  {
    remoteLogSegmentId: struct({
      topicIdPartition: struct({
        name: string(),
        id: uuid(),
        partition: int32(),
      }),
      id: uuid(),
    }),
    startOffset: int64(),
    endOffset: int64(),
    brokerId: int32(),
    maxTimestampMs: int64(),
    eventTimestampMs: int64(),
    segmentLeaderEpochs: array(
      struct({
        leaderEpoch: int32(),
        offset: int64(),
      }),
    ),
    segmentSizeInBytes: int32(),
    customMetadata: bytes({ nullable: true, default: null }),
    remoteLogSegmentState: int8(),
    txnIndexEmpty: bool({ tag: 0 }),
  },
)
export type RemoteLogSegmentMetadataRecord = Infer<typeof remoteLogSegmentMetadataRecord>

export const remoteLogSegmentMetadataSnapshotRecord = message(
  { name: 'RemoteLogSegmentMetadataSnapshotRecord', apiKey: 3, validVersions: '0', flexibleVersions: '0+' },
  {
    segmentId: uuid(),
    startOffset: int64(),
    endOffset: int64(),
    brokerId: int32(),
    maxTimestampMs: int64(),
    eventTimestampMs: int64(),
    segmentLeaderEpochs: array(
      struct({
        leaderEpoch: int32(),
        offset: int64(),
      }),
    ),
    segmentSizeInBytes: int32(),
    customMetadata: bytes({ nullable: true, default: null }),
    remoteLogSegmentState: int8(),
    txnIndexEmpty: bool({ tag: 0 }),
  },
)
export type RemoteLogSegmentMetadataSnapshotRecord = Infer<typeof remoteLogSegmentMetadataSnapshotRecord>

export const remoteLogSegmentMetadataUpdateRecord = message(
  { name: 'RemoteLogSegmentMetadataUpdateRecord', apiKey: 1, validVersions: '0', flexibleVersions: '0+' },
  {
    remoteLogSegmentId: struct({
      topicIdPartition: struct({
        name: string(),
        id: uuid(),
        partition: int32(),
      }),
      id: uuid(),
    }),
    brokerId: int32(),
    eventTimestampMs: int64(),
    customMetadata: bytes({ nullable: true, default: null }),
    remoteLogSegmentState: int8(),
  },
)
export type RemoteLogSegmentMetadataUpdateRecord = Infer<typeof remoteLogSegmentMetadataUpdateRecord>

export const remotePartitionDeleteMetadataRecord = message(
  { name: 'RemotePartitionDeleteMetadataRecord', apiKey: 2, validVersions: '0', flexibleVersions: '0+' },
  {
    topicIdPartition: struct({
      name: string(),
      id: uuid(),
      partition: int32(),
    }),
    brokerId: int32(),
    eventTimestampMs: int64(),
    remotePartitionDeleteState: int8(),
  },
)
export type RemotePartitionDeleteMetadataRecord = Infer<typeof remotePartitionDeleteMetadataRecord>
