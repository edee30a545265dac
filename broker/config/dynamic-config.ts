import { brokerKey, withoutListener } from './broker-keys.ts'
import { dynamicKey } from './dynamic-only-keys.ts'
import { ConfigError } from './config-error.ts'
import { withDynamicConfigs } from './server-config.ts'
import type { ServerConfig } from './server-config.ts'
import { parseValue } from './value.ts'

/** Keys that a broker changes only for one listener: `listener.name.<listener>.<key>`. */
const PER_LISTENER_ONLY = /^ssl\./

/** Pools that grow and shrink step by step (KIP-226). */
const THREAD_POOLS: ReadonlySet<string> = new Set([
  'background.threads',
  'num.io.threads',
  'num.network.threads',
  'num.recovery.threads.per.data.dir',
  'num.replica.fetchers',
])

/**
 * Why brokers cannot run with these dynamic settings, in Kafka's words; null where they can. `settings` is all that the
 * resource would have, `changed` the keys that the request sets.
 */
export function brokerConfigProblem(
  isClusterWide: boolean,
  settings: Readonly<Record<string, string>>,
  changed: readonly string[],
  server: ServerConfig,
): string | null {
  return (
    namesProblem(changed) ??
    valuesProblem(changed, settings) ??
    levelProblem(isClusterWide, changed) ??
    threadsProblem(changed, settings, server) ??
    togetherProblem(isClusterWide, settings, server)
  )
}

function namesProblem(changed: readonly string[]): string | null {
  const bare = changed.filter((name) => withoutListener(name) === null && PER_LISTENER_ONLY.test(name))
  if (bare.length > 0) {
    return `These security configs can be dynamically updated only per-listener using the listener prefix: [${bare.join(', ')}]`
  }
  const fixed = changed.filter((name) => brokerKey(name)?.dynamic === 'read-only')
  return fixed.length > 0 ? `Cannot update these configs dynamically: [${fixed.join(', ')}]` : null
}

function levelProblem(isClusterWide: boolean, changed: readonly string[]): string | null {
  const single = changed.filter((name) => brokerKey(name)?.dynamic === 'per-broker')
  if (isClusterWide && single.length > 0) {
    return `Cannot update these configs at default cluster level, broker id must be specified: [${single.join(', ')}]`
  }
  return null
}

function valuesProblem(changed: readonly string[], settings: Readonly<Record<string, string>>): string | null {
  for (const name of changed) {
    const key = dynamicKey(name)
    const text = settings[name]
    if (key === undefined || text === undefined) continue
    const parsed = parseValue(key, text)
    if ('problem' in parsed) return parsed.problem
  }
  return null
}

/** A pool may at most double or halve at once. */
function threadsProblem(
  changed: readonly string[],
  settings: Readonly<Record<string, string>>,
  server: ServerConfig,
): string | null {
  for (const name of changed.filter((changedName) => THREAD_POOLS.has(changedName))) {
    const count = Number(settings[name])
    const now = currentThreads(name, server)
    const refuse = (why: string) => `Dynamic thread count update validation failed for ${name}=${count}, ${why}`
    if (count > now * 2) return refuse(`value should not be greater than double the current value ${now}`)
    if (count < now / 2) return refuse(`value should be at least half the current value ${now}`)
  }
  return null
}

function currentThreads(name: string, server: ServerConfig): number {
  switch (name) {
    case 'background.threads':
      return server.backgroundThreads
    case 'num.io.threads':
      return server.numIoThreads
    case 'num.network.threads':
      return server.numNetworkThreads
    case 'num.recovery.threads.per.data.dir':
      return server.numRecoveryThreadsPerDataDir
    default:
      return server.numReplicaFetchers
  }
}

/** The new values among themselves and with those that stay. */
function togetherProblem(
  isClusterWide: boolean,
  settings: Readonly<Record<string, string>>,
  server: ServerConfig,
): string | null {
  const proposed = new Map(Object.entries(settings))
  const { perBroker, clusterWide } = server.layers
  try {
    withDynamicConfigs(
      server,
      isClusterWide ? { perBroker, clusterWide: proposed } : { perBroker: proposed, clusterWide },
    )
    return null
  } catch (error) {
    if (error instanceof ConfigError) return error.problems[0]?.message ?? error.message
    throw error
  }
}
