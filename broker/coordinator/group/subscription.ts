import { SchemaError } from '../../schema/error.ts'
import { Reader } from '../../schema/reader.ts'
import type { ClassicGroup } from './classic-group.ts'

const NO_TOPICS: ReadonlySet<string> = new Set()
/** A topic name takes at least its length. */
const NAME_BYTES_MIN = 2

/**
 * The topics that the members of a consumer group subscribe to, from the ConsumerProtocolSubscription in their metadata: what
 * protects offsets from expiry and deletion (KIP-211, KIP-496). Null for other protocol types, and where metadata is malformed.
 */
export function subscribedTopicsOf(group: ClassicGroup): ReadonlySet<string> | null {
  if (!group.usesConsumerProtocol) return null
  if (group.members.size === 0) return NO_TOPICS
  if (group.protocolName === null) return null
  try {
    const topics = new Set<string>()
    for (const member of group.members.values()) {
      for (const topic of topicsOf(group.metadataOf(member))) topics.add(topic)
    }
    return topics
  } catch (error) {
    if (error instanceof SchemaError) return null
    throw error
  }
}

/** Every version begins with the topics; later fields are behind them. */
function topicsOf(metadata: Uint8Array): string[] {
  const reader = new Reader(metadata)
  reader.int16()
  const topics: string[] = []
  for (let left = reader.arrayCount(NAME_BYTES_MIN); left > 0; left--) topics.push(reader.string())
  return topics
}
