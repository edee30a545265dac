import type { ClassicGroup } from './classic-group.ts'
import type { CommittedOffset, CommittedOffsets, OffsetPlace } from './committed-offsets.ts'

/** Whether the group protects the topic's offsets from deletion (KIP-496); a consumer group whose topics are unknown protects all. */
export function isSubscribed(group: ClassicGroup, topic: string): boolean {
  return group.subscribedTopics?.has(topic) ?? group.usesConsumerProtocol
}

/**
 * From when the retention of a group's offsets runs (KIP-211): in an empty group from when it became empty; in a stable consumer
 * group, for topics that it does not subscribe to, and for consumers that only commit, from the commit. Null: they do not expire.
 */
function retentionStart(group: ClassicGroup): ((offset: CommittedOffset) => number) | null {
  if (group.protocolType === null) return (offset) => offset.commitTimestampMs
  if (group.state === 'Empty') {
    return (offset) => (group.stateTimestampMs === -1 ? offset.commitTimestampMs : group.stateTimestampMs)
  }
  if (group.usesConsumerProtocol && group.subscribedTopics !== null && group.state === 'Stable') {
    return (offset) => offset.commitTimestampMs
  }
  return null
}

/** The offsets of a group that have expired, and whether nothing is left without them. */
export function expiredOffsets(
  group: ClassicGroup,
  offsets: CommittedOffsets,
  nowMs: number,
  retentionMs: number,
): { places: OffsetPlace[]; isAll: boolean } {
  const places: OffsetPlace[] = []
  let isAll = !offsets.hasTransactions(group.groupId)
  const start = retentionStart(group)
  for (const [place, offset] of offsets.committed.entriesOf(group.groupId)) {
    const isExpired =
      start !== null &&
      !isSubscribed(group, place.topic) &&
      !offsets.isInTransaction(group.groupId, place) &&
      (offset.expireTimestampMs === -1 ? nowMs - start(offset) >= retentionMs : nowMs >= offset.expireTimestampMs)
    if (isExpired) places.push(place)
    else isAll = false
  }
  return { places, isAll }
}
