import type { ServerConfig } from '../../config/server-config.ts'
import type { Timer } from '../../env/clock.ts'
import type { CodecName } from '../../env/compute.ts'
import type { Random } from '../../env/random.ts'
import type { ApiKey } from '../../protocol/api-key.ts'
import type { RequestOf, ResponseInputOf } from '../../protocol/apis.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { RequestContext } from '../../security/request-context.ts'
import type { TopicNames } from './appender.ts'
import type { GroupState } from './classic-group.ts'
import type { CommittedOffset, OffsetPlace } from './committed-offsets.ts'
import { joinError, type MemberProtocol, syncError } from './effects.ts'
import {
  describeGroup,
  describeMissing,
  type GroupDescription,
  listGroups,
  type ListedGroup,
} from './group-descriptions.ts'
import type { Group } from './group-registry.ts'
import { GroupShard, type ShardDeps, type ShardOptions } from './group-shard.ts'
import { newMemberId } from './member-id.ts'
import { OffsetApis } from './offset-apis.ts'
import { partitionForGroup } from './partitioner.ts'

export type GroupCoordinatorOptions = Pick<
  ServerConfig,
  | 'groupInitialRebalanceDelayMs'
  | 'groupMaxSize'
  | 'groupMinSessionTimeoutMs'
  | 'groupMaxSessionTimeoutMs'
  | 'offsetMetadataMaxBytes'
  | 'offsetsRetentionMinutes'
  | 'offsetsRetentionCheckIntervalMs'
  | 'offsetsTopicCompressionCodec'
>

export interface GroupCoordinatorDeps extends ShardDeps {
  readonly random: Random
  readonly topics: TopicNames
}

type Context = Pick<RequestContext, 'apiVersion' | 'clientId' | 'clientAddress'>
type Reply<K extends ApiKey> = Promise<ResponseInputOf<K>>

