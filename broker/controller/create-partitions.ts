import type { Random } from '../env/random.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestOf, ResponseInputOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { newPartition } from './new-partition.ts'
import { checkManualAssignment, placeReplicas } from './placement.ts'
import { ApiError, attempt, duplicates, type ElementOf, type NewMetadataRecord, type Outcome } from './result.ts'

type Request = RequestOf<typeof ApiKey.CreatePartitions>
type Response = ResponseInputOf<typeof ApiKey.CreatePartitions>

/** What one request may add: as many as CreateTopics may. One batch of the metadata log holds them. */
const PARTITIONS_MAX = 10_000

/** Adds partitions to topics; each topic is refused on its own. */
export function createPartitions(image: MetadataImage, request: Request, random: Random): Outcome<Response> {
  const twice = duplicates(request.topics.map(({ name }) => name))
  const records: NewMetadataRecord[] = []
  const results: ElementOf<Response['results']>[] = [...twice].map((name) => ({
    name,
    errorCode: ErrorCode.INVALID_REQUEST,
    errorMessage: 'Duplicate topic name.',
  }))
  for (const topic of request.topics) {
    if (twice.has(topic.name)) continue
    const added = attempt(() => addPartitions(image, topic, PARTITIONS_MAX - records.length, random))
    if (added instanceof ApiError) {
      results.push({ name: topic.name, errorCode: added.code, errorMessage: added.text })
    } else {
      results.push({ name: topic.name, errorCode: ErrorCode.NONE, errorMessage: null })
      for (const record of added) records.push(record)
    }
  }
  return { records: request.validateOnly ? [] : records, response: { throttleTimeMs: 0, results } }
}

function addPartitions(
  image: MetadataImage,
  topic: Request['topics'][number],
  limit: number,
  random: Random,
): NewMetadataRecord[] {
  const existing = image.topic(topic.name)
  if (existing === undefined) throw new ApiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  const before = existing.partitions.length
  const additional = topic.count - before
  if (additional === 0) {
    throw new ApiError(ErrorCode.INVALID_PARTITIONS, `Topic already has ${before} partition(s).`)
  }
  if (additional < 0) {
    const now = `The topic ${topic.name} currently has ${before} partition(s)`
    throw new ApiError(ErrorCode.INVALID_PARTITIONS, `${now}; ${topic.count} would not be an increase.`)
  }
  if (additional > limit) {
    throw new ApiError(ErrorCode.POLICY_VIOLATION, 'Excessively large number of partitions per request.')
  }
  const replicationFactor = existing.partitions[0]?.replicas.length ?? 1
  const replicas =
    topic.assignments === null
      ? placeReplicas(image, { count: additional, replicationFactor }, random)
      : checkedAssignments(image, topic.assignments, additional, replicationFactor)
  return replicas.map((of, index) => newPartition(image, existing.id, before + index, of))
}

function checkedAssignments(
  image: MetadataImage,
  assignments: readonly { readonly brokerIds: number[] }[],
  additional: number,
  replicationFactor: number,
): number[][] {
  if (assignments.length !== additional) {
    throw new ApiError(
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
      `Attempted to add ${additional} additional partition(s), but only ${assignments.length} assignment(s) were specified.`,
    )
  }
  for (const { brokerIds } of assignments) checkManualAssignment(image, brokerIds, replicationFactor)
  return assignments.map(({ brokerIds }) => brokerIds)
}
