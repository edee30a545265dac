import { ApiKey } from '../protocol/api-key.ts'
import type { ResponseInputOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { QuorumInfo, ReplicaInfo } from '../raft/raft-types.ts'
import { type Handler, handler } from './handler.ts'

const METADATA_TOPIC = '__cluster_metadata'

type Topic = NonNullable<ResponseInputOf<typeof ApiKey.DescribeQuorum>['topics']>[number]
type Partition = NonNullable<Topic['partitions']>[number]

/** DescribeQuorum (55), v0 to v2: the voters of the metadata log and how far they are (KIP-595, KIP-836, KIP-853). */
export function describeQuorumHandler(deps: {
  readonly quorum: () => QuorumInfo
}): Handler<typeof ApiKey.DescribeQuorum> {
  return handler(ApiKey.DescribeQuorum, (request) => {
    const quorum = deps.quorum()
    return {
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      topics: request.topics.map(({ topicName, partitions }) => ({
        topicName,
        partitions: partitions.map(({ partitionIndex }) => describe(topicName, partitionIndex, quorum)),
      })),
      nodes: quorum.voters.map(({ id, endpoints }) => ({
        nodeId: id,
        listeners: endpoints.map(({ name, host, port }) => ({ name, host, port })),
      })),
    }
  })
}

function describe(topic: string, partitionIndex: number, quorum: QuorumInfo): Partition {
  if (topic !== METADATA_TOPIC || partitionIndex !== 0) {
    const none = { leaderId: -1, leaderEpoch: -1, highWatermark: -1n, currentVoters: [], observers: [] }
    return { partitionIndex, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ...none }
  }
  return {
    partitionIndex,
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
