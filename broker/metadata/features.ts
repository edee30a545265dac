import { METADATA_VERSION_LATEST, METADATA_VERSION_MIN } from '../protocol/metadata-version.ts'
import type { SupportedFeature } from './image.ts'
import { ELIGIBLE_LEADER_REPLICAS } from './record-versions.ts'

export const METADATA_VERSION = 'metadata.version'
export const KRAFT_VERSION = 'kraft.version'
export const ELIGIBLE_LEADER_REPLICAS_VERSION = 'eligible.leader.replicas.version'

/**
 * Levels that this broker implements in full, and so may be finalized. Clients act on finalized levels: one that is not complete stays
 * out of reach. A feature at 0 is known and not supported.
 */
export const FEATURES: ReadonlyMap<string, SupportedFeature> = new Map([
  ['group.version', { min: 0, max: 0 }],
  [KRAFT_VERSION, { min: 0, max: 1 }],
  [METADATA_VERSION, { min: METADATA_VERSION_MIN, max: METADATA_VERSION_LATEST }],
  ['share.version', { min: 0, max: 0 }],
  ['streams.version', { min: 0, max: 0 }],
  ['transaction.version', { min: 0, max: 0 }],
  [ELIGIBLE_LEADER_REPLICAS_VERSION, { min: 0, max: 1 }],
])

/** The levels of Kafka 4.3, which a log that it wrote may have finalized. */
const KAFKA_LEVELS: ReadonlyMap<string, number> = new Map([
  ['group.version', 1],
  ['share.version', 1],
  ['streams.version', 1],
  ['transaction.version', 2],
  [ELIGIBLE_LEADER_REPLICAS_VERSION, 1],
])

/**
 * What this node registers: the levels it implements, and those that are finalized already: such a cluster is served all the same, with
 * the classic protocols. Features at 0 are left out, as in Kafka.
 */
export function registeredFeatures(finalized: ReadonlyMap<string, number>): ReadonlyMap<string, SupportedFeature> {
  const registered = new Map<string, SupportedFeature>()
  for (const [name, { min, max }] of FEATURES) {
    const level = Math.min(finalized.get(name) ?? 0, KAFKA_LEVELS.get(name) ?? 0)
    if (Math.max(max, level) > 0) registered.set(name, { min, max: Math.max(max, level) })
  }
  return registered
}

/** The metadata.version that a level of a feature is built on; null where it is built on none. */
export function requiredMetadataVersion(feature: string, level: number): number | null {
  return feature === ELIGIBLE_LEADER_REPLICAS_VERSION && level > 0 ? ELIGIBLE_LEADER_REPLICAS : null
}

/** What a level of a feature lacks among `levels`, of the features that it is built on, in Kafka's words; null where it lacks nothing. */
export function missingDependency(feature: string, level: number, levels: ReadonlyMap<string, number>): string | null {
  const required = requiredMetadataVersion(feature, level)
  if (required === null || (levels.get(METADATA_VERSION) ?? 0) >= required) return null
  return `${feature} could not be set to ${level} because it depends on ${METADATA_VERSION} level ${required}`
}

/** KIP-966: whether partitions keep replicas that may lead though they left the ISR. */
export function isElrEnabled({ features }: { readonly features: ReadonlyMap<string, number> }): boolean {
  return (features.get(ELIGIBLE_LEADER_REPLICAS_VERSION) ?? 0) > 0
}
