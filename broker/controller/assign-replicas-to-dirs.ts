import type { BrokerImage } from '../metadata/image.ts'
import { isOnlineDirectory, LOST_DIRECTORY } from '../metadata/directory-id.ts'
import { supportsDirectoryAssignment } from '../metadata/record-versions.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestOf, ResponseInputOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { checkBrokerEpoch } from './brokers.ts'
import { allowsUnclean, type Cluster, isActive } from './cluster.ts'
import { changePartition, type PartitionChange } from './partition-change.ts'
import { ApiError, type Outcome } from './result.ts'

type Request = RequestOf<typeof ApiKey.AssignReplicasToDirs>
type Response = ResponseInputOf<typeof ApiKey.AssignReplicasToDirs>

/**
 * KIP-858: in which of its directories a broker has replicas. Those in a directory that has failed leave the ISR; one that is lost is no
 * eligible leader replica either, unless nobody else is in sync. Throws ApiError UNSUPPORTED_VERSION, STALE_BROKER_EPOCH.
 */
export function assignReplicasToDirs(cluster: Cluster, request: Request): Outcome<Response> {
  const { image } = cluster
  if (!supportsDirectoryAssignment(image.metadataVersion)) {
    throw new ApiError(ErrorCode.UNSUPPORTED_VERSION, 'Directory assignment is not supported yet.')
  }
  const broker = checkBrokerEpoch(image, request.brokerId, Number(request.brokerEpoch))
  const records: PartitionChange[] = []
  const directories = request.directories.map(({ id, topics }) => ({
    id,
    topics: topics.map(({ topicId, partitions }) => ({
      topicId,
      partitions: partitions.map(({ partitionIndex }) => {
        const errorCode = assign(cluster, broker, { directory: id, topicId, partitionIndex }, records)
        return { partitionIndex, errorCode }
      }),
    })),
  }))
  return { records, response: { throttleTimeMs: 0, errorCode: ErrorCode.NONE, directories }, isDivisible: true }
}

interface Assigned {
  readonly directory: string
  readonly topicId: string
  readonly partitionIndex: number
}

function assign(
  cluster: Cluster,
  { id: brokerId, logDirs }: BrokerImage,
  { directory, topicId, partitionIndex }: Assigned,
  records: PartitionChange[],
): ErrorCode {
  const topic = cluster.image.topicById(topicId)
  if (topic === undefined) return ErrorCode.UNKNOWN_TOPIC_ID
  const partition = topic.partitions[partitionIndex]
  if (partition === undefined) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  if (!partition.replicas.includes(brokerId)) return ErrorCode.NOT_LEADER_OR_FOLLOWER
  const assigned = { directory: { brokerId, id: directory } }
  const isr = partition.isr.filter((id) => id !== brokerId)
  const failed = {
    isr,
    ...(directory === LOST_DIRECTORY && isr.length > 0 ? { mayHaveLost: brokerId } : {}),
    mayLead: (id: number) => id !== brokerId && isActive(cluster.image, id),
    election: allowsUnclean(cluster, topic.name) ? 'unclean' : 'clean',
  } as const
  const isOnline = isOnlineDirectory(directory, logDirs)
  const record = changePartition(cluster, { topic, partition }, isOnline ? assigned : { ...assigned, ...failed })
  if (record !== null) records.push(record)
  return ErrorCode.NONE
}
