import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { ProduceRequest, ProduceResponse } from '../protocol/messages/produce.ts'
import type { AppendOutcome } from '../replication/append-outcome.ts'
import { produce, type RequiredAcks } from '../replication/produce.ts'
import { ATTRIBUTES, BatchView, HEADER_BYTES, MAGIC, TRANSACTIONAL_BIT } from '../records/batch.ts'
import type { RequestContext } from '../security/request-context.ts'
import type { Clock } from '../env/clock.ts'
import type { Partition } from '../replication/partition.ts'
import type { ReplicaManager } from '../replication/replica-manager.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { type ClusterView, isInternalTopic } from './cluster-view.ts'
import type { Handler } from './handler.ts'
import { LeaderHints } from './leader-hints.ts'
import { countProduced } from './produce-counts.ts'

export interface ProduceDeps {
  readonly clock: Clock
  readonly metrics: Metrics
  readonly replicas: ReplicaManager
  readonly cluster: () => ClusterView
}

const TOPIC_ID_VERSION = 13
/** KIP-110: before v7, consumers could not be told from those that cannot read zstd. */
const ZSTD_VERSION = 7
/** What one partition of a request takes while it waits, measured: with batches of 100 bytes more than the request. */
const ENTRY_BYTES = 600
/** The only client that may write what coordinators keep: the one that mends it, in Kafka's tools. */
const ADMIN_CLIENT_ID = '__admin_client'

type TopicResponse = ProduceResponse['responses'][number]
type PartitionResponse = TopicResponse['partitionResponses'][number]

/** One partition of a request, and what is left of it to be told and counted once its records are let go. */
interface Entry {
  readonly index: number
  readonly partition: Partition | ErrorCode
  records: Uint8Array | null
  readonly sizeInBytes: number
}

interface TopicEntries extends Named {
  readonly entries: readonly Entry[]
}

/**
 * Produce (0), v3 to v13. v0 to v2 are advertised, since librdkafka reads compression support from them, and refused.
 * Requests of one connection overlap: the next may be appended while this one waits for the disk or the replicas.
 */
