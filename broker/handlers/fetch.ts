import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { ResponseInputOf } from '../protocol/apis.ts'
import type { AnswerBudget } from '../lib/answer-budget.ts'
import type { FetchRequest } from '../protocol/messages/fetch.ts'
import type { FetchSessions, FetchContext, SessionRequest } from '../replication/fetch-session.ts'
import type { FetchedPartition, FetchLimits } from '../replication/fetch-read.ts'
import type { FindPartition } from '../replication/fetch-target.ts'
import type { FetchTargets } from '../replication/fetch-targets.ts'
import { fetch, type Fetched } from '../replication/fetch.ts'
import type { Partition } from '../replication/partition.ts'
import type { RequestContext } from '../security/request-context.ts'
import type { ReplicaManager, TopicDirectory } from '../replication/replica-manager.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Clock } from '../env/clock.ts'
import type { ReplicaSelector } from '../replication/replica-selector.ts'
import type { LeaderThrottle } from '../replication/throttle.ts'
import type { ClusterView } from './cluster-view.ts'
import { fetchCountedAs, replicaOf } from './fetch-replica.ts'
import type { Handler } from './handler.ts'
import { LeaderHints } from './leader-hints.ts'

export interface FetchDeps {
  readonly clock: Clock
  readonly cluster: () => ClusterView
  /** fetch.max.bytes */
  readonly fetchMaxBytes: () => number
  readonly answers: AnswerBudget
  readonly fetchSessions: FetchSessions
  readonly metrics: Metrics
  readonly replicas: ReplicaManager
  readonly topicNames: TopicDirectory
  /** Limits what followers are given (KIP-73). */
  readonly leaderThrottle: Pick<LeaderThrottle, 'holdsBack' | 'sent'>
  /** Undefined where consumers are to read from the leader. */
  readonly replicaSelector: ReplicaSelector | undefined
}

const SESSION_VERSION = 7
const TOPIC_ID_VERSION = 13
/** From this version on a consumer tells its rack and takes a follower's answer (KIP-392). */
const RACK_VERSION = 11
const LEADER_HINT_VERSION = 16
const READ_COMMITTED = 1
const FULL_WITHOUT_SESSION = -1
const NO_EPOCH = -1
const NO_LEADER = { leaderId: -1, leaderEpoch: -1 }
const NOT_THERE: ReadonlySet<ErrorCode> = new Set([ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.UNKNOWN_TOPIC_ID])
/** The everyday of a cluster and its clients: as in Apache Kafka, what counts as failed is what nobody expects. */
const EXPECTED: ReadonlySet<ErrorCode> = new Set([
  ...NOT_THERE,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.UNKNOWN_LEADER_EPOCH,
  ErrorCode.FENCED_LEADER_EPOCH,
  ErrorCode.REPLICA_NOT_AVAILABLE,
  ErrorCode.KAFKA_STORAGE_ERROR,
  ErrorCode.OFFSET_OUT_OF_RANGE,
  ErrorCode.INCONSISTENT_TOPIC_ID,
])

type FetchResponse = ResponseInputOf<typeof ApiKey.Fetch>
type TopicResponse = NonNullable<FetchResponse['responses']>[number]
type PartitionResponse = NonNullable<TopicResponse['partitions']>[number]

/**
 * Fetch (1), v4 to v18: sessions (KIP-227), epochs and divergence (KIP-320, KIP-595), topic ids (KIP-516), from consumers, which may
 * read from followers (KIP-392), and from followers, whose progress it tells (KIP-903).
 */
export function fetchHandler(deps: FetchDeps): Handler<typeof ApiKey.Fetch> {
  return {
    key: ApiKey.Fetch,
    countedAs: fetchCountedAs,
    handle: (request, context) => answer(deps, request, context),
  }
}

async function answer(deps: FetchDeps, request: FetchRequest, context: RequestContext): Promise<FetchResponse> {
  // A thousand clients that leave with ten requests on their way would have ten thousand answers read that nobody gets.
  if (context.connection.isClosed) return emptyResponse(ErrorCode.NONE)
  const session = deps.fetchSessions.open(sessionRequest(deps, request, context.apiVersion))
  if (session.error !== ErrorCode.NONE) return emptyResponse(session.error)
  const byId = context.apiVersion >= TOPIC_ID_VERSION
  const limits = limitsOf(deps, request, context)
  const find: FindPartition = ({ topic, topicId, partition }) =>
    byId ? deps.replicas.findById(topicId, partition) : deps.replicas.find(topic, partition)
  const { clock } = deps
  const pending = fetch(session.targets, limits, { clock, find }, (gone) => context.onAbandoned(gone))
  const fetched = pending instanceof Promise ? await pending : pending
  if (limits.replica === undefined) count(deps, session.targets, fetched)
  else countReplication(deps, fetched)
  const hints = context.apiVersion >= LEADER_HINT_VERSION ? new LeaderHints(context, deps) : undefined
  const responses = group(session, { fetched, hints, byId, readCommitted: limits.readCommitted })
  return {
    ...emptyResponse(ErrorCode.NONE),
    sessionId: session.sessionId,
    responses,
    nodeEndpoints: hints === undefined ? [] : [...hints.endpoints],
  }
}