const CODECS: readonly CodecName[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const MINUTE_MS = 60_000
const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * MINUTE_MS

/** Before a partition that could not be loaded is tried again; doubles from the first time to the longest. */
const LOAD_RETRY_MS = 1000
const LOAD_RETRY_MS_MAX = MINUTE_MS

/** From which versions on clients may be told things. */
const JOIN_REBALANCE_TIMEOUT_SINCE = 1
const JOIN_KNOWN_MEMBER_ID_SINCE = 4
const JOIN_NULL_PROTOCOL_SINCE = 7
const JOIN_SKIP_ASSIGNMENT_SINCE = 9
const LEAVE_MEMBERS_SINCE = 3
/** From here on a SyncGroup tells the type and the name of the protocol (KIP-559). */
const SYNC_PROTOCOL_SINCE = 5

/**
 * The coordinator of the groups in those partitions of `__consumer_offsets` that this broker leads: one method an API. Groups of a
 * partition that is being loaded wait a little, and are COORDINATOR_LOAD_IN_PROGRESS then; of one that others lead, or that could not be loaded,
 * they are NOT_COORDINATOR.
 */
export class GroupCoordinator {
  readonly #options: GroupCoordinatorOptions
  readonly #shardOptions: ShardOptions
  readonly #deps: GroupCoordinatorDeps
  readonly #shards = new Map<number, GroupShard>()
  /** Of partitions that could not be loaded. */
  readonly #retries = new Map<number, Timer>()
  readonly #offsets: OffsetApis
  #expiry: Timer | undefined

  constructor(options: GroupCoordinatorOptions, deps: GroupCoordinatorDeps) {
    this.#options = options
    this.#deps = deps
    this.#shardOptions = {
      rules: {
        initialRebalanceDelayMs: options.groupInitialRebalanceDelayMs,
        maxSize: options.groupMaxSize,
        newMemberJoinTimeoutMs: NEW_MEMBER_JOIN_TIMEOUT_MS,
      },
      retentionMs: options.offsetsRetentionMinutes * MINUTE_MS,
      codec: CODECS[options.offsetsTopicCompressionCodec] ?? 'none',
    }
    const { topics, clock } = deps
    const shardOf = (groupId: string) => this.#shardOf(groupId)
    this.#offsets = new OffsetApis({ metadataMaxLength: options.offsetMetadataMaxBytes }, { topics, clock, shardOf })
  }

  /** Begins to expire offsets, every offsets.retention.check.interval.ms. */
  open(): void {
    this.#expiry = this.#deps.clock.setTimer(this.#options.offsetsRetentionCheckIntervalMs, () => void this.#expire())
  }

  /** One partition after the other: each takes its turn of the event loop. */
  async #expire(): Promise<void> {
    for (const shard of this.#active()) await shard.offsets.expire()
    if (this.#expiry !== undefined) this.open()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#expiry?.cancel()
    this.#expiry = undefined
    for (const partition of this.#shards.keys()) this.onUnload(partition)
  }

  /** This broker leads the partition now. Resolves when its groups are served, or cannot be yet: then it is loaded again after a while. */
  async onLoad(partition: number, leaderEpoch: number): Promise<void> {
    const current = this.#shards.get(partition)
    if (current !== undefined && current.leaderEpoch >= leaderEpoch && !current.isCancelled) return
    this.#giveUp(partition)
    await this.#load(partition, leaderEpoch, LOAD_RETRY_MS)
  }

  async #load(partition: number, leaderEpoch: number, retryMs: number): Promise<void> {
    const shard = new GroupShard({ ...this.#shardOptions, partition, leaderEpoch }, this.#deps)
    // What the one before was told, and did not get into the log, nobody tells again.
    const deletedTopics = this.#shards.get(partition)?.offsets.deletedTopics ?? []
    for (const [topicId, name] of deletedTopics) shard.topicDeleted(name, topicId)
    this.#shards.set(partition, shard)
    await shard.load()
    if (!shard.isCancelled || this.#shards.get(partition) !== shard) return
    const again = (): void => {
      this.#retries.delete(partition)
      void this.#load(partition, leaderEpoch, Math.min(2 * retryMs, LOAD_RETRY_MS_MAX))
    }
    this.#retries.set(partition, this.#deps.clock.setTimer(retryMs, again))
  }

  /** This broker does not lead the partition any more. */
  onUnload(partition: number): void {
    this.#giveUp(partition)
    this.#shards.delete(partition)
  }

  #giveUp(partition: number): void {
    this.#retries.get(partition)?.cancel()
    this.#retries.delete(partition)
    this.#shards.get(partition)?.close()
  }

  /**
   * Forgets the offsets of topics that were deleted. Nobody waits for the log: it may need the metadata that comes behind this, such as an
   * ISR without a broker that has died.
   */
  onTopicsDeleted(topics: readonly { readonly name: string; readonly topicId: string }[]): void {
    for (const { name, topicId } of topics) {
      for (const shard of this.#shards.values()) shard.topicDeleted(name, topicId)
    }
  }

  /** The partition of `__consumer_offsets` whose leader coordinates the group. */
  partitionFor(groupId: string): number {
    return partitionForGroup(groupId, this.#deps.appender.partitionCount())
  }

  #shardOf(groupId: string): GroupShard | ErrorCode {
    const shard = this.#shards.get(this.partitionFor(groupId))
    if (shard === undefined) return ErrorCode.NOT_COORDINATOR
    return shard.availability === ErrorCode.NONE ? shard : shard.availability
  }

  /** What requests of members wait for; undefined where the group is not being loaded. */
  #loading(groupId: string): Promise<void> | undefined {
    const shard = this.#shards.get(this.partitionFor(groupId))
    return shard?.availability === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS ? shard.loadedSoon : undefined
  }

  *#active(): Generator<GroupShard> {
    for (const shard of this.#shards.values()) if (shard.availability === ErrorCode.NONE) yield shard
  }

  async joinGroup(request: RequestOf<typeof ApiKey.JoinGroup>, context: Context): Reply<typeof ApiKey.JoinGroup> {
    const { groupId, memberId, groupInstanceId, protocolType, sessionTimeoutMs } = request
    const { apiVersion, clientId } = context
    const loading = this.#loading(groupId)
    if (loading !== undefined) await loading
    const shard = this.#validateJoin(request)
    if (typeof shard === 'number') return joinResponse(joinError(shard, memberId), apiVersion)
    const answer = await shard.groups.join(groupId, {
      memberId,
      groupInstanceId,
      newMemberId: newMemberId(groupInstanceId ?? clientId, this.#deps.random),
      clientId,
      clientHost: `/${context.clientAddress}`,
      protocolType,
      protocols: ownProtocols(request.protocols),
      sessionTimeoutMs,
      rebalanceTimeoutMs: apiVersion >= JOIN_REBALANCE_TIMEOUT_SINCE ? request.rebalanceTimeoutMs : sessionTimeoutMs,
      needsKnownMemberId: apiVersion >= JOIN_KNOWN_MEMBER_ID_SINCE,
      canSkipAssignment: apiVersion >= JOIN_SKIP_ASSIGNMENT_SINCE,
    })
    return joinResponse(answer, apiVersion)
  }

  #validateJoin({ groupId, sessionTimeoutMs }: RequestOf<typeof ApiKey.JoinGroup>): GroupShard | ErrorCode {
    const { groupMinSessionTimeoutMs, groupMaxSessionTimeoutMs } = this.#options
    if (groupId === '') return ErrorCode.INVALID_GROUP_ID
    if (sessionTimeoutMs < groupMinSessionTimeoutMs || sessionTimeoutMs > groupMaxSessionTimeoutMs) {
      return ErrorCode.INVALID_SESSION_TIMEOUT
    }
    return this.#shardOf(groupId)
  }

  async syncGroup(request: RequestOf<typeof ApiKey.SyncGroup>, context: Context): Reply<typeof ApiKey.SyncGroup> {
    const { groupId, memberId, groupInstanceId, generationId, protocolType, protocolName } = request
    const loading = this.#loading(groupId)
    if (loading !== undefined) await loading
    const shard = this.#validateSync(request, context)
    if (typeof shard === 'number') return { throttleTimeMs: 0, ...syncError(shard) }
    const assignments = request.assignments.map((each) => ({ ...each, assignment: new Uint8Array(each.assignment) }))
    const ask = { memberId, groupInstanceId, generationId, protocolType, protocolName, assignments }
    return { throttleTimeMs: 0, ...(await shard.groups.sync(groupId, ask)) }
  }

  #validateSync(
    { groupId, protocolType, protocolName }: RequestOf<typeof ApiKey.SyncGroup>,
    { apiVersion }: Context,
  ): GroupShard | ErrorCode {
    if (apiVersion >= SYNC_PROTOCOL_SINCE && (protocolType === null || protocolName === null)) {
      return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
    }
    return groupId === '' ? ErrorCode.INVALID_GROUP_ID : this.#shardOf(groupId)
  }

  async heartbeat(request: RequestOf<typeof ApiKey.Heartbeat>, _context: Context): Reply<typeof ApiKey.Heartbeat> {
    const { groupId, memberId, groupInstanceId, generationId } = request
    const shard = groupId === '' ? ErrorCode.INVALID_GROUP_ID : this.#shardOf(groupId)
    // While the group is being loaded its sessions do not run, and the member need not rejoin.
    if (shard === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS) return { throttleTimeMs: 0, errorCode: ErrorCode.NONE }
    if (typeof shard === 'number') return { throttleTimeMs: 0, errorCode: shard }
    const errorCode = await shard.groups.heartbeat(groupId, { memberId, groupInstanceId, generationId })
    return { throttleTimeMs: 0, errorCode }
  }

  async leaveGroup(request: RequestOf<typeof ApiKey.LeaveGroup>, context: Context): Reply<typeof ApiKey.LeaveGroup> {
    const { groupId } = request
    const isBatch = context.apiVersion >= LEAVE_MEMBERS_SINCE
    const loading = this.#loading(groupId)
    if (loading !== undefined) await loading
    const shard = groupId === '' ? ErrorCode.INVALID_GROUP_ID : this.#shardOf(groupId)
    if (typeof shard === 'number') return { throttleTimeMs: 0, errorCode: shard }
    const asked = isBatch ? request.members : [{ memberId: request.memberId, groupInstanceId: null }]
    const identities = asked.map(({ memberId, groupInstanceId }) => ({ memberId, groupInstanceId }))
    const { errorCode, members } = await shard.groups.leave(groupId, { members: identities })
    if (isBatch || errorCode !== ErrorCode.NONE) return { throttleTimeMs: 0, errorCode, members }
    return { throttleTimeMs: 0, errorCode: members[0]?.errorCode ?? ErrorCode.NONE }
  }

  async offsetCommit(
    request: RequestOf<typeof ApiKey.OffsetCommit>,
    context: Context,
  ): Reply<typeof ApiKey.OffsetCommit> {
    const loading = this.#loading(request.groupId)
    if (loading !== undefined) await loading
    return this.#offsets.commit(request, context.apiVersion)
  }

  async offsetFetch(request: RequestOf<typeof ApiKey.OffsetFetch>, context: Context): Reply<typeof ApiKey.OffsetFetch> {
    const groups = request.groups.length > 0 ? request.groups : [request]
    for (const { groupId } of groups) {
      const loading = this.#loading(groupId)
      if (loading !== undefined) await loading
    }
    return this.#offsets.fetch(request, context.apiVersion)
  }

  offsetDelete(request: RequestOf<typeof ApiKey.OffsetDelete>, _context: Context): Reply<typeof ApiKey.OffsetDelete> {
    return this.#offsets.delete(request)
  }

  describeGroups(
    request: RequestOf<typeof ApiKey.DescribeGroups>,
    context: Context,
  ): ResponseInputOf<typeof ApiKey.DescribeGroups> {
    return { throttleTimeMs: 0, groups: request.groups.map((groupId) => this.#describe(groupId, context.apiVersion)) }
  }

  #describe(groupId: string, apiVersion: number): GroupDescription {
    const shard = this.#shardOf(groupId)
    if (typeof shard === 'number') return { errorCode: shard, groupId }
    const group = shard.groups.get(groupId)
    return group === undefined ? describeMissing(groupId, apiVersion) : describeGroup(group)
  }

  /** The groups of all partitions that are led here; fails while one of them is being loaded. */
  listGroups(
    request: RequestOf<typeof ApiKey.ListGroups>,
    _context: Context,
  ): ResponseInputOf<typeof ApiKey.ListGroups> {
    const groups: ListedGroup[] = []
    for (const { availability, groups: registry } of this.#shards.values()) {
      if (availability === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS) return { throttleTimeMs: 0, errorCode: availability }
      if (availability !== ErrorCode.NONE) continue
      for (const group of listGroups(registry.all(), request.statesFilter, request.typesFilter)) groups.push(group)
    }
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, groups }
  }

  async deleteGroups(
    request: RequestOf<typeof ApiKey.DeleteGroups>,
    _context: Context,
  ): Reply<typeof ApiKey.DeleteGroups> {
    const results = [...new Set(request.groupsNames)].map(async (groupId) => {
      const shard = this.#shardOf(groupId)
      return { groupId, errorCode: typeof shard === 'number' ? shard : await shard.offsets.deleteGroup(groupId) }
    })
    return { throttleTimeMs: 0, results: await Promise.all(results) }
  }

  /** All groups that are served here, for metrics. */
  *groups(): Generator<Group> {
    for (const shard of this.#active()) yield* shard.groups.all()
  }

  /** Groups by state, zeros included, and committed offsets. */
  counts(): { readonly groups: Readonly<Record<GroupState, number>>; readonly offsets: number } {
    const groups = { Empty: 0, PreparingRebalance: 0, CompletingRebalance: 0, Stable: 0, Dead: 0 }
    for (const { state } of this.groups()) groups[state]++
    let offsets = 0
    for (const shard of this.#active()) offsets += shard.offsets.offsets.committed.size
    return { groups, offsets }
  }

  /** Every committed offset that is served here: with log end offsets, what consumer lag is computed from. */
  *committedOffsets(): Generator<{ readonly groupId: string } & OffsetPlace & Pick<CommittedOffset, 'offset'>> {
    for (const shard of this.#active()) {
      for (const [groupId] of shard.offsets.offsets.committed.groups()) {
        for (const [place, { offset }] of shard.offsets.offsets.committed.entriesOf(groupId)) {
          yield { groupId, ...place, offset }
        }
      }
    }
  }
}

function joinResponse(
  answer: ReturnType<typeof joinError>,
  apiVersion: number,
): ResponseInputOf<typeof ApiKey.JoinGroup> {
  const protocolName = answer.protocolName ?? (apiVersion >= JOIN_NULL_PROTOCOL_SINCE ? null : '')
  return { throttleTimeMs: 0, ...answer, protocolName }
}

/** The member's protocols, the first of each name, as copies: they outlive the request's frame. */
function ownProtocols(protocols: readonly MemberProtocol[]): MemberProtocol[] {
  const byName = new Map<string, MemberProtocol>()
  for (const { name, metadata } of protocols) {
    if (!byName.has(name)) byName.set(name, { name, metadata: new Uint8Array(metadata) })
  }
  return [...byName.values()]
}
