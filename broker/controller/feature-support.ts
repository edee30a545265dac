import { FEATURES, METADATA_VERSION } from '../metadata/features.ts'
import type { MetadataImage, SupportedFeature } from '../metadata/image.ts'
import { supportsControllerRegistration } from '../metadata/record-versions.ts'

/** Of a node that does not know a feature. */
const DISABLED: SupportedFeature = { min: 0, max: 0 }

export interface Feature {
  readonly name: string
  readonly level: number
  /** The finalized level; a level that is finalized is served, whoever finalized it. */
  readonly current: number
}

export interface Quorum {
  readonly nodeId: number
  readonly voterIds: readonly number[]
}

/** The first node that cannot go to this level, and why; null where all can. Controllers tell since KIP-919. */
export function reasonNotSupported(image: MetadataImage, quorum: Quorum, feature: Feature): string | null {
  return localReason(quorum.nodeId, feature) ?? brokerReason(image, feature) ?? controllerReason(image, quorum, feature)
}

function localReason(nodeId: number, { name, level, current }: Feature): string | null {
  const supported = FEATURES.get(name)
  const who = `Local controller ${nodeId}`
  if (supported === undefined)
    return level === 0 ? `Feature ${name} not found.` : `${who} does not support this feature.`
  if (level === 0 && name !== METADATA_VERSION) return null
  return reason(who, level, { min: supported.min, max: Math.max(supported.max, current) })
}

function brokerReason({ brokers }: MetadataImage, { name, level }: Feature): string | null {
  for (const { id, features } of brokers.values()) {
    const why = reason(`Broker ${id}`, level, features.get(name) ?? DISABLED)
    if (why !== null) return why
  }
  return null
}

function controllerReason(image: MetadataImage, { nodeId, voterIds }: Quorum, { name, level }: Feature): string | null {
  if (!supportsControllerRegistration(image.metadataVersion)) return null
  for (const { id, features } of image.controllers.values()) {
    const why = id === nodeId ? null : reason(`Controller ${id}`, level, features.get(name) ?? DISABLED)
    if (why !== null) return why
  }
  const missing = voterIds.find((id) => id !== nodeId && !image.controllers.has(id))
  return missing === undefined ? null : `controller ${missing} has not registered, and may not support this feature`
}

function reason(who: string, level: number, { min, max }: SupportedFeature): string | null {
  if (level >= min && level <= max) return null
  return max === 0 ? `${who} does not support this feature.` : `${who} only supports versions ${rangeOf(min, max)}`
}

function rangeOf(min: number, max: number): string {
  return min === max ? String(min) : `${min}-${max}`
}
