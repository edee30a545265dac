import { ApiKey } from '../protocol/api-key.ts'
import type { RequestOf, ResponseInputOf } from '../protocol/apis.ts'
import type { ErrorCode } from '../protocol/errors.ts'

/** An answer that could not be had. */
export interface Failure {
  readonly errorCode: ErrorCode
  readonly errorMessage: string | null
}

type FailureOf<K extends ApiKey> = (request: RequestOf<K>, failure: Failure) => ResponseInputOf<K>

function named<T>(items: readonly T[], nameOf: (item: T) => string, failure: Failure) {
  return items.map((item) => ({ name: nameOf(item), ...failure }))
}

function resources(
  items: readonly { readonly resourceType: number; readonly resourceName: string }[],
  failure: Failure,
) {
  return items.map(({ resourceType, resourceName }) => ({ resourceType, resourceName, ...failure }))
}

/**
 * The APIs that a broker sends on to the active controller (KIP-590), each with what it answers where none is reached: the error of
 * everything that was asked for.
 */
export const FORWARDED = {
  [ApiKey.CreateTopics]: ({ topics }, failure) => ({ topics: named(topics, ({ name }) => name, failure) }),
  [ApiKey.DeleteTopics]: ({ topics, topicNames }, failure) => ({
    responses: [
      ...topics.map(({ name, topicId }) => ({ name, topicId, ...failure })),
      ...named(topicNames, (name) => name, failure),
    ],
  }),
  [ApiKey.CreatePartitions]: ({ topics }, failure) => ({ results: named(topics, ({ name }) => name, failure) }),
  [ApiKey.AlterConfigs]: (request, failure) => ({ responses: resources(request.resources, failure) }),
  [ApiKey.IncrementalAlterConfigs]: (request, failure) => ({ responses: resources(request.resources, failure) }),
  [ApiKey.ElectLeaders]: ({ topicPartitions }, failure) => ({
    errorCode: failure.errorCode,
    replicaElectionResults: (topicPartitions ?? []).map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map((partitionId) => ({ partitionId, ...failure })),
    })),
  }),
  [ApiKey.AlterPartitionReassignments]: ({ topics }, failure) => ({
    ...failure,
    responses: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, ...failure })),
    })),
  }),
  [ApiKey.ListPartitionReassignments]: (_request, failure) => failure,
  [ApiKey.DescribeQuorum]: (_request, failure) => failure,
  [ApiKey.UpdateFeatures]: ({ featureUpdates }, failure) => ({
    ...failure,
    results: featureUpdates.map(({ feature }) => ({ feature, ...failure })),
  }),
  [ApiKey.UnregisterBroker]: (_request, failure) => failure,
  [ApiKey.AddRaftVoter]: (_request, failure) => failure,
  [ApiKey.RemoveRaftVoter]: (_request, failure) => failure,
} satisfies { [K in ApiKey]?: FailureOf<K> }

export type ForwardedKey = keyof typeof FORWARDED

/** Number keys of an object are strings at run time. */
export const FORWARDED_KEYS = Object.keys(FORWARDED).map(Number) as ForwardedKey[]

const FAILURES: { readonly [K in ForwardedKey]: FailureOf<K> } = FORWARDED

export function failureOf<K extends ForwardedKey>(key: K, request: RequestOf<K>, failure: Failure): ResponseInputOf<K> {
  return FAILURES[key](request, failure)
}
