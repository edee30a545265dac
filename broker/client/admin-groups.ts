import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { AdminClient } from './admin-client.ts'
import { KafkaError } from './kafka-error.ts'

export interface GroupListing {
  readonly groupId: string
  /** As Kafka names it: Stable, Empty, Dead, …; '' where the broker is too old to tell. */
  readonly state: string
  /** classic, consumer, share or streams (KIP-848). */
  readonly type: string
  /** The broker that coordinates it. */
  readonly coordinator: number
}

export interface CommittedOffset {
  /** '' where the broker names topics by id only. */
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly offset: number
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** ListOffsets' timestamp of the end of what can be read. */
const LATEST = -1n

/** The groups that `brokerId` coordinates. Rejects with KafkaError. */
export function listGroups(client: AdminClient, brokerId: number): Promise<GroupListing[]> {
  return client.run(async (ask) => {
    const answer = await ask(ApiKey.ListGroups, { statesFilter: [], typesFilter: [] }, brokerId)
    if (answer.errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(answer.errorCode)
    return answer.groups.map(({ groupId, groupState, groupType }) => ({
      groupId,
      state: groupState,
      type: groupType,
      coordinator: brokerId,
    }))
  })
}

/** Number of members by group; groups of a protocol that DescribeGroups does not know are left out. Rejects with KafkaError. */
export function countMembers(
  client: AdminClient,
  coordinator: number,
  groupIds: readonly string[],
): Promise<Map<string, number>> {
  return client.run(async (ask) => {
    const answer = await ask(ApiKey.DescribeGroups, { groups: groupIds }, coordinator)
    const known = answer.groups.filter(({ errorCode }) => errorCode === ErrorCode.NONE)
    return new Map(known.map(({ groupId, members }) => [groupId, members.length]))
  })
}

/** Every offset that groups of one coordinator have committed, by group. Rejects with KafkaError, also where that is about one of them. */
export function committedOffsets(
  client: AdminClient,
  coordinator: number,
  groupIds: readonly string[],
): Promise<Map<string, CommittedOffset[]>> {
  return client.run(async (ask) => {
    const groups = groupIds.map((groupId) => ({ groupId, topics: null }))
    const answer = await ask(ApiKey.OffsetFetch, { groups }, coordinator)
    for (const { groupId, errorCode } of answer.groups) checkGroup(groupId, errorCode)
    return new Map(
      answer.groups.map(({ groupId, topics }) => [
        groupId,
        topics.flatMap(({ name, topicId, partitions }) =>
          partitions
            .filter(({ errorCode, committedOffset }) => errorCode === ErrorCode.NONE && committedOffset >= 0n)
            .map(({ partitionIndex, committedOffset }) => ({
              topic: name,
              topicId,
              partition: partitionIndex,
              offset: Number(committedOffset),
            })),
        ),
      ]),
    )
  })
}

/** A group that has another coordinator by now is not asked for again here. */
function checkGroup(groupId: string, errorCode: number): void {
  if (errorCode === ErrorCode.NONE) return
  const { code, isRetriable } = KafkaError.fromCode(errorCode)
  const mayPass = isRetriable && errorCode !== ErrorCode.NOT_COORDINATOR
  throw new KafkaError(code, `the offsets of ${groupId} are not told: ${code}`, { isRetriable: mayPass })
}

/** The ends of partitions that `leader` leads, by `topic/partition`; those that it does not lead any more are left out. Rejects with KafkaError. */
export function endOffsets(
  client: AdminClient,
  leader: number,
  partitions: readonly TopicPartition[],
): Promise<Map<string, number>> {
  const byTopic = Map.groupBy(partitions, ({ topic }) => topic)
  return client.run(async (ask) => {
    const topics = [...byTopic].map(([name, some]) => ({
      name,
      partitions: some.map(({ partition }) => ({ partitionIndex: partition, timestamp: LATEST })),
    }))
    const answer = await ask(ApiKey.ListOffsets, { replicaId: -1, topics }, leader)
    const ends = answer.topics.flatMap(({ name, partitions: some }) =>
      some
        .filter(({ errorCode }) => errorCode === ErrorCode.NONE)
        .map(({ partitionIndex, offset }) => [`${name}/${partitionIndex}`, Number(offset)] as const),
    )
    return new Map(ends)
  })
}