function sessionRequest(deps: FetchDeps, request: FetchRequest, version: number): SessionRequest {
  const usesTopicIds = version >= TOPIC_ID_VERSION
  const name = (topic: string, topicId: string): string =>
    usesTopicIds ? (deps.topicNames.nameOf(topicId) ?? '') : topic
  return {
    sessionId: request.sessionId,
    sessionEpoch: version >= SESSION_VERSION ? request.sessionEpoch : FULL_WITHOUT_SESSION,
    usesTopicIds,
    isFollower: replicaOf(request, version) !== undefined,
    partitions: request.topics.flatMap(({ topic, topicId, partitions }) =>
      partitions.map((asked) => ({
        topic: name(topic, topicId),
        topicId,
        partition: asked.partition,
        fetchOffset: Number(asked.fetchOffset),
        maxBytes: asked.partitionMaxBytes,
        currentLeaderEpoch: Math.max(NO_EPOCH, asked.currentLeaderEpoch),
        lastFetchedEpoch: Math.max(NO_EPOCH, asked.lastFetchedEpoch),
        logStartOffset: Number(asked.logStartOffset),
      })),
    ),
    forgotten: request.forgottenTopicsData.flatMap(({ topic, topicId, partitions }) =>
      partitions.map((partition) => ({ topic: name(topic, topicId), topicId, partition })),
    ),
  }
}

function limitsOf(deps: FetchDeps, request: FetchRequest, context: RequestContext): FetchLimits {
  const { maxWaitMs } = request
  const maxBytes = Math.min(request.maxBytes, deps.fetchMaxBytes())
  const minBytes = Math.min(request.minBytes, maxBytes)
  const replica = replicaOf(request, context.apiVersion)
  if (replica !== undefined) {
    const isThrottled = (partition: Partition): boolean => deps.leaderThrottle.holdsBack(partition, replica.brokerId)
    return { minBytes, maxBytes, maxWaitMs, readCommitted: false, replica, isThrottled }
  }
  const preferredReplica = deps.replicaSelector?.forConsumer(request.rackId, context.listener)
  return {
    minBytes,
    maxBytes,
    maxWaitMs,
    budget: deps.answers,
    takenBytes: context.connection.takenBytes,
    readCommitted: request.isolationLevel === READ_COMMITTED,
    mayFollow: context.apiVersion >= RACK_VERSION,
    ...(preferredReplica === undefined ? {} : { preferredReplica }),
  }
}

function emptyResponse(errorCode: ErrorCode): FetchResponse {
  return { throttleTimeMs: 0, errorCode, sessionId: 0, responses: [], nodeEndpoints: [] }
}

interface TopicResults extends TopicResponse {
  readonly partitions: PartitionResponse[]
}

interface Results {
  readonly fetched: Fetched
  readonly hints: LeaderHints | undefined
  readonly byId: boolean
  readonly readCommitted: boolean
}

/** Results are told topic by topic; neighbours of one topic share its entry, as they do in a request. */
function group(session: FetchContext, results: Results): TopicResponse[] {
  const { byId, hints, readCommitted } = results
  const topics: TopicResults[] = []
  for (const [target, result] of results.fetched) {
    if (!session.includes(target, result)) continue
    const { asked, partition } = target
    const last = topics.at(-1)
    const continues = last !== undefined && (byId ? last.topicId === asked.topicId : last.topic === asked.topic)
    const topic: TopicResults = continues ? last : { topic: asked.topic, topicId: asked.topicId, partitions: [] }
    if (!continues) topics.push(topic)
    const named = { topic: asked.topic, topicId: byId ? asked.topicId : undefined, index: asked.partition }
    const currentLeader = hints?.of(result.error, partition, named) ?? NO_LEADER
    topic.partitions.push(partitionResponse(asked.partition, result, readCommitted, currentLeader))
  }
  return topics
}

/** Nothing can have been aborted yet: an empty list, for those who ask for committed records, and null for the others. */
function partitionResponse(
  partitionIndex: number,
  result: FetchedPartition,
  readCommitted: boolean,
  currentLeader: { readonly leaderId: number; readonly leaderEpoch: number },
): PartitionResponse {
  return {
    partitionIndex,
    errorCode: result.error,
    highWatermark: BigInt(result.highWatermark),
    lastStableOffset: BigInt(result.lastStableOffset),
    logStartOffset: BigInt(result.logStartOffset),
    abortedTransactions: (readCommitted && result.error === ErrorCode.NONE) || NOT_THERE.has(result.error) ? [] : null,
    preferredReadReplica: result.preferredReadReplica,
    records: result.buffers,
    divergingEpoch:
      result.diverging === undefined
        ? { epoch: -1, endOffset: -1n }
        : { epoch: result.diverging.epoch, endOffset: BigInt(result.diverging.endOffset) },
    currentLeader,
    snapshotId: { endOffset: -1n, epoch: -1 },
  }
}

function countReplication(deps: FetchDeps, fetched: Fetched): void {
  for (const [{ partition }, { sizeInBytes }] of fetched) {
    if (typeof partition === 'number' || sizeInBytes === 0) continue
    deps.metrics.brokerTopic(partition.log.topic).replicationBytesOut += sizeInBytes
    deps.leaderThrottle.sent(partition, sizeInBytes)
  }
}

function count(deps: FetchDeps, targets: FetchTargets, fetched: Fetched): void {
  for (const [{ partition }, { error, sizeInBytes }] of fetched) {
    if (typeof partition === 'number') continue
    const topic = deps.metrics.brokerTopic(partition.log.topic)
    topic.totalFetchRequests++
    if (error === ErrorCode.NONE) topic.bytesOut += sizeInBytes
    else if (!EXPECTED.has(error)) topic.failedFetchRequests++
  }
  for (const [topic, partitions] of targets.restingByTopic)
    deps.metrics.brokerTopic(topic).totalFetchRequests += partitions
}
