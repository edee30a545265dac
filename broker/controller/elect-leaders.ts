import { type MetadataImage, NO_LEADER, type PartitionImage } from '../metadata/image.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestOf, ResponseInputOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { Cluster } from './cluster.ts'
import { changePartition } from './partition-change.ts'
import { ApiError, attempt, type NewMetadataRecord, type Outcome } from './result.ts'

type Request = RequestOf<typeof ApiKey.ElectLeaders>
type Response = ResponseInputOf<typeof ApiKey.ElectLeaders>

const PREFERRED = 0
const UNCLEAN = 1

/** KIP-460. Null topics stand for all partitions; the answer then leaves out partitions that need no election. */
export function electLeaders(cluster: Cluster, request: Request): Outcome<Response> {
  const { electionType } = request
  if (electionType !== PREFERRED && electionType !== UNCLEAN) {
    return { records: [], response: refused(request) }
  }
  const isAll = request.topicPartitions === null
  const wanted = request.topicPartitions ?? allPartitions(cluster.image)
  const records: NewMetadataRecord[] = []
  const replicaElectionResults = wanted.map(({ topic, partitions }) => ({
    topic,
    partitionResult: partitions.flatMap((partitionId) => {
      const elected = attempt(() => elect(cluster, topic, partitionId, electionType))
      if (!(elected instanceof ApiError)) {
        records.push(elected)
        return [{ partitionId, errorCode: ErrorCode.NONE, errorMessage: null }]
      }
      if (isAll && elected.code === ErrorCode.ELECTION_NOT_NEEDED) return []
      return [{ partitionId, errorCode: elected.code, errorMessage: elected.text }]
    }),
  }))
  return {
    records,
    response: { throttleTimeMs: 0, errorCode: ErrorCode.NONE, replicaElectionResults },
    isDivisible: true,
  }
}

function refused({ electionType, topicPartitions }: Request): Response {
  const errorCode = ErrorCode.INVALID_REQUEST
  const errorMessage = `Unknown election type ${electionType}`
  const isNothing = topicPartitions?.length === 0
  return {
    throttleTimeMs: 0,
    errorCode: isNothing ? ErrorCode.NONE : errorCode,
    replicaElectionResults: (topicPartitions ?? []).map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map((partitionId) => ({ partitionId, errorCode, errorMessage })),
    })),
  }
}

function* topicsOf(image: MetadataImage) {
  for (const { name, partitions } of image.topics.byName.values()) {
    yield { topic: name, partitions: partitions.map(({ index }) => index) }
  }
}

function allPartitions(image: MetadataImage) {
  return [...topicsOf(image)]
}

function elect(cluster: Cluster, name: string, index: number, electionType: number): NewMetadataRecord {
  const topic = cluster.image.topic(name)
  if (topic === undefined) throw new ApiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `No such topic as ${name}`)
  const partition = topic.partitions[index]
  if (partition === undefined) {
    throw new ApiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `No such partition as ${name}-${index}`)
  }
  const isPreferred = electionType === PREFERRED
  if (isPreferred ? hasPreferredLeader(partition) : partition.leader !== NO_LEADER) {
    throw new ApiError(ErrorCode.ELECTION_NOT_NEEDED, 'Leader election not needed for topic partition.')
  }
  const record = changePartition(cluster, { topic, partition }, { election: isPreferred ? 'preferred' : 'unclean' })
  if (record !== null) return record
  throw isPreferred
    ? new ApiError(ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE, 'The preferred leader was not available.')
    : new ApiError(ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE, 'Eligible topic partition leaders are not available.')
}

export function hasPreferredLeader({ leader, replicas }: PartitionImage): boolean {
  return leader === replicas[0]
}