export function produceHandler(deps: ProduceDeps): Handler<typeof ApiKey.Produce> {
  return {
    key: ApiKey.Produce,
    overlaps: true,
    handle: async (request, context) => {
      const acks = request.acks
      // As in Apache Kafka, before anything else: what nobody began would never end, and hold back all who read what is committed.
      if (request.transactionalId === null && hasTransactional(request)) {
        return refuseAll(request, () => ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
      }
      const refuse = (error: ErrorCode) =>
        refuseAll(request, (topic, index) => {
          const found = findPartition(deps, context.apiVersion, topic, index)
          return isUnknown(found) ? found : error
        })
      if (acks !== 0 && acks !== 1 && acks !== -1) return refuse(ErrorCode.INVALID_REQUIRED_ACKS)
      if (request.transactionalId !== null) return refuse(ErrorCode.INVALID_TXN_STATE)
      return respond(deps, topicsOf(deps, request, context), { acks, timeoutMs: request.timeoutMs }, context)
    },
  }
}

/** Is not given the request: what waits here would hold it. */
async function respond(
  deps: ProduceDeps,
  asked: readonly TopicEntries[],
  { acks, timeoutMs }: { readonly acks: RequiredAcks; readonly timeoutMs: number },
  context: RequestContext,
): Promise<ProduceResponse | 'none' | 'close'> {
  const entries = asked.length === 1 ? (asked[0] as TopicEntries).entries : asked.flatMap((topic) => topic.entries)
  const pending = produce(entries, acks, timeoutMs, deps.clock, () => letGo(entries, context))
  const outcomes = pending instanceof Promise ? await pending : pending
  countProduced(deps.metrics, entries, outcomes)
  // Without an answer to carry it, the end of the connection is how a client with acks=0 learns of an error.
  if (acks === 0) return outcomes.some(({ error }) => error !== ErrorCode.NONE) ? 'close' : 'none'
  let next = 0
  const hints = new LeaderHints(context, deps)
  const byId = context.apiVersion >= TOPIC_ID_VERSION
  const topics = asked.map((topic) => ({
    name: topic.name,
    topicId: topic.topicId,
    partitionResponses: topic.entries.map(({ index, partition }) => {
      const outcome = outcomes[next++] as AppendOutcome
      const named = { topic: topic.name, topicId: byId ? topic.topicId : undefined, index }
      return partitionResponse(index, outcome, hints.of(outcome.error, partition, named))
    }),
  }))
  return {
    responses: merged(topics),
    throttleTimeMs: 0,
    nodeEndpoints: [...hints.endpoints],
  }
}

/** As in Apache Kafka, who waits for the replicas holds no records any more: a thousand requests of 1 MB were 1 GB while a follower stood still. */
function letGo(entries: readonly Entry[], { received }: RequestContext): void {
  for (const entry of entries) entry.records = null
  received.letGo(entries.length * ENTRY_BYTES)
}

/** Each topic once, as in Apache Kafka, and none without partitions. */
function merged(topics: TopicResponse[]): TopicResponse[] {
  if (topics.length === 1 && topics[0]?.partitionResponses.length !== 0) return topics
  const byTopic = new Map<string, TopicResponse>()
  for (const topic of topics) {
    if (topic.partitionResponses.length === 0) continue
    const key = `${topic.topicId} ${topic.name}`
    const first = byTopic.get(key)
    if (first === undefined) byTopic.set(key, topic)
    else first.partitionResponses.push(...topic.partitionResponses)
  }
  return [...byTopic.values()]
}

function topicsOf(
  deps: ProduceDeps,
  { topicData }: ProduceRequest,
  { apiVersion, clientId }: RequestContext,
): TopicEntries[] {
  const entryOf = (topic: Named, index: number, records: Uint8Array | null): Entry => {
    const found = findPartition(deps, apiVersion, topic, index)
    const partition = clientId === ADMIN_CLIENT_ID ? found : writable(found)
    const isUnreadable = apiVersion < ZSTD_VERSION && !isUnknown(found) && isZstd(records)
    const asked = isUnreadable ? ErrorCode.UNSUPPORTED_COMPRESSION_TYPE : partition
    return { index, partition: asked, records, sizeInBytes: records?.length ?? 0 }
  }
  return topicData.map((topic) => ({
    name: topic.name,
    topicId: topic.topicId,
    entries: topic.partitionData.map(({ index, records }) => entryOf(topic, index, records)),
  }))
}

interface Named {
  readonly name: string
  readonly topicId: string
}

function findPartition(
  { replicas }: ProduceDeps,
  version: number,
  { name, topicId }: Named,
  index: number,
): Partition | ErrorCode {
  return version >= TOPIC_ID_VERSION ? replicas.findById(topicId, index) : replicas.find(name, index)
}

/** That nobody has the partition is told before all that may be wrong with the request. */
function isUnknown(found: Partition | ErrorCode): found is ErrorCode {
  return found === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION || found === ErrorCode.UNKNOWN_TOPIC_ID
}

/** A coordinator cannot load what it does not understand: one foreign record would take the groups of a partition away. */
function writable(partition: Partition | ErrorCode): Partition | ErrorCode {
  if (typeof partition === 'number' || !isInternalTopic(partition.log.topic)) return partition
  return ErrorCode.INVALID_TOPIC_EXCEPTION
}

function hasTransactional({ topicData }: ProduceRequest): boolean {
  return topicData.some(({ partitionData }) => partitionData.some(({ records }) => isTransactional(records)))
}

/** Older formats have other things there; they are refused for what they are. */
function isTransactional(records: Uint8Array | null): boolean {
  if (records === null || records.length < HEADER_BYTES) return false
  return ((records[ATTRIBUTES + 1] as number) & TRANSACTIONAL_BIT) !== 0 && records[MAGIC] === 2
}

function isZstd(records: Uint8Array | null): boolean {
  return records !== null && records.length >= HEADER_BYTES && new BatchView(records).codec === 'zstd'
}

function partitionResponse(
  index: number,
  outcome: AppendOutcome,
  currentLeader: PartitionResponse['currentLeader'],
): PartitionResponse {
  return {
    index,
    errorCode: outcome.error,
    baseOffset: BigInt(outcome.baseOffset),
    logAppendTimeMs: BigInt(outcome.logAppendTimeMs),
    logStartOffset: BigInt(outcome.logStartOffset),
    recordErrors: outcome.recordErrors.map(({ batchIndex, message }) => ({
      batchIndex,
      batchIndexErrorMessage: message,
    })),
    errorMessage: outcome.message,
    currentLeader,
  }
}

function refuseAll(
  request: ProduceRequest,
  errorOf: (topic: Named, index: number) => ErrorCode,
): ProduceResponse | 'close' {
  if (request.acks === 0) return 'close'
  const topics = request.topicData.map(({ name, topicId, partitionData }) => ({
    name,
    topicId,
    partitionResponses: partitionData.map(({ index }) => ({
      index,
      errorCode: errorOf({ name, topicId }, index),
      baseOffset: -1n,
      logAppendTimeMs: -1n,
      logStartOffset: -1n,
      recordErrors: [],
      errorMessage: null,
      currentLeader: { leaderId: -1, leaderEpoch: -1 },
    })),
  }))
  return { responses: merged(topics), throttleTimeMs: 0, nodeEndpoints: [] }
}
