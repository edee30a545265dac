import type { Clock } from '../../env/clock.ts'
import { ZERO_UUID } from '../../lib/uuid.ts'
import type { ApiKey } from '../../protocol/api-key.ts'
import type { RequestOf, ResponseInputOf } from '../../protocol/apis.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { TopicNames } from './appender.ts'
import type { OffsetPlace } from './committed-offsets.ts'
import type { OffsetToCommit } from './group-offsets.ts'
import type { GroupShard } from './group-shard.ts'

type CommitRequest = RequestOf<typeof ApiKey.OffsetCommit>
type CommitResponse = ResponseInputOf<typeof ApiKey.OffsetCommit>
type AskedCommit = CommitRequest['topics'][number]['partitions'][number]
type FetchRequest = RequestOf<typeof ApiKey.OffsetFetch>
type FetchGroup = Pick<FetchRequest['groups'][number], 'groupId' | 'topics'>
type FetchTopic = NonNullable<FetchGroup['topics']>[number]
type FetchResponse = ResponseInputOf<typeof ApiKey.OffsetFetch>
type FetchedGroup = NonNullable<ResponseInputOf<typeof ApiKey.OffsetFetch>['groups']>[number]
type FetchedTopic = NonNullable<FetchedGroup['topics']>[number]
type FetchedPartition = NonNullable<FetchedTopic['partitions']>[number]
type DeleteRequest = RequestOf<typeof ApiKey.OffsetDelete>
type DeleteResponse = ResponseInputOf<typeof ApiKey.OffsetDelete>

/** Topics are named by id from this version of OffsetCommit and of OffsetFetch on (KIP-848). */
const TOPIC_IDS_SINCE = 10
/** OffsetFetch says from this version on what is wrong with the group; before, each partition does. */
const GROUP_ERROR_SINCE = 2
/** Several groups in one OffsetFetch (KIP-709). */
const GROUPS_SINCE = 8
/** OffsetCommit before v5: the broker's offsets.retention.minutes. */
const DEFAULT_RETENTION = -1n

export interface OffsetApisDeps {
  readonly topics: TopicNames
  readonly clock: Clock
  /** The shard of a group, or why there is none to ask. */
  readonly shardOf: (groupId: string) => GroupShard | ErrorCode
}

/** A partition that may be committed, and where its result goes. */
interface Slot {
  readonly offset: OffsetToCommit
  readonly result: { readonly partitionIndex: number; errorCode: ErrorCode }
}

/** OffsetCommit, OffsetFetch and OffsetDelete: from what requests say to the offsets of a group. */
export class OffsetApis {
  readonly #metadataMaxLength: number
  readonly #deps: OffsetApisDeps

  constructor(options: { readonly metadataMaxLength: number }, deps: OffsetApisDeps) {
    this.#metadataMaxLength = options.metadataMaxLength
    this.#deps = deps
  }

  /** Answers when the offsets are in the log. What is wrong with one partition does not keep the others from being committed. */
  async commit(request: CommitRequest, apiVersion: number): Promise<CommitResponse> {
    const slots: Slot[] = []
    const topics = request.topics.map((topic) => {
      const name = apiVersion >= TOPIC_IDS_SINCE ? this.#deps.topics.nameOf(topic.topicId) : topic.name
      const unknown = name === undefined ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      const partitions = topic.partitions.map((asked) => {
        const result = { partitionIndex: asked.partitionIndex, errorCode: unknown }
        if (name !== undefined && this.#deps.topics.exists(name, asked.partitionIndex)) {
          slots.push({ offset: this.#toCommit(name, asked, request.retentionTimeMs), result })
        }
        return result
      })
      return { topicId: topic.topicId, name: topic.name, partitions }
    })
    if (slots.length > 0) await this.#commitSlots(request, apiVersion, slots)
    return { throttleTimeMs: 0, topics: topics.filter(({ partitions }) => partitions.length > 0) }
  }

  async #commitSlots(request: CommitRequest, apiVersion: number, slots: readonly Slot[]): Promise<void> {
    const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch: generationId } = request
    const shard = this.#deps.shardOf(groupId)
    let groupError: ErrorCode
    if (typeof shard === 'number') groupError = shard
    else groupError = shard.offsets.authorize({ groupId, memberId, groupInstanceId, generationId, apiVersion })
    for (const { offset, result } of slots) {
      const isTooLarge = offset.value.metadata.length > this.#metadataMaxLength
      if (groupError !== ErrorCode.NONE) result.errorCode = groupError
      else result.errorCode = isTooLarge ? ErrorCode.OFFSET_METADATA_TOO_LARGE : ErrorCode.NONE
    }
    const accepted = slots.filter(({ result }) => result.errorCode === ErrorCode.NONE)
    if (typeof shard === 'number' || accepted.length === 0) return
    const errorCode = await shard.offsets.commit(
      groupId,
      accepted.map(({ offset }) => offset),
    )
    for (const { result } of accepted) result.errorCode = errorCode
  }

