import { assert } from '../lib/assert.ts'
import { camelCase, REQUIRED } from './key.ts'
import type { ConfigKey, ConfigValue, ValuesOf } from './key.ts'
import type { ServerConfig } from './server-config.ts'
import { TOPIC_KEYS } from './topic-keys.ts'
import { parseValue } from './value.ts'

/** Lists of up to all replicas of a topic, which only replication's throttles read: each log would hold them. */
const THROTTLED = {
  followerReplicationThrottledReplicas: 'follower.replication.throttled.replicas',
  leaderReplicationThrottledReplicas: 'leader.replication.throttled.replicas',
} as const
const THROTTLED_KEYS: ReadonlySet<string> = new Set(Object.values(THROTTLED))

/** What a topic's logs run with, each key in camelCase; what the topic does not override comes from the broker. */
export type TopicConfig = Omit<ValuesOf<typeof TOPIC_KEYS>, keyof typeof THROTTLED>

const BY_NAME: ReadonlyMap<string, ConfigKey> = new Map(TOPIC_KEYS.map((key) => [key.name, key]))

/** The broker's key behind each topic key; those left out have none. */
const SYNONYMS: Readonly<Record<string, string>> = {
  'cleanup.policy': 'log.cleanup.policy',
  'compression.gzip.level': 'compression.gzip.level',
  'compression.lz4.level': 'compression.lz4.level',
  'compression.type': 'compression.type',
  'compression.zstd.level': 'compression.zstd.level',
  'delete.retention.ms': 'log.cleaner.delete.retention.ms',
  'file.delete.delay.ms': 'log.segment.delete.delay.ms',
  'flush.messages': 'log.flush.interval.messages',
  'flush.ms': 'log.flush.interval.ms',
  'index.interval.bytes': 'log.index.interval.bytes',
  'local.retention.bytes': 'log.local.retention.bytes',
  'local.retention.ms': 'log.local.retention.ms',
  'max.compaction.lag.ms': 'log.cleaner.max.compaction.lag.ms',
  'max.message.bytes': 'message.max.bytes',
  'message.timestamp.after.max.ms': 'log.message.timestamp.after.max.ms',
  'message.timestamp.before.max.ms': 'log.message.timestamp.before.max.ms',
  'message.timestamp.type': 'log.message.timestamp.type',
  'min.cleanable.dirty.ratio': 'log.cleaner.min.cleanable.ratio',
  'min.compaction.lag.ms': 'log.cleaner.min.compaction.lag.ms',
  'min.insync.replicas': 'min.insync.replicas',
  preallocate: 'log.preallocate',
  'retention.bytes': 'log.retention.bytes',
  'retention.ms': 'log.retention.ms',
  'segment.bytes': 'log.segment.bytes',
  'segment.index.bytes': 'log.index.size.max.bytes',
  'segment.jitter.ms': 'log.roll.jitter.ms',
  'segment.ms': 'log.roll.ms',
  'unclean.leader.election.enable': 'unclean.leader.election.enable',
}

/** Where each key is found: among a topic's settings, and among the broker's; and what it is where neither has it. */
const FIELDS = TOPIC_KEYS.filter(({ name }) => !THROTTLED_KEYS.has(name)).map((key: ConfigKey) => ({
  key,
  field: camelCase(key.name),
  inherited: camelCase(SYNONYMS[key.name] ?? ''),
  fallback: fallbackOf(key),
}))

export function topicKey(name: string): ConfigKey | undefined {
  return BY_NAME.get(name)
}

/** The broker key that gives a topic key its default; undefined where there is none. */
export function topicSynonym(name: string): string | undefined {
  return SYNONYMS[name]
}

/**
 * What a topic with these overrides runs with. An override that is unknown or not valid does not count: it came from a metadata
 * log that another version wrote, and a topic must stay usable.
 */
export function parseTopicConfig(overrides: Readonly<Record<string, string>>, server: ServerConfig): TopicConfig {
  const values: Record<string, ConfigValue> = {}
  for (const { key, field, inherited, fallback } of FIELDS) {
    const value = overrideOf(key, overrides) ?? inheritedValue(Reflect.get(server, inherited)) ?? fallback
    assert(value !== undefined, `${key.name} has no default`)
    values[field] = value
  }
  assert(isComplete(values), 'a topic setting is missing')
  return values
}

/** TypeScript cannot follow names that are computed; every value is that of its key, or of a broker key of the same type. */
function isComplete(values: Record<string, ConfigValue>): values is Record<string, ConfigValue> & TopicConfig {
  return FIELDS.every(({ field }) => field in values)
}

function overrideOf(key: ConfigKey, overrides: Readonly<Record<string, string>>): ConfigValue | undefined {
  const text = overrides[key.name]
  const parsed = text === undefined ? undefined : parseValue(key, text)
  return parsed === undefined || 'problem' in parsed ? undefined : parsed.value
}

function inheritedValue(value: unknown): ConfigValue | undefined {
  return isConfigValue(value) ? value : undefined
}

function fallbackOf(key: ConfigKey): ConfigValue | undefined {
  if (key.default === null || key.default === REQUIRED) return undefined
  const parsed = parseValue(key, key.default)
  assert(!('problem' in parsed), `${key.name} has a bad default`)
  return parsed.value
}

function isConfigValue(value: unknown): value is ConfigValue {
  return typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string' || Array.isArray(value)
}

/** Why a topic cannot have these overrides, in Kafka's words; null where it can. */
export function topicConfigProblem(overrides: Readonly<Record<string, string>>, server: ServerConfig): string | null {
  const names = Object.keys(overrides)
  const unknown = names.find((name) => topicKey(name) === undefined)
  if (unknown !== undefined) return `Unknown topic config name: ${unknown}`
  for (const name of names) {
    const parsed = parseNamed(name, overrides)
    if (parsed !== undefined && 'problem' in parsed) return parsed.problem
  }
  return relationProblem(parseTopicConfig(overrides, server), server)
}

function parseNamed(name: string, overrides: Readonly<Record<string, string>>) {
  const key = topicKey(name)
  const text = overrides[name]
  return key === undefined || text === undefined ? undefined : parseValue(key, text)
}

function relationProblem(config: TopicConfig, server: ServerConfig): string | null {
  const { minCompactionLagMs: least, maxCompactionLagMs: most } = config
  if (least > most) {
    return `conflict topic config setting min.compaction.lag.ms (${least}) > max.compaction.lag.ms (${most})`
  }
  if (config.remoteStorageEnable && !server.remoteLogStorageSystemEnable) {
    return 'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.'
  }
  return null
}
