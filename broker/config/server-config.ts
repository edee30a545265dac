import { formatIpAddress, parseIpAddress } from '../lib/ip-address.ts'
import type { BrokerValues } from './broker-keys.ts'
import { collectProblems } from './checks.ts'
import { ConfigError } from './config-error.ts'
import type { ConfigProblem } from './config-error.ts'
import { parseHostPort, parseVoter } from './endpoint.ts'
import type { Endpoint, HostPort, QuorumVoter } from './endpoint.ts'
import { resolveValues, unknownNames } from './layers.ts'
import type { ConfigLayers } from './layers.ts'
import { resolveListeners } from './listeners.ts'
import { resolveVariables } from './variables.ts'
import type { VariableSources } from './variables.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

type Refined =
  | 'listeners'
  | 'advertisedListeners'
  | 'interBrokerListenerName'
  | 'controllerQuorumVoters'
  | 'controllerQuorumBootstrapServers'
  | 'logDirs'
  | 'metadataLogDir'
  | 'logRetentionMs'
  | 'logRollMs'
  | 'logRollJitterMs'
  | 'logFlushIntervalMs'
  | 'maxConnectionsPerIpOverrides'
  | 'metricsListen'

/**
 * What the broker runs with. Each key of server.properties is a property in camelCase (`log.segment.bytes` is `logSegmentBytes`);
 * those below are read further. A `long` past 2^53 is a rounded number. Immutable: a change at run time makes a new one.
 */
export interface ServerConfig extends Omit<BrokerValues, Refined> {
  readonly isBroker: boolean
  readonly isController: boolean
  readonly listeners: readonly Endpoint[]
  /** Without the controllers' listeners. */
  readonly advertisedListeners: readonly Endpoint[]
  /** What other nodes reach the controller listeners of this one by. */
  readonly advertisedControllerListeners: readonly Endpoint[]
  readonly interBrokerListenerName: string
  /** Static voters; empty where the quorum is dynamic (KIP-853). */
  readonly controllerQuorumVoters: readonly QuorumVoter[]
  readonly controllerQuorumBootstrapServers: readonly HostPort[]
  /** At least one; from log.dirs, or else log.dir. */
  readonly logDirs: readonly string[]
  readonly metadataLogDir: string
  /** -1: for ever. */
  readonly logRetentionMs: number
  readonly logRollMs: number
  readonly logRollJitterMs: number
  readonly logFlushIntervalMs: number
  /** By `hostKey`. */
  readonly maxConnectionsPerIpOverrides: ReadonlyMap<string, number>
  /** Null: nowhere. */
  readonly metricsListen: HostPort | null
  /** Where each value came from, for DescribeConfigs. */
  readonly layers: ConfigLayers
}

const NOTHING: ReadonlyMap<string, string> = new Map()

/**
 * Reads server.properties; `overrides` (the command line's) win. Without `sources` variables stay as they are. An unknown key warns. Throws
 * a ConfigError that lists every value that is wrong, or that contradicts another, in the words of Kafka's KafkaConfig where it has some.
 */
export function parseServerConfig(
  properties: ReadonlyMap<string, string>,
  overrides: ReadonlyMap<string, string> = NOTHING,
  sources?: VariableSources,
): { readonly config: ServerConfig; readonly warnings: readonly string[] } {
  const unresolved = new Map([...properties, ...overrides])
  const fixed = withNodeId(sources === undefined ? unresolved : resolveVariables(unresolved, sources))
  const warnings = unknownNames(fixed).map((name) => `Unknown configuration key ${name} is ignored.`)
  const layers = { perBroker: NOTHING, clusterWide: NOTHING, static: fixed, unresolved }
  return { config: resolve(layers, warnings), warnings }
}

/** `config` as it is when variables are resolved now: files may have changed. Throws as `parseServerConfig`. */
export function withFreshVariables(config: ServerConfig, sources: VariableSources): ServerConfig {
  const { unresolved, perBroker, clusterWide } = config.layers
  const fresh = (layer: ReadonlyMap<string, string>) => resolveVariables(layer, sources, unresolved)
  const layers = { perBroker: fresh(perBroker), clusterWide: fresh(clusterWide) }
  return resolve({ ...layers, static: withNodeId(fresh(unresolved)), unresolved }, [])
}

/** `config` with other dynamic values (KIP-226). Throws a ConfigError where they do not go with the rest. */
export function withDynamicConfigs(
  config: ServerConfig,
  dynamic: { readonly perBroker: ReadonlyMap<string, string>; readonly clusterWide: ReadonlyMap<string, string> },
): ServerConfig {
  return resolve({ ...config.layers, ...dynamic }, [])
}

