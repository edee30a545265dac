import { metadataVersionLevel } from '../../broker/protocol/metadata-version.ts'
import type { Health } from '../api/conditions.ts'
import type { KafkaCluster } from '../api/resource.ts'
import type { KafkaState, Unreachable } from '../kafka/state.ts'
import type { DistributionName } from '../specs/programs.ts'

/** The image of each Kafka version that there is one of, by distribution. */
export type Images = Readonly<Record<DistributionName, ReadonlyMap<string, string>>>

/** Why spec.version or spec.metadataVersion cannot be had, or null. Pure. */
export function versionProblem(cluster: KafkaCluster, images: Images): Health | null {
  const { spec } = cluster
  const ofDistribution = images[spec.distribution]
  if (!ofDistribution.has(spec.version)) {
    const known = [...ofDistribution.keys()].join(', ')
    const message = `spec.version ${spec.version} of distribution ${spec.distribution}: the operator has images of ${known}`
    return refused('UnknownVersion', message)
  }
  const [level, max] = [metadataLevel(spec), metadataVersionLevel(spec.version)]
  if (level === null) return refused('InvalidSpec', `spec.metadataVersion ${spec.metadataVersion} is none of Kafka's`)
  if (max !== undefined && level !== undefined && level > max) {
    const message = `spec.metadataVersion ${spec.metadataVersion} is above spec.version ${spec.version}: its nodes could not read the metadata`
    return refused('InvalidSpec', message)
  }
  return unreadable(cluster, ofDistribution)
}

/** An image that lacks the finalized level may be had only once that is lowered, and nobody else has the image to lower it with. */
function unreadable({ spec, status }: KafkaCluster, images: ReadonlyMap<string, string>): Health | null {
  const { version: before, metadataVersion } = status ?? {}
  if (before === undefined || metadataVersion === undefined || images.has(before)) return null
  const [finalized, level] = [metadataVersionLevel(metadataVersion), metadataVersionLevel(spec.version)]
  if (finalized === undefined || level === undefined || finalized <= level) return null
  const what = `metadata.version is ${metadataVersion}, which ${spec.version} cannot read, and the operator has no image of ${before} of distribution ${spec.distribution}`
  const advice = `go back to the version and the distribution of before, with spec.metadataVersion "${spec.version}", and change them once status.metadataVersion is no higher`
  return refused('MetadataVersionTooHigh', `${what}: ${advice}`)
}

/** The level of metadata.version that is asked for; undefined: whatever the nodes have, null: there is no such. */
export function metadataLevel({ version, metadataVersion }: KafkaCluster['spec']): number | undefined | null {
  if (metadataVersion === undefined) return metadataVersionLevel(version)
  return metadataVersionLevel(metadataVersion) ?? null
}

/**
 * The version that nodes are to run now: the one that is asked for, unless the metadata may be of a level that it cannot read. Then it is the
 * one before, until metadata.version has been lowered. Pure.
 */
export function runnableVersion(
  { spec, status }: KafkaCluster,
  kafka: KafkaState | Unreachable,
  images: Images,
): string {
  const [before, level] = [status?.version, metadataVersionLevel(spec.version)]
  if (before === undefined || before === spec.version || level === undefined || !images[spec.distribution].has(before))
    return spec.version
  const finalized =
    'error' in kafka ? metadataVersionLevel(status?.metadataVersion ?? before) : kafka.metadataVersion.finalized
  return (finalized ?? 0) > level ? before : spec.version
}

function refused(reason: string, message: string): Health {
  return { state: 'stalled', reason, message }
}
