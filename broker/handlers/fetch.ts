import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { ResponseInputOf } from '../protocol/apis.ts'
import type { FetchRequest } from '../protocol/messages/fetch.ts'
import {
  type FetchSessions,
  type FetchContext,
  type SessionPartition,
  type SessionRequest,
} from '../replication/fetch-session.ts'
import { type FetchedPartition, type FetchEntry, type FetchLimits, fetch } from '../replication/fetch.ts'
import type { RequestContext } from '../security/request-context.ts'
import type { ReplicaManager, TopicDirectory } from '../replication/replica-manager.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Clock } from '../env/clock.ts'
import type { Handler } from './handler.ts'

export interface FetchDeps {
  readonly clock: Clock
  readonly fetchMaxBytes: () => number
  readonly fetchSessions: FetchSessions
  readonly metrics: Metrics
  readonly replicas: ReplicaManager
  readonly topicNames: TopicDirectory
}

const SESSION_VERSION = 7
const TOPIC_ID_VERSION = 13
const READ_COMMITTED = 1
const FULL_WITHOUT_SESSION = -1
const NO_EPOCH = -1
const NOT_THERE: ReadonlySet<ErrorCode> = new Set([ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.UNKNOWN_TOPIC_ID])

type FetchResponse = ResponseInputOf<typeof ApiKey.Fetch>
type TopicResponse = NonNullable<FetchResponse['responses']>[number]
type PartitionResponse = NonNullable<TopicResponse['partitions']>[number]

/** Fetch (1), v4 to v18, from consumers: sessions (KIP-227), epochs and divergence (KIP-320), topic ids (KIP-516). */
export function fetchHandler(deps: FetchDeps): Handler<typeof ApiKey.Fetch> {
  return { key: ApiKey.Fetch, handle: (request, context) => answer(deps, request, context) }
}

async function answer(deps: FetchDeps, request: FetchRequest, context: RequestContext): Promise<FetchResponse> {
  const session = deps.fetchSessions.open(sessionRequest(deps, request, context.apiVersion))
  if (session.error !== ErrorCode.NONE) return emptyResponse(session.error)
  const byId = context.apiVersion >= TOPIC_ID_VERSION
  const entries = session.partitions.map((partition) => entryOf(deps, partition, byId))
  const limits = limitsOf(deps, request)
  const pending = fetch(entries, limits, deps.clock, (gone) => context.onAbandoned(gone))
  const fetched = pending instanceof Promise ? await pending : pending
  count(deps, entries, fetched)
  return {
    ...emptyResponse(ErrorCode.NONE),
    sessionId: session.sessionId,
    responses: group(session, fetched, { byId, readCommitted: limits.readCommitted }),
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

function entryOf(deps: FetchDeps, asked: SessionPartition, byId: boolean): FetchEntry {
  const { topic, topicId, partition, fetchOffset, maxBytes, currentLeaderEpoch, lastFetchedEpoch } = asked
  return {
    partition: byId ? deps.replicas.findById(topicId, partition) : deps.replicas.find(topic, partition),
    fetchOffset,
    maxBytes,
    currentLeaderEpoch,
    lastFetchedEpoch,
  }
}

function limitsOf(deps: FetchDeps, request: FetchRequest): FetchLimits {
  return {
    minBytes: request.minBytes,
    maxBytes: Math.min(request.maxBytes, deps.fetchMaxBytes()),
    maxWaitMs: request.maxWaitMs,
    readCommitted: request.isolationLevel === READ_COMMITTED,
  }
}

function emptyResponse(errorCode: ErrorCode): FetchResponse {
  return { throttleTimeMs: 0, errorCode, sessionId: 0, responses: [], nodeEndpoints: [] }
}

interface TopicResults extends TopicResponse {
  readonly partitions: PartitionResponse[]
}

/** Results are told topic by topic; neighbours of one topic share its entry, as they do in a request. */
function group(
  session: FetchContext,
  fetched: readonly FetchedPartition[],
  { byId, readCommitted }: { readonly byId: boolean; readonly readCommitted: boolean },
): TopicResponse[] {
  const topics: TopicResults[] = []
  for (const [index, result] of fetched.entries()) {
    const asked = session.partitions[index] as SessionPartition
    if (!session.includes(asked, result)) continue
    const last = topics.at(-1)
    const continues = last !== undefined && (byId ? last.topicId === asked.topicId : last.topic === asked.topic)
    const topic: TopicResults = continues ? last : { topic: asked.topic, topicId: asked.topicId, partitions: [] }
    if (!continues) topics.push(topic)
    topic.partitions.push(partitionResponse(asked.partition, result, readCommitted))
  }
  return topics
}

/** Nothing can have been aborted yet: an empty list, for those who ask for committed records, and null for the others. */
function partitionResponse(
  partitionIndex: number,
  result: FetchedPartition,
  readCommitted: boolean,
): PartitionResponse {
  return {
    partitionIndex,
    errorCode: result.error,
    highWatermark: BigInt(result.highWatermark),
    lastStableOffset: BigInt(result.lastStableOffset),
    logStartOffset: BigInt(result.logStartOffset),
    abortedTransactions: (readCommitted && result.error === ErrorCode.NONE) || NOT_THERE.has(result.error) ? [] : null,
    preferredReadReplica: -1,
    records: result.buffers,
    divergingEpoch:
      result.diverging === undefined
        ? { epoch: -1, endOffset: -1n }
        : { epoch: result.diverging.epoch, endOffset: BigInt(result.diverging.endOffset) },
    currentLeader: { leaderId: -1, leaderEpoch: -1 },
    snapshotId: { endOffset: -1n, epoch: -1 },
  }
}

function count(deps: FetchDeps, entries: readonly FetchEntry[], fetched: readonly FetchedPartition[]): void {
  for (const [index, { partition }] of entries.entries()) {
    const result = fetched[index]
    if (typeof partition === 'number' || result === undefined) continue
    const topic = deps.metrics.brokerTopic(partition.log.topic)
    topic.totalFetchRequests++
    if (result.error !== ErrorCode.NONE) topic.failedFetchRequests++
    else topic.bytesOut += result.sizeInBytes
  }
}