/** node.id and broker.id name the same thing: each is taken from the other where only one is set. */
function withNodeId(properties: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const id = properties.get('node.id') ?? properties.get('broker.id')
  if (id === undefined) return properties
  return new Map([['node.id', id], ['broker.id', id], ...properties])
}

function resolve(layers: ConfigLayers, warnings: string[]): ServerConfig {
  const values = resolveValues(layers)
  const problems: ConfigProblem[] = []
  const report = (key: string, message: string) => {
    problems.push({ key, value: layers.static.get(key) ?? null, message })
  }
  const logDirs = values.logDirs ?? values.logDir
  const voters = resolveVoters(values, report)
  const config: ServerConfig = {
    ...values,
    ...resolveListeners(values, layers, voters, report),
    ...resolveTimes(values),
    isBroker: values.processRoles.includes('broker'),
    isController: values.processRoles.includes('controller'),
    controllerQuorumVoters: voters,
    controllerQuorumBootstrapServers: resolveBootstrapServers(values, report),
    logDirs,
    metadataLogDir: values.metadataLogDir ?? logDirs[0] ?? '',
    maxConnectionsPerIpOverrides: resolveIpOverrides(values, report),
    metricsListen: resolveMetricsListen(values, report),
    layers,
  }
  // A later check on what could not even be read would only repeat it.
  if (problems.length === 0) collectProblems(config, report, warnings)
  if (problems.length > 0) throw new ConfigError(problems)
  return config
}

function resolveTimes(values: BrokerValues) {
  const minutes = values.logRetentionMinutes
  const retentionMs =
    values.logRetentionMs ?? (minutes === null ? values.logRetentionHours * HOUR_MS : minutes * MINUTE_MS)
  return {
    logRetentionMs: retentionMs < 0 ? -1 : retentionMs,
    logRollMs: values.logRollMs ?? values.logRollHours * HOUR_MS,
    logRollJitterMs: values.logRollJitterMs ?? values.logRollJitterHours * HOUR_MS,
    logFlushIntervalMs: values.logFlushIntervalMs ?? values.logFlushSchedulerIntervalMs,
  }
}

type Report = (key: string, message: string) => void

function resolveVoters(values: BrokerValues, report: Report): QuorumVoter[] {
  const voters: QuorumVoter[] = []
  for (const text of values.controllerQuorumVoters) {
    const voter = parseVoter(text)
    if (typeof voter === 'string') report('controller.quorum.voters', voter)
    else voters.push(voter)
  }
  return voters
}

function resolveBootstrapServers(values: BrokerValues, report: Report): HostPort[] {
  const key = 'controller.quorum.bootstrap.servers'
  const servers: HostPort[] = []
  for (const text of values.controllerQuorumBootstrapServers) {
    const server = parseHostPort(text)
    if (server !== undefined) servers.push(server)
    else {
      const form = 'Each entry should be in the form "{host}:{port}"'
      report(key, `Failed to parse host name from ${text} for the configuration ${key}. ${form}`)
    }
  }
  return servers
}

function resolveIpOverrides(values: BrokerValues, report: Report): Map<string, number> {
  const key = 'max.connections.per.ip.overrides'
  const overrides = new Map<string, number>()
  for (const entry of values.maxConnectionsPerIpOverrides.split(',').map((part) => part.trim())) {
    if (entry === '') continue
    const colon = entry.lastIndexOf(':')
    const count = entry.slice(colon + 1).trim()
    if (colon <= 0 || !/^\d+$/.test(count)) {
      report(key, `Error parsing configuration property '${key}': ${entry} is not address:count`)
    } else overrides.set(hostKey(entry.slice(0, colon).trim()), Number(count))
  }
  return overrides
}

/** What an address is found by in `maxConnectionsPerIpOverrides`, however it is written; a name is its own. */
export function hostKey(host: string): string {
  const bytes = parseIpAddress(host)
  return bytes === null ? host : (formatIpAddress(bytes) ?? host)
}

function resolveMetricsListen(values: BrokerValues, report: Report): HostPort | null {
  if (values.metricsListen === '') return null
  const address = parseHostPort(values.metricsListen)
  if (address === undefined) {
    report(
      'metrics.listen',
      `Invalid value ${values.metricsListen} for configuration metrics.listen: host:port is allowed, or nothing`,
    )
  }
  return address ?? null
}