  #toCommit(topic: string, asked: AskedCommit, retentionTimeMs: bigint): OffsetToCommit {
    const nowMs = this.#deps.clock.wallMs()
    return {
      topic,
      partition: asked.partitionIndex,
      value: {
        offset: asked.committedOffset,
        leaderEpoch: asked.committedLeaderEpoch,
        metadata: asked.committedMetadata ?? '',
        commitTimestampMs: nowMs,
        expireTimestampMs: retentionTimeMs === DEFAULT_RETENTION ? -1 : nowMs + exact(retentionTimeMs),
        topicId: this.#deps.topics.idOf(topic) ?? ZERO_UUID,
      },
    }
  }

  async fetch(request: FetchRequest, apiVersion: number): Promise<FetchResponse> {
    if (apiVersion >= GROUPS_SINCE) {
      const groups = request.groups.map((group) => this.#fetchGroup(group, request.requireStable, apiVersion))
      return { throttleTimeMs: 0, groups: await Promise.all(groups) }
    }
    const topics = request.topics?.map((topic) => ({ ...topic, topicId: ZERO_UUID })) ?? null
    const asked = { groupId: request.groupId, topics }
    const { topics: found = [], errorCode = 0 } = await this.#fetchGroup(asked, request.requireStable, apiVersion)
    return { throttleTimeMs: 0, topics: found, errorCode }
  }

  async #fetchGroup(group: FetchGroup, requireStable: boolean, apiVersion: number): Promise<FetchedGroup> {
    const shard = this.#deps.shardOf(group.groupId)
    if (typeof shard === 'number') return fetchError(group, shard, apiVersion)
    if (requireStable) await shard.settled()
    if (shard.availability !== ErrorCode.NONE) return fetchError(group, shard.availability, apiVersion)
    const topics =
      group.topics === null
        ? this.#fetchAll(shard, group.groupId, requireStable, apiVersion)
        : group.topics.map((topic) => this.#fetchTopic(shard, group.groupId, topic, requireStable, apiVersion))
    return { groupId: group.groupId, topics, errorCode: ErrorCode.NONE }
  }

  #fetchTopic(
    shard: GroupShard,
    groupId: string,
    asked: FetchTopic,
    requireStable: boolean,
    apiVersion: number,
  ): FetchedTopic {
    const usesIds = apiVersion >= TOPIC_IDS_SINCE
    const name = usesIds ? this.#deps.topics.nameOf(asked.topicId) : asked.name
    const partitions = asked.partitionIndexes.map((partition) =>
      name === undefined
        ? missing(partition, ErrorCode.UNKNOWN_TOPIC_ID)
        : fetchPartition(
            shard,
            groupId,
            { topic: name, partition },
            usesIds ? asked.topicId : ZERO_UUID,
            requireStable,
          ),
    )
    return { topicId: asked.topicId, name: asked.name, partitions }
  }

  /** With ids, topics that are no more cannot be told. */
  #fetchAll(shard: GroupShard, groupId: string, requireStable: boolean, apiVersion: number): FetchedTopic[] {
    if (shard.groups.get(groupId) === undefined) return []
    const topics: FetchedTopic[] = []
    for (const [topic, partitions] of shard.offsets.offsets.committed.ofGroup(groupId) ?? []) {
      const topicId = this.#deps.topics.idOf(topic) ?? ZERO_UUID
      if (apiVersion >= TOPIC_IDS_SINCE && topicId === ZERO_UUID) continue
      const found = [...partitions.keys()].map((partition) =>
        fetchPartition(shard, groupId, { topic, partition }, ZERO_UUID, requireStable),
      )
      topics.push({ topicId, name: topic, partitions: found })
    }
    return topics
  }

  async delete(request: DeleteRequest): Promise<DeleteResponse> {
    const { groupId } = request
    const shard = this.#deps.shardOf(groupId)
    if (groupId === '') return { errorCode: ErrorCode.INVALID_GROUP_ID }
    const groupError = typeof shard === 'number' ? shard : shard.offsets.validateDelete(groupId)
    if (typeof shard === 'number' || groupError !== ErrorCode.NONE) return { errorCode: groupError }
    const places: OffsetPlace[] = []
    const topics = request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => {
        const errorCode = this.#deletable(shard, groupId, name, partitionIndex)
        if (errorCode === ErrorCode.NONE) places.push({ topic: name, partition: partitionIndex })
        return { partitionIndex, errorCode }
      }),
    }))
    const errorCode = await shard.offsets.delete(groupId, places)
    if (errorCode !== ErrorCode.NONE) return { errorCode }
    return { errorCode, throttleTimeMs: 0, topics: topics.filter(({ partitions }) => partitions.length > 0) }
  }

  #deletable(shard: GroupShard, groupId: string, topic: string, partition: number): ErrorCode {
    if (!this.#deps.topics.exists(topic, partition)) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    return shard.offsets.isSubscribed(groupId, topic) ? ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC : ErrorCode.NONE
  }
}

