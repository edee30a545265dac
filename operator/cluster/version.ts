import { metadataVersionLevel } from '../../broker/protocol/metadata-version.ts'
import type { Health } from '../api/conditions.ts'
import type { KafkaCluster } from '../api/resource.ts'
import type { KafkaState, Unreachable } from '../kafka/state.ts'
import type { DistributionName } from '../specs/programs.ts'

/** The image of each Kafka version that there is one of, by distribution. */
export type Images = Readonly<Record<DistributionName, ReadonlyMap<string, string>>>

/** Why spec.version or spec.metadataVersion cannot be had, or null. Pure. */
export function versionProblem({ spec }: KafkaCluster, images: Images): Health | null {
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
  return null
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
