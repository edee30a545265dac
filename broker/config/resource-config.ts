import { brokerKey } from './broker-keys.ts'
import { CLIENT_METRICS_KEYS, GROUP_KEYS } from './group-keys.ts'
import { camelCase } from './key.ts'
import type { ConfigKey } from './key.ts'
import type { ServerConfig } from './server-config.ts'
import { topicConfigProblem, topicKey } from './topic-config.ts'
import { brokerConfigProblem } from './dynamic-config.ts'
import { parseValue } from './value.ts'

/** What has configuration that clients can change. */
export type ConfigResourceType = 'topic' | 'broker' | 'group' | 'client-metrics'

/** A refusal: the name of a protocol error, and the message that goes with it. */
export interface ConfigRefusal {
  readonly error: 'INVALID_CONFIG' | 'INVALID_REQUEST'
  readonly message: string
}

const GROUPS: ReadonlyMap<string, ConfigKey> = new Map(GROUP_KEYS.map((key) => [key.name, key]))
const CLIENT_METRICS: ReadonlyMap<string, ConfigKey> = new Map(CLIENT_METRICS_KEYS.map((key) => [key.name, key]))
const INTERVAL_MIN_MS = 100
const INTERVAL_MAX_MS = 3_600_000

/** The definition of a resource's key; undefined where the resource has none of that name. */
export function configKey(type: ConfigResourceType, name: string): ConfigKey | undefined {
  switch (type) {
    case 'topic':
      return topicKey(name)
    case 'broker':
      return brokerKey(name)
    case 'group':
      return GROUPS.get(name)
    default:
      return CLIENT_METRICS.get(name)
  }
}

/**
 * Why a resource cannot have exactly these settings; null where it can. `name` is the resource's: a topic, a node id ('' stands
 * for all brokers), a group, a subscription. `changed` are the keys that the request sets. Of a broker it is only told what is wrong
 * on any: `reconfigurationProblem` has what only that one knows.
 */
export function configProblem(
  type: ConfigResourceType,
  name: string,
  settings: Readonly<Record<string, string>>,
  changed: readonly string[],
  server: ServerConfig,
): ConfigRefusal | null {
  switch (type) {
    case 'topic':
      return refusal('INVALID_CONFIG', topicConfigProblem(settings, server))
    case 'broker':
      return brokerProblem(name, settings, changed)
    case 'group':
      return refusal('INVALID_CONFIG', groupProblem(settings, server))
    default:
      return clientMetricsProblem(settings)
  }
}

function refusal(error: ConfigRefusal['error'], message: string | null): ConfigRefusal | null {
  return message === null ? null : { error, message }
}

function brokerProblem(
  name: string,
  settings: Readonly<Record<string, string>>,
  changed: readonly string[],
): ConfigRefusal | null {
  if (name !== '' && !/^\d+$/.test(name)) {
    return { error: 'INVALID_REQUEST', message: `Node id must be an integer, but it is: ${name}` }
  }
  return refusal('INVALID_REQUEST', brokerConfigProblem(name === '', settings, changed))
}

/** Group settings with a floor or a ceiling among the broker's keys `group.<kind>.min.<rest>` and `group.<kind>.max.<rest>`. */
function groupProblem(settings: Readonly<Record<string, string>>, server: ServerConfig): string | null {
  const unknown = Object.keys(settings).find((name) => !GROUPS.has(name))
  if (unknown !== undefined) return `Unknown group config name: ${unknown}`
  const limits = new Map<string, unknown>(Object.entries(server))
  for (const [name, text] of Object.entries(settings)) {
    const problem = groupValueProblem(name, text, limits)
    if (problem !== null) return problem
  }
  return null
}

function groupValueProblem(name: string, text: string, limits: ReadonlyMap<string, unknown>): string | null {
  const key = GROUPS.get(name)
  if (key === undefined) return null
  const parsed = parseValue(key, text)
  if ('problem' in parsed) return parsed.problem
  if (typeof parsed.value !== 'number') return null
  const [kind = '', ...rest] = name.split('.')
  const leastKey = `group.${kind}.min.${rest.join('.')}`
  const mostKey = `group.${kind}.max.${rest.join('.').replace(/^num\./, '')}`
  const least = limits.get(camelCase(leastKey))
  const most = limits.get(camelCase(mostKey))
  if (typeof least === 'number' && parsed.value < least) return `${name} must be greater than or equal to ${leastKey}`
  if (typeof most === 'number' && parsed.value > most) return `${name} must be less than or equal to ${mostKey}`
  return null
}

function clientMetricsProblem(settings: Readonly<Record<string, string>>): ConfigRefusal | null {
  for (const [name, text] of Object.entries(settings)) {
    const key = CLIENT_METRICS.get(name)
    if (key === undefined) return { error: 'INVALID_REQUEST', message: `Unknown client metrics configuration: ${name}` }
    const parsed = parseValue(key, text)
    if ('problem' in parsed) return { error: 'INVALID_CONFIG', message: parsed.problem }
    const { value } = parsed
    if (typeof value === 'number' && (value < INTERVAL_MIN_MS || value > INTERVAL_MAX_MS)) {
      const limits = `interval must be between ${INTERVAL_MIN_MS} and ${INTERVAL_MAX_MS} (1 hour)`
      return { error: 'INVALID_REQUEST', message: `Invalid value ${text} for interval.ms, ${limits}` }
    }
    const pattern =
      name === 'match' && Array.isArray(value) ? value.find((item) => !isClientMatch(String(item))) : undefined
    if (pattern !== undefined)
      return { error: 'INVALID_CONFIG', message: `Illegal client matching pattern: ${pattern}` }
  }
  return null
}

/** KIP-714's selectors. */
const CLIENT_SELECTOR =
  /^(client_instance_id|client_id|client_software_name|client_software_version|client_source_address|client_source_port)=(.+)$/

function isClientMatch(text: string): boolean {
  const pattern = CLIENT_SELECTOR.exec(text.trim())?.[2]
  if (pattern === undefined) return false
  try {
    return new RegExp(pattern) instanceof RegExp
  } catch {
    return false
  }
}