/** An offset that belongs to an earlier topic of that name is none (`topicId` is zero where the client did not say which it means). */
function fetchPartition(
  shard: GroupShard,
  groupId: string,
  place: OffsetPlace,
  topicId: string,
  requireStable: boolean,
): FetchedPartition {
  const { offsets } = shard.offsets
  if (requireStable && offsets.isInTransaction(groupId, place)) {
    return missing(place.partition, ErrorCode.UNSTABLE_OFFSET_COMMIT)
  }
  const found = shard.groups.get(groupId) === undefined ? undefined : offsets.committed.get(groupId, place)
  if (found === undefined || isOfAnother(found.topicId, topicId)) return missing(place.partition, ErrorCode.NONE)
  return {
    partitionIndex: place.partition,
    committedOffset: found.offset,
    committedLeaderEpoch: found.leaderEpoch,
    metadata: found.metadata,
    errorCode: ErrorCode.NONE,
  }
}

function isOfAnother(committedFor: string, asked: string): boolean {
  return committedFor !== ZERO_UUID && asked !== ZERO_UUID && committedFor !== asked
}

const EXACT_MAX = BigInt(Number.MAX_SAFE_INTEGER)

/** Of a time: beyond, numbers are rounded, the largest of them to what is no int64 any more. No clock gets there. */
function exact(value: bigint): number {
  if (value > EXACT_MAX) return Number.MAX_SAFE_INTEGER
  return value < -EXACT_MAX ? Number.MIN_SAFE_INTEGER : Number(value)
}

function missing(partitionIndex: number, errorCode: ErrorCode): FetchedPartition {
  return { partitionIndex, committedOffset: -1n, committedLeaderEpoch: -1, metadata: '', errorCode }
}

function fetchError({ groupId, topics }: FetchGroup, errorCode: ErrorCode, apiVersion: number): FetchedGroup {
  if (apiVersion >= GROUP_ERROR_SINCE) return { groupId, topics: [], errorCode }
  const failed = (topics ?? []).map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partition) => missing(partition, errorCode)),
  }))
  return { groupId, topics: failed }
}
