import { NotControllerError } from '../controller/metadata-writer.ts'
import { ApiKey } from '../protocol/api-key.ts'
import type { ResponseInputOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { DescribeQuorumRequest } from '../protocol/messages/describe-quorum.ts'
import type { QuorumInfo, ReplicaInfo } from '../raft/raft-types.ts'
import { type Handler, handler } from './handler.ts'

const METADATA_TOPIC = '__cluster_metadata'
const UNKNOWN = 'This server does not host this topic-partition.'
const NOT_LEADER =
  'For requests intended only for the leader, this error indicates that the broker is not the current leader. For requests intended for any replica, this error indicates that the broker is not a replica of the topic partition.'

type Topic = NonNullable<ResponseInputOf<typeof ApiKey.DescribeQuorum>['topics']>[number]
type Partition = NonNullable<Topic['partitions']>[number]

/** DescribeQuorum (55), v0 to v2: the voters of the metadata log and how far they are (KIP-595, KIP-836, KIP-853). */
export function describeQuorumHandler(deps: {
  readonly quorum: () => QuorumInfo
}): Handler<typeof ApiKey.DescribeQuorum> {
  return handler(ApiKey.DescribeQuorum, (request, { isForwarded = false }) => {
    const quorum = deps.quorum()
    if (!asksForMetadata(request)) return refused(request, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN)
    // A broker that sends it on keeps to a controller until that one says that another is active, as in Apache Kafka.
    if (!quorum.isLeader && isForwarded) throw new NotControllerError(NOT_LEADER)
    if (!quorum.isLeader) return refused(request, ErrorCode.NOT_LEADER_OR_FOLLOWER, NOT_LEADER)
    return {
      errorCode: ErrorCode.NONE,
      errorMessage: '',
      topics: [{ topicName: METADATA_TOPIC, partitions: [describe(quorum)] }],
      nodes: quorum.voters.map(({ id, endpoints }) => ({
        nodeId: id,
        listeners: endpoints.map(({ name, host, port }) => ({ name, host, port })),
      })),
    }
  })
}

/** The one partition that has a quorum, and nothing else. */
function asksForMetadata({ topics }: DescribeQuorumRequest): boolean {
  const [topic] = topics
  const isOne = topics.length === 1 && topic?.partitions.length === 1
  return isOne && topic.topicName === METADATA_TOPIC && topic.partitions[0]?.partitionIndex === 0
}

function refused(
  { topics }: DescribeQuorumRequest,
  errorCode: ErrorCode,
  errorMessage: string,
): ResponseInputOf<typeof ApiKey.DescribeQuorum> {
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: '',
    topics: topics.map(({ topicName, partitions }) => ({
      topicName,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode, errorMessage })),
    })),
  }
}

function describe(quorum: QuorumInfo): Partition {
  return {
    partitionIndex: 0,
    errorCode: ErrorCode.NONE,
    leaderId: quorum.leaderId,
    leaderEpoch: quorum.epoch,
    highWatermark: BigInt(quorum.highWatermark),
    currentVoters: quorum.voters.map(replica),
    observers: quorum.observers.map(replica),
  }
}

function replica({ id, directoryId, logEndOffset, lastFetchTimestampMs, lastCaughtUpTimestampMs }: ReplicaInfo) {
  return {
    replicaId: id,
    replicaDirectoryId: directoryId,
    logEndOffset: BigInt(logEndOffset),
    lastFetchTimestamp: BigInt(lastFetchTimestampMs),
    lastCaughtUpTimestamp: BigInt(lastCaughtUpTimestampMs),
  }
}
