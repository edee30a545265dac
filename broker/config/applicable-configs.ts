import { withoutListener } from './broker-keys.ts'
import { ConfigError } from './config-error.ts'
import { type ConfigLayers, setText } from './layers.ts'
import { type ServerConfig, withDynamicConfigs } from './server-config.ts'

/** What the metadata log sets for a broker. */
export type DynamicLayers = Pick<ConfigLayers, 'perBroker' | 'clusterWide'>

/** A setting that a broker cannot run with, and why, in Kafka's words. */
export interface LeftSetting {
  readonly layer: keyof DynamicLayers
  readonly name: string
  readonly message: string
}

/** Apache Kafka opens and closes listeners at run time. */
const LISTENERS_STAY =
  'Listeners cannot be changed at run time in this version: set them in server.properties, and restart.'

export interface ApplicableConfig {
  readonly config: ServerConfig
  /** Without these. */
  readonly left: readonly LeftSetting[]
}

/** `server` with as much of `dynamic` as goes together with server.properties: one setting that does not leaves the others in force. */
export function withApplicableConfigs(server: ServerConfig, dynamic: DynamicLayers): ApplicableConfig {
  const all = attempt(server, dynamic)
  if (typeof all !== 'string') return { config: all, left: [] }
  return withOneByOne(server, dynamic)
}

/** What does not go with what is there may go with what comes behind it: as long as one more goes, the rest is tried again. */
function withOneByOne(server: ServerConfig, dynamic: DynamicLayers): ApplicableConfig {
  const taken = { perBroker: new Map<string, string>(), clusterWide: new Map<string, string>() }
  let config = withDynamicConfigs(server, taken)
  let pending = [...entriesOf('clusterWide', dynamic), ...entriesOf('perBroker', dynamic)]
  for (;;) {
    const left: (LeftSetting & { readonly value: string })[] = []
    for (const { layer, name, value } of pending) {
      const next = attempt(server, { ...taken, [layer]: new Map([...taken[layer], [name, value]]) })
      if (typeof next === 'string') left.push({ layer, name, value, message: next })
      else {
        taken[layer].set(name, value)
        config = next
      }
    }
    if (left.length === pending.length) {
      return { config, left: left.map(({ layer, name, message }) => ({ layer, name, message })) }
    }
    pending = left
  }
}

function entriesOf(layer: keyof DynamicLayers, dynamic: DynamicLayers) {
  return [...dynamic[layer]].map(([name, value]) => ({ layer, name, value }))
}

/** The first problem where there is one. */
function attempt(server: ServerConfig, dynamic: DynamicLayers): ServerConfig | string {
  try {
    const config = withDynamicConfigs(server, dynamic)
    if (boundTo(config) !== boundTo(server)) return LISTENERS_STAY
    return connectionsProblem(server, config) ?? config
  } catch (error) {
    if (error instanceof ConfigError) return error.problems[0]?.message ?? error.message
    throw error
  }
}

/** How many connections there may be, and come in a second: with none, nobody reaches the node any more. */
const CONNECTION_LIMITS = ['max.connections', 'max.connection.creation.rate'] as const

/** The same for some listeners. */
export function connectionLimitsOf(listeners: readonly string[]): string[] {
  return CONNECTION_LIMITS.flatMap((key) => listeners.map((name) => `listener.name.${name.toLowerCase()}.${key}`))
}

/** Nobody could come to change that again. */
function connectionsProblem(before: ServerConfig, after: ServerConfig): string | null {
  const isClosed = (name: string) => {
    const text = setText(after.layers, name)
    return text !== undefined && Number(text) === 0 && text !== setText(before.layers, name)
  }
  const closed = [...CONNECTION_LIMITS, ...connectionLimitsOf(after.listeners.map(({ name }) => name))].find(isClosed)
  return closed === undefined ? null : `Invalid ${withoutListener(closed) ?? closed} 0`
}

function boundTo({ listeners }: ServerConfig): string {
  return listeners.map(({ name, host, port, protocol }) => `${name}://${host}:${port} ${protocol}`).join(',')
}
