import type { Random } from '../env/random.ts'
import type { BrokerImage, MetadataImage } from '../metadata/image.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { ApiError } from './result.ts'

/**
 * Replicas for `count` new partitions, round-robin from a random broker; leaders are unfenced brokers, and fenced ones come last. Throws
 * ApiError INVALID_REPLICATION_FACTOR where there are too few brokers.
 */
export function placeReplicas(
  image: MetadataImage,
  spec: { readonly firstPartition: number; readonly count: number; readonly replicationFactor: number },
  random: Random,
): number[][] {
  const { count, replicationFactor } = spec
  const fail = (why: string) =>
    new ApiError(
      ErrorCode.INVALID_REPLICATION_FACTOR,
      `Unable to replicate the partition ${replicationFactor} time(s): ${why}`,
    )
  const brokers = [...image.brokers.values()].toSorted((a, b) => a.id - b.id)
  const unfenced = brokers.filter(({ isFenced }) => !isFenced)
  if (unfenced.length === 0) throw fail('All brokers are currently fenced.')
  if (brokers.length < replicationFactor) {
    const which = `${brokers.length} broker(s) are registered or some brokers have all their log directories cordoned.`
    throw fail(`The target replication factor of ${replicationFactor} cannot be reached because only ${which}`)
  }
  if (unfenced.every(({ isInControlledShutdown }) => isInControlledShutdown)) {
    throw fail('All brokers are currently fenced or in controlled shutdown.')
  }
  const start = random.below(unfenced.length)
  return Array.from({ length: count }, (_, index) => replicasFor(unfenced, brokers, start + index, replicationFactor))
}

function replicasFor(unfenced: BrokerImage[], all: BrokerImage[], start: number, replicationFactor: number): number[] {
  const turned = unfenced.map((_, index) => unfenced[(start + index) % unfenced.length])
  const candidates = [...turned, ...all.filter(({ isFenced }) => isFenced)]
  return candidates.slice(0, replicationFactor).flatMap((broker) => (broker === undefined ? [] : [broker.id]))
}

function refuse(why: string): ApiError {
  return new ApiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, `The manual partition assignment includes ${why}`)
}

/** Throws ApiError INVALID_REPLICA_ASSIGNMENT for replicas that cannot be; `replicationFactor` is that of the other partitions. */
export function checkManualAssignment(
  image: MetadataImage,
  replicas: readonly number[],
  replicationFactor: number | undefined,
): void {
  if (replicas.length === 0) throw refuse('an empty replica list.')
  const sorted = replicas.toSorted((a, b) => a - b)
  for (const [index, id] of sorted.entries()) {
    if (!image.brokers.has(id)) throw refuse(`broker ${id}, but no such broker is registered.`)
    if (id === sorted[index - 1]) throw refuse(`the broker ${id} more than once.`)
  }
  if (replicationFactor !== undefined && replicas.length !== replicationFactor) {
    const others = `partitions, which have ${replicationFactor} replica(s).`
    throw refuse(`a partition with ${replicas.length} replica(s), but this is not consistent with previous ${others}`)
  }
}
