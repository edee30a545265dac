import { array, int16, int32, int64, int8, string, struct, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'

export const shareSnapshotKey = message(
  { name: 'ShareSnapshotKey', apiKey: 0, validVersions: '0', flexibleVersions: 'none' },
  {
    groupId: string(),
    topicId: uuid(),
    partition: int32(),
  },
)
export type ShareSnapshotKey = Infer<typeof shareSnapshotKey>

export const shareSnapshotValue = message(
  { name: 'ShareSnapshotValue', apiKey: 0, validVersions: '0', flexibleVersions: '0+' },
  {
    snapshotEpoch: int32(),
    stateEpoch: int32(),
    leaderEpoch: int32(),
    startOffset: int64(),
    createTimestamp: int64(),
    writeTimestamp: int64(),
    stateBatches: array(
      struct({
        firstOffset: int64(),
        lastOffset: int64(),
        deliveryState: int8(),
        deliveryCount: int16(),
      }),
    ),
    deliveryCompleteCount: int32({ tag: 0, default: -1 }),
  },
)
export type ShareSnapshotValue = Infer<typeof shareSnapshotValue>

export const shareUpdateKey = message(
  { name: 'ShareUpdateKey', apiKey: 1, validVersions: '0', flexibleVersions: 'none' },
  {
    groupId: string(),
    topicId: uuid(),
    partition: int32(),
  },
)
export type ShareUpdateKey = Infer<typeof shareUpdateKey>

export const shareUpdateValue = message(
  { name: 'ShareUpdateValue', apiKey: 1, validVersions: '0', flexibleVersions: '0+' },
  {
    snapshotEpoch: int32(),
    leaderEpoch: int32(),
    startOffset: int64(),
    stateBatches: array(
      struct({
        firstOffset: int64(),
        lastOffset: int64(),
        deliveryState: int8(),
        deliveryCount: int16(),
      }),
    ),
    deliveryCompleteCount: int32({ tag: 0, default: -1 }),
  },
)
export type ShareUpdateValue = Infer<typeof shareUpdateValue>
