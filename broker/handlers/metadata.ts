import { ZERO_UUID } from '../lib/uuid.ts'
import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { MetadataRequest, MetadataResponse } from '../protocol/messages/metadata.ts'
import type { RequestContext } from '../security/request-context.ts'
import { authorizedOperations, CLUSTER_OPERATIONS, TOPIC_OPERATIONS } from './authorized-operations.ts'
import { type ClusterView, isInternalTopic, type PartitionView, type TopicView } from './cluster-view.ts'
import type { Answer, Handler } from './handler.ts'
import { isTopicName } from '../controller/topic-name.ts'

const NO_LEADER = -1
/** v10 and v11 have the field, but no broker ever took topics by id in them. */
const TOPIC_ID_VERSION = 12

const LISTENER_NOT_FOUND_VERSION = 6

type TopicResponse = MetadataResponse['topics'][number]

export interface MetadataDeps {
  readonly cluster: () => ClusterView
  /** Creates a missing topic with the broker's defaults (auto.create.topics.enable); gives the error to answer with meanwhile. */
  readonly autoCreate: (topic: string) => ErrorCode
}

/** Metadata (3), v0 to v13: brokers, topics by name or id (KIP-516), their partitions' leaders. */
export function metadataHandler(deps: MetadataDeps): Handler<typeof ApiKey.Metadata> {
  return {
    key: ApiKey.Metadata,
    handle: (request, context) => {
      if (context.apiVersion < TOPIC_ID_VERSION && namesIds(request)) return refused(request, ErrorCode.INVALID_REQUEST)
      const cluster = deps.cluster()
      return {
        throttleTimeMs: 0,
        brokers: cluster
          .brokers(context.listener)
          .map(({ id, host, port, rack }) => ({ nodeId: id, host, port, rack })),
        clusterId: cluster.clusterId,
        controllerId: cluster.controllerId,
        topics: topicsOf(deps, cluster, request, context),
        errorCode: ErrorCode.NONE,
        clusterAuthorizedOperations: authorizedOperations(
          request.includeClusterAuthorizedOperations,
          CLUSTER_OPERATIONS,
        ),
      }
    },
  }
}

function namesIds({ topics }: MetadataRequest): boolean {
  return topics?.some(({ name, topicId }) => name === null || topicId !== ZERO_UUID) === true
}

function refused({ topics }: MetadataRequest, errorCode: ErrorCode): Answer<typeof ApiKey.Metadata> {
  return {
    brokers: [],
    errorCode,
    topics: (topics ?? []).map(({ name, topicId }) => unavailable(errorCode, name ?? '', topicId)),
  }
}

/** v0 asks for all topics with an empty list, later versions with null. */
function topicsOf(
  deps: MetadataDeps,
  cluster: ClusterView,
  request: MetadataRequest,
  context: RequestContext,
): TopicResponse[] {
  const all = request.topics === null || (context.apiVersion === 0 && request.topics.length === 0)
  const withOperations = request.includeTopicAuthorizedOperations
  if (all) return cluster.topics().map((topic) => describeTopic(cluster, topic, context, withOperations))
  const named = request.topics ?? []
  const byId = named.filter(({ topicId }) => topicId !== ZERO_UUID)
  // Where ids are given, names are passed over.
  const asked = new Map((byId.length > 0 ? byId : named).map((topic) => [`${topic.topicId} ${topic.name}`, topic]))
  const missing = (errorCode: ErrorCode, name: string | null, topicId: string) => ({
    ...unavailable(errorCode, name, topicId),
    topicAuthorizedOperations: authorizedOperations(withOperations && name !== null, TOPIC_OPERATIONS),
  })
  return [...asked.values()].map(({ name, topicId }) => {
    const topic = topicId !== ZERO_UUID || name === null ? cluster.topicById(topicId) : cluster.topic(name)
    if (topic !== undefined) return describeTopic(cluster, topic, context, withOperations)
    if (topicId !== ZERO_UUID) return missing(ErrorCode.UNKNOWN_TOPIC_ID, null, topicId)
    if (name === null || !isTopicName(name)) return missing(ErrorCode.INVALID_TOPIC_EXCEPTION, name, topicId)
    return missing(
      request.allowAutoTopicCreation ? deps.autoCreate(name) : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      name,
      ZERO_UUID,
    )
  })
}

function unavailable(errorCode: ErrorCode, name: string | null, topicId: string): TopicResponse {
  return {
    errorCode,
    name,
    topicId,
    isInternal: name !== null && isInternalTopic(name),
    partitions: [],
    topicAuthorizedOperations: authorizedOperations(false, 0),
  }
}

function describeTopic(
  cluster: ClusterView,
  topic: TopicView,
  context: RequestContext,
  withOperations: boolean,
): TopicResponse {
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.isInternal,
    partitions: topic.partitions.map((partition) => forVersion(cluster, partition, context)),
    topicAuthorizedOperations: authorizedOperations(withOperations, TOPIC_OPERATIONS),
  }
}

/** Clients of v0 take no replica that they are not told the address of; those before v6 do not know LISTENER_NOT_FOUND. */
function forVersion(cluster: ClusterView, partition: PartitionView, { listener, apiVersion }: RequestContext) {
  const described = describePartition(cluster, partition, listener)
  if (described.errorCode === ErrorCode.LISTENER_NOT_FOUND && apiVersion < LISTENER_NOT_FOUND_VERSION) {
    return { ...described, errorCode: ErrorCode.LEADER_NOT_AVAILABLE }
  }
  if (apiVersion > 0) return described
  const isKnown = (replica: number) => cluster.endpoint(replica, listener) !== undefined
  const isWhole = partition.replicas.every(isKnown)
  return {
    ...described,
    errorCode:
      described.errorCode === ErrorCode.NONE && !isWhole ? ErrorCode.REPLICA_NOT_AVAILABLE : described.errorCode,
    replicaNodes: described.replicaNodes.filter(isKnown),
    isrNodes: described.isrNodes.filter(isKnown),
  }
}

/** What both metadata APIs tell of a partition. */
export function describePartition(
  cluster: ClusterView,
  partition: PartitionView,
  listener: string,
): TopicResponse['partitions'][number] {
  const { index, leader, leaderEpoch, replicas, isr } = partition
  const errorCode = leaderError(cluster, leader, listener)
  return {
    errorCode,
    partitionIndex: index,
    leaderId: errorCode === ErrorCode.NONE ? leader : NO_LEADER,
    leaderEpoch,
    replicaNodes: [...replicas],
    isrNodes: [...isr],
    offlineReplicas: replicas.filter((replica) => cluster.isOffline(partition, replica, listener)),
  }
}

/** A leader that does not offer the listener that the client asks on cannot be reached by it (KIP-103). */
function leaderError(cluster: ClusterView, leader: number, listener: string): ErrorCode {
  if (!cluster.isRegistered(leader)) return ErrorCode.LEADER_NOT_AVAILABLE
  return cluster.endpoint(leader, listener) === undefined ? ErrorCode.LISTENER_NOT_FOUND : ErrorCode.NONE
}
