import type { MetadataImage, PartitionImage } from '../metadata/image.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestOf, ResponseInputOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { allowsUnclean, type Cluster, type TopicPartition } from './cluster.ts'
import { changePartition, type PartitionChange } from './partition-change.ts'
import { checkManualAssignment } from './placement.ts'
import { isReassigning, startReassignment } from './reassignment.ts'
import { ApiError, attempt, type ElementOf, type NewMetadataRecord, type Outcome } from './result.ts'

type Request = RequestOf<typeof ApiKey.AlterPartitionReassignments>
type Response = ResponseInputOf<typeof ApiKey.AlterPartitionReassignments>
type ListRequest = RequestOf<typeof ApiKey.ListPartitionReassignments>
type ListResponse = ResponseInputOf<typeof ApiKey.ListPartitionReassignments>
type OngoingTopic = ElementOf<ListResponse['topics']>

/**
 * KIP-455: starts reassignments, and cancels those whose replicas are null; each partition is refused on its own. One that is named more than
 * once goes where the last name of it that is not refused says, as if that were the only one: each is checked against what there was before.
 */
export function alterPartitionReassignments(cluster: Cluster, request: Request): Outcome<Response> {
  const { allowReplicationFactorChange } = request
  const changes = new Map<string, NewMetadataRecord | null>()
  const responses = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex, replicas }) => {
      const changed = attempt(() => {
        const of = partitionOf(cluster.image, name, partitionIndex)
        return replicas === null ? cancel(cluster, of) : start(cluster, of, replicas, allowReplicationFactorChange)
      })
      if (changed instanceof ApiError) {
        return { partitionIndex, errorCode: changed.code, errorMessage: changed.text }
      }
      changes.set(`${partitionIndex}/${name}`, changed)
      return { partitionIndex, errorCode: ErrorCode.NONE, errorMessage: null }
    }),
  }))
  const errorCode = ErrorCode.NONE
  const records = [...changes.values()].filter((changed) => changed !== null)
  // Kafka's controller does not look further where there is nothing to do, and leaves the message as it was made.
  const errorMessage = request.topics.length === 0 ? '' : null
  return {
    records,
    response: { throttleTimeMs: 0, allowReplicationFactorChange, errorCode, errorMessage, responses },
  }
}

function partitionOf(image: MetadataImage, name: string, index: number): TopicPartition {
  const topic = image.topic(name)
  if (topic === undefined) {
    throw new ApiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `Unable to find a topic named ${name}.`)
  }
  const partition = topic.partitions[index]
  if (partition === undefined) {
    throw new ApiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `Unable to find partition ${name}:${index}.`)
  }
  return { topic, partition }
}

function start(
  cluster: Cluster,
  of: TopicPartition,
  target: readonly number[],
  mayChangeReplicationFactor: boolean,
): PartitionChange | null {
  checkManualAssignment(cluster.image, target, undefined)
  const before = replicationFactorOf(of.partition)
  if (!mayChangeReplicationFactor && before !== target.length) {
    const message = `The replication factor is changed from ${before} to ${target.length}`
    throw new ApiError(ErrorCode.INVALID_REPLICATION_FACTOR, message)
  }
  return changePartition(cluster, of, startReassignment(of.partition, target))
}

/** Of a partition that is on the move: what it will have. */
function replicationFactorOf({ replicas, addingReplicas, removingReplicas }: PartitionImage): number {
  const all = new Set([...replicas, ...addingReplicas])
  for (const id of removingReplicas) all.delete(id)
  return all.size
}

function cancel(cluster: Cluster, of: TopicPartition): PartitionChange | null {
  const { topic, partition } = of
  if (!isReassigning(partition)) {
    throw new ApiError(ErrorCode.NO_REASSIGNMENT_IN_PROGRESS)
  }
  const isOriginal = (id: number) => !partition.addingReplicas.includes(id)
  const replicas = partition.replicas.filter(isOriginal)
  const [first] = replicas
  if (first === undefined) {
    const why = 'Invalid replica assignment: addingReplicas contains all replicas.'
    throw new ApiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, why)
  }
  const inSync = partition.isr.filter(isOriginal)
  const isUncleanAllowed = allowsUnclean(cluster, topic.name)
  if (inSync.length === 0 && !isUncleanAllowed) {
    const which = `Unable to revert partition assignment for ${topic.name}:${partition.index}`
    const why = 'because it would require an unclean leader election.'
    throw new ApiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, `${which} ${why}`)
  }
  return changePartition(cluster, of, {
    isr: inSync.length === 0 ? [first] : inSync,
    replicas,
    removingReplicas: [],
    addingReplicas: [],
    election: isUncleanAllowed ? 'unclean' : 'clean',
  })
}

/** The reassignments that go on, of these partitions or of all; what there is not is left out. */
export function listPartitionReassignments(image: MetadataImage, request: ListRequest): ListResponse {
  const topics = request.topics === null ? [...allOngoing(image)] : [...requestedOngoing(image, request.topics)]
  return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, errorMessage: null, topics }
}

function* allOngoing(image: MetadataImage): Generator<OngoingTopic> {
  for (const { name, partitions } of image.topics.byId.values()) yield* ongoing(name, partitions)
}

function* requestedOngoing(image: MetadataImage, topics: NonNullable<ListRequest['topics']>): Generator<OngoingTopic> {
  for (const { name, partitionIndexes } of topics) {
    const topic = image.topic(name)
    const wanted = partitionIndexes.flatMap((index) => topic?.partitions[index] ?? [])
    yield* ongoing(name, wanted)
  }
}

function* ongoing(name: string, partitions: readonly PartitionImage[]): Generator<OngoingTopic> {
  const reassigning = partitions.filter(isReassigning)
  if (reassigning.length === 0) return
  yield {
    name,
    partitions: reassigning.map(({ index, replicas, addingReplicas, removingReplicas }) => ({
      partitionIndex: index,
      replicas: [...replicas],
      addingReplicas: [...addingReplicas],
      removingReplicas: [...removingReplicas],
    })),
  }
}
