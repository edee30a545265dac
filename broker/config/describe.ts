import { BROKER_KEYS, brokerKey, brokerSynonyms, withoutListener } from './broker-keys.ts'
import { dynamicKey } from './dynamic-only-keys.ts'
import { CLIENT_METRICS_KEYS, GROUP_KEYS } from './group-keys.ts'
import { camelCase, isSensitive, REQUIRED } from './key.ts'
import type { ConfigKey, ConfigType } from './key.ts'
import type { ConfigLayers } from './layers.ts'
import type { ServerConfig } from './server-config.ts'
import { parseTopicConfig, topicSynonym } from './topic-config.ts'
import { TOPIC_KEYS } from './topic-keys.ts'
import { parseValue } from './value.ts'

/** Where a value comes from; the numbers are those of DescribeConfigs. */
export const ConfigSource = {
  DYNAMIC_TOPIC: 1,
  DYNAMIC_BROKER: 2,
  DYNAMIC_DEFAULT_BROKER: 3,
  STATIC_BROKER: 4,
  DEFAULT: 5,
  DYNAMIC_BROKER_LOGGER: 6,
  CLIENT_METRICS: 7,
  GROUP: 8,
} as const

export interface ConfigSynonym {
  readonly name: string
  /** Null: sensitive. */
  readonly value: string | null
  /** One of ConfigSource. */
  readonly source: number
}

/** One entry of a DescribeConfigs answer. */
export interface DescribedConfig extends ConfigSynonym {
  readonly isDefault: boolean
  readonly readOnly: boolean
  readonly isSensitive: boolean
  /** Type number of DescribeConfigs v3+: BOOLEAN 1 to PASSWORD 9; UNKNOWN 0. */
  readonly type: number
  readonly synonyms: readonly ConfigSynonym[]
}

const TYPES: Readonly<Record<ConfigType, number>> = {
  boolean: 1,
  string: 2,
  int: 3,
  short: 4,
  long: 5,
  double: 6,
  list: 7,
  class: 8,
  password: 9,
}
const UNKNOWN_TYPE = 0

/** All settings of a topic with these overrides. */
export function describeTopic(
  overrides: Readonly<Record<string, string>>,
  server: ServerConfig,
): readonly DescribedConfig[] {
  const config = parseTopicConfig(overrides, server)
  return TOPIC_KEYS.map((key) => {
    const synonym = topicSynonym(key.name)
    const inherited = synonym === undefined ? [] : synonymsOf(synonym, server.layers)
    const own = ownSynonym(key, overrides[key.name], ConfigSource.DYNAMIC_TOPIC)
    // A unit conversion (log.roll.hours for segment.ms) shows in the value alone: no synonym has it.
    const text = own[0]?.value ?? inherited[0]?.value ?? textOf(Reflect.get(config, camelCase(key.name)))
    return entry(key.name, key, text, [...own, ...inherited])
  })
}

/** All settings of this broker, unknown ones too. */
export function describeBroker(server: ServerConfig): readonly DescribedConfig[] {
  const { layers } = server
  const extra = [...layers.static.keys(), ...layers.perBroker.keys(), ...layers.clusterWide.keys()]
  const names = new Set([...BROKER_KEYS.map(({ name }) => name), ...extra])
  return [...names].map((name) => {
    const synonyms = synonymsOf(name, layers)
    return entry(name, dynamicKey(name), synonyms[0]?.value ?? null, synonyms)
  })
}

/** What is set for all brokers at run time: the broker resource with the empty name. */
export function describeClusterDefault(server: ServerConfig): readonly DescribedConfig[] {
  return [...server.layers.clusterWide].map(([name, text]) => {
    const key = dynamicKey(name)
    const synonym = { name, value: shown(key, text), source: ConfigSource.DYNAMIC_DEFAULT_BROKER }
    return entry(name, key, synonym.value, [synonym])
  })
}

/** All settings of a group with these overrides. */
export function describeGroup(
  overrides: Readonly<Record<string, string>>,
  server: ServerConfig,
): readonly DescribedConfig[] {
  return GROUP_KEYS.map((key) => {
    const broker = `group.${key.name}`
    const inherited = brokerKey(broker) === undefined ? defaultSynonym(key) : synonymsOf(broker, server.layers)
    const synonyms = [...ownSynonym(key, overrides[key.name], ConfigSource.GROUP), ...inherited]
    return entry(key.name, key, synonyms[0]?.value ?? null, synonyms)
  })
}

/** All settings of a client metrics subscription. */
export function describeClientMetrics(overrides: Readonly<Record<string, string>>): readonly DescribedConfig[] {
  return CLIENT_METRICS_KEYS.map((key) => {
    const synonyms = ownSynonym(key, overrides[key.name], ConfigSource.CLIENT_METRICS)
    return entry(key.name, key, synonyms[0]?.value ?? defaultText(key), synonyms)
  })
}

const LONG_MAX = 2n ** 63n - 1n

/** A resolved value as Kafka prints it; a `long` that is too large for a number stands for the largest one. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.join(',')
  if (typeof value !== 'number') return typeof value === 'string' || typeof value === 'boolean' ? String(value) : ''
  if (!Number.isInteger(value)) return String(value)
  const exact = BigInt(value)
  return String(exact > LONG_MAX ? LONG_MAX : exact)
}

function entry(
  name: string,
  key: ConfigKey | undefined,
  value: string | null,
  synonyms: readonly ConfigSynonym[],
): DescribedConfig {
  const source = synonyms[0]?.source ?? ConfigSource.DEFAULT
  return {
    name,
    value: isSensitive(key) ? null : value,
    source,
    isDefault: source === ConfigSource.DEFAULT,
    readOnly: key === undefined || key.dynamic === 'read-only' || withoutListener(name) !== null,
    isSensitive: isSensitive(key),
    type: key === undefined ? UNKNOWN_TYPE : TYPES[key.type],
    synonyms,
  }
}

/** Every place that sets `name`, strongest first, then those of what it falls back to; none where it is not set itself. */
function synonymsOf(name: string, layers: ConfigLayers): ConfigSynonym[] {
  const found: ConfigSynonym[] = []
  for (const synonym of brokerSynonyms(name)) {
    const key = brokerKey(synonym)
    const add = (text: string | null | undefined, source: number) => {
      if (typeof text === 'string') found.push({ name: synonym, value: shown(dynamicKey(synonym), text), source })
    }
    add(layers.perBroker.get(synonym), ConfigSource.DYNAMIC_BROKER)
    add(layers.clusterWide.get(synonym), ConfigSource.DYNAMIC_DEFAULT_BROKER)
    add(layers.static.get(synonym), ConfigSource.STATIC_BROKER)
    if (key !== undefined && key.name === synonym) add(defaultText(key), ConfigSource.DEFAULT)
    if (found.length === 0) return []
  }
  return found
}

function ownSynonym(key: ConfigKey, text: string | undefined, source: number): ConfigSynonym[] {
  return text === undefined ? [] : [{ name: key.name, value: canonical(key, text), source }]
}

function defaultSynonym(key: ConfigKey): ConfigSynonym[] {
  return [{ name: key.name, value: defaultText(key), source: ConfigSource.DEFAULT }]
}

function defaultText(key: ConfigKey): string | null {
  return key.default === REQUIRED ? null : key.default
}

function shown(key: ConfigKey | undefined, text: string): string | null {
  return key === undefined || isSensitive(key) ? null : canonical(key, text)
}

/** As Kafka prints the parsed value. */
function canonical(key: ConfigKey, text: string): string {
  const parsed = parseValue(key, text)
  return 'problem' in parsed ? text : parsed.text
}
