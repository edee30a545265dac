import { array, bytes, int32, int64, string, struct, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'

export const groupMetadataKey = message(
  { name: 'GroupMetadataKey', apiKey: 2, validVersions: '0', flexibleVersions: 'none' },
  {
    group: string(),
  },
)
export type GroupMetadataKey = Infer<typeof groupMetadataKey>

export const groupMetadataValue = message(
  { name: 'GroupMetadataValue', apiKey: 2, validVersions: '0-4', flexibleVersions: '4+' },
  {
    protocolType: string(),
    generation: int32(),
    protocol: string({ nullable: true }),
    leader: string({ nullable: true }),
    currentStateTimestamp: int64({ versions: '2+', default: -1n }),
    members: array(
      struct({
        memberId: string(),
        groupInstanceId: string({ versions: '3+', nullable: true, default: null }),
        clientId: string(),
        clientHost: string(),
        rebalanceTimeout: int32({ versions: '1+', default: -1 }),
        sessionTimeout: int32(),
        subscription: bytes(),
        assignment: bytes(),
      }),
    ),
  },
)
export type GroupMetadataValue = Infer<typeof groupMetadataValue>

export const legacyOffsetCommitKey = message(
  { name: 'LegacyOffsetCommitKey', apiKey: 0, validVersions: '0', flexibleVersions: 'none' },
  {
    group: string(),
    topic: string(),
    partition: int32(),
  },
)
export type LegacyOffsetCommitKey = Infer<typeof legacyOffsetCommitKey>

export const legacyOffsetCommitValue = message(
  { name: 'LegacyOffsetCommitValue', apiKey: 0, validVersions: '0', flexibleVersions: 'none' },
  {
    offset: int64(),
    metadata: string(),
    commitTimestamp: int64(),
  },
)
export type LegacyOffsetCommitValue = Infer<typeof legacyOffsetCommitValue>

export const offsetCommitKey = message(
  { name: 'OffsetCommitKey', apiKey: 1, validVersions: '0', flexibleVersions: 'none' },
  {
    group: string(),
    topic: string(),
    partition: int32(),
  },
)
export type OffsetCommitKey = Infer<typeof offsetCommitKey>

export const offsetCommitValue = message(
  { name: 'OffsetCommitValue', apiKey: 1, validVersions: '0-4', flexibleVersions: '4+' },
  {
    offset: int64(),
    leaderEpoch: int32({ versions: '3+', default: -1 }),
    metadata: string(),
    commitTimestamp: int64(),
    expireTimestamp: int64({ versions: '1', default: -1n }),
    topicId: uuid({ versions: '4+', tag: 0 }),
  },
)
export type OffsetCommitValue = Infer<typeof offsetCommitValue>
