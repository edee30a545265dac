import { ZERO_UUID } from '../../lib/uuid.ts'
import {
  decodeRecordKey,
  decodeRecordValue,
  encodeRecordKey,
  encodeRecordValue,
  recordTypeOf,
} from '../../protocol/coordinator-record.ts'
import {
  groupMetadataKey,
  groupMetadataValue,
  legacyOffsetCommitKey,
  legacyOffsetCommitValue,
  offsetCommitKey,
  offsetCommitValue,
} from '../../protocol/records/group-classic.ts'
import type { NewRecord } from '../../records/record.ts'
import type { CommittedOffset, OffsetPlace } from './committed-offsets.ts'
import type { GroupMetadata } from './effects.ts'

/** The versions that Apache Kafka 4.3 writes; version 1 of an offset is the only one with an expiry of its own. */
const GROUP_METADATA_VERSION = 3
const OFFSET_COMMIT_VERSION = 4
const EXPIRING_OFFSET_COMMIT_VERSION = 1

export function groupRecord(groupId: string, value: GroupMetadata): NewRecord {
  return {
    key: encodeRecordKey(groupMetadataKey, { group: groupId }),
    value: encodeRecordValue(groupMetadataValue, GROUP_METADATA_VERSION, value),
  }
}

export function groupTombstone(groupId: string): NewRecord {
  return { key: encodeRecordKey(groupMetadataKey, { group: groupId }), value: null }
}

export function offsetRecord(
  groupId: string,
  { topic, partition }: OffsetPlace,
  committed: CommittedOffset,
): NewRecord {
  const isExpiring = committed.expireTimestampMs !== -1
  return {
    key: encodeRecordKey(offsetCommitKey, { group: groupId, topic, partition }),
    value: encodeRecordValue(offsetCommitValue, isExpiring ? EXPIRING_OFFSET_COMMIT_VERSION : OFFSET_COMMIT_VERSION, {
      offset: committed.offset,
      leaderEpoch: committed.leaderEpoch,
      metadata: committed.metadata,
      commitTimestamp: BigInt(committed.commitTimestampMs),
      expireTimestamp: BigInt(committed.expireTimestampMs),
      topicId: committed.topicId,
    }),
  }
}

export function offsetTombstone(groupId: string, { topic, partition }: OffsetPlace): NewRecord {
  return { key: encodeRecordKey(offsetCommitKey, { group: groupId, topic, partition }), value: null }
}

/** What a record of `__consumer_offsets` says; null is a tombstone. */
export type GroupRecord =
  | { readonly kind: 'group'; readonly groupId: string; readonly value: GroupMetadata | null }
  | {
      readonly kind: 'offset'
      readonly groupId: string
      readonly place: OffsetPlace
      readonly value: CommittedOffset | null
    }
  | { readonly kind: 'unknown'; readonly type: number }

/** Throws SchemaError for a record of a known type that does not decode. */
export function decodeGroupRecord(key: Uint8Array, value: Uint8Array | null, recordOffset: number): GroupRecord {
  const type = recordTypeOf(key)
  switch (type) {
    case groupMetadataKey.apiKey: {
      const { group } = decodeRecordKey(groupMetadataKey, key)
      return {
        kind: 'group',
        groupId: group,
        value: value === null ? null : decodeGroup(value),
      }
    }
    case offsetCommitKey.apiKey: {
      const { group, topic, partition } = decodeRecordKey(offsetCommitKey, key)
      const place = { topic, partition }
      return { kind: 'offset', groupId: group, place, value: value === null ? null : decodeOffset(value, recordOffset) }
    }
    case legacyOffsetCommitKey.apiKey: {
      const { group, topic, partition } = decodeRecordKey(legacyOffsetCommitKey, key)
      const place = { topic, partition }
      return {
        kind: 'offset',
        groupId: group,
        place,
        value: value === null ? null : decodeLegacyOffset(value, recordOffset),
      }
    }
    default:
      return { kind: 'unknown', type }
  }
}

/** With copies of the members' bytes: the group outlives the buffer that it was read from. */
function decodeGroup(bytes: Uint8Array): GroupMetadata {
  const value = decodeRecordValue(groupMetadataValue, bytes)
  const members = value.members.map((member) => ({
    ...member,
    subscription: new Uint8Array(member.subscription),
    assignment: new Uint8Array(member.assignment),
  }))
  return { ...value, members }
}

function decodeOffset(bytes: Uint8Array, recordOffset: number): CommittedOffset {
  const { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp, topicId } = decodeRecordValue(
    offsetCommitValue,
    bytes,
  )
  return {
    offset,
    leaderEpoch,
    metadata,
    commitTimestampMs: Number(commitTimestamp),
    expireTimestampMs: Number(expireTimestamp),
    topicId,
    recordOffset,
  }
}

function decodeLegacyOffset(bytes: Uint8Array, recordOffset: number): CommittedOffset {
  const { offset, metadata, commitTimestamp } = decodeRecordValue(legacyOffsetCommitValue, bytes)
  const commitTimestampMs = Number(commitTimestamp)
  return {
    offset,
    leaderEpoch: -1,
    metadata,
    commitTimestampMs,
    expireTimestampMs: -1,
    topicId: ZERO_UUID,
    recordOffset,
  }
}
