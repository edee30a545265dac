import type { Random } from '../env/random.ts'
import type { BrokerImage, MetadataImage } from '../metadata/image.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { ApiError } from './result.ts'
import { StripedPlacer } from './striped-placer.ts'

/**
 * Replicas for `count` new partitions, on brokers that do not shut down and have a directory that takes new replicas. Throws ApiError
 * INVALID_REPLICATION_FACTOR where there are too few of them.
 */
export function placeReplicas(
  image: MetadataImage,
  { count, replicationFactor }: { readonly count: number; readonly replicationFactor: number },
  random: Random,
): number[][] {
  const fail = (why: string) =>
    new ApiError(
      ErrorCode.INVALID_REPLICATION_FACTOR,
      `Unable to replicate the partition ${replicationFactor} time(s): ${why}`,
    )
  const brokers = [...image.brokers.values()].filter(isUsable)
  if (brokers.every(({ isFenced }) => isFenced)) {
    throw fail('All brokers are currently fenced, or have all their log directories cordoned.')
  }
  if (brokers.length < replicationFactor) {
    const which = `${brokers.length} broker(s) are registered or some brokers have all their log directories cordoned.`
    throw fail(`The target replication factor of ${replicationFactor} cannot be reached because only ${which}`)
  }
  const placer = new StripedPlacer(brokers, random)
  return Array.from({ length: count }, () => placer.place(replicationFactor))
}

function isUsable({ isFenced, isInControlledShutdown, logDirs, cordonedLogDirs }: BrokerImage): boolean {
  if (isInControlledShutdown && !isFenced) return false
  return logDirs.length === 0 || logDirs.some((directory) => !cordonedLogDirs.includes(directory))
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
