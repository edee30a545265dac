import {
  connectionLimitsOf,
  type DynamicLayers,
  type LeftSetting,
  withApplicableConfigs,
} from './applicable-configs.ts'
import { brokerKey, withoutListener } from './broker-keys.ts'
import { dynamicKey } from './dynamic-only-keys.ts'
import type { ServerConfig } from './server-config.ts'
import { parseValue } from './value.ts'

/** Keys and certificates, which a broker changes only for one listener: `listener.name.<listener>.<key>`. */
const PER_LISTENER_ONLY = /^ssl\.(key|keystore|truststore)\./

/** Pools that grow and shrink step by step (KIP-226). */
const POOL_SIZES: readonly (readonly [name: string, count: (server: ServerConfig) => number])[] = [
  ['background.threads', ({ backgroundThreads }) => backgroundThreads],
  ['num.io.threads', ({ numIoThreads }) => numIoThreads],
  ['num.network.threads', ({ numNetworkThreads }) => numNetworkThreads],
  ['num.recovery.threads.per.data.dir', ({ numRecoveryThreadsPerDataDir }) => numRecoveryThreadsPerDataDir],
  ['num.replica.fetchers', ({ numReplicaFetchers }) => numReplicaFetchers],
  [
    'remote.log.manager.copier.thread.pool.size',
    ({ remoteLogManagerCopierThreadPoolSize }) => remoteLogManagerCopierThreadPoolSize,
  ],
  [
    'remote.log.manager.expiration.thread.pool.size',
    ({ remoteLogManagerExpirationThreadPoolSize }) => remoteLogManagerExpirationThreadPoolSize,
  ],
  [
    'remote.log.manager.follower.thread.pool.size',
    ({ remoteLogManagerFollowerThreadPoolSize }) => remoteLogManagerFollowerThreadPoolSize,
  ],
  ['remote.log.reader.threads', ({ remoteLogReaderThreads }) => remoteLogReaderThreads],
]

/** How many threads there are for something. Brokers take on at most twice, or half, as many at once (KIP-226). */
export const THREAD_POOLS: ReadonlySet<string> = new Set(['log.cleaner.threads', ...POOL_SIZES.map(([name]) => name)])

/**
 * Why no broker can have these dynamic settings, in Kafka's words; null where one may. `settings` is all that the resource would
 * have, `changed` the keys that the request sets.
 */
export function brokerConfigProblem(
  isClusterWide: boolean,
  settings: Readonly<Record<string, string>>,
  changed: readonly string[],
): string | null {
  return namesProblem(changed) ?? valuesProblem(changed, settings) ?? levelProblem(isClusterWide, changed)
}

/**
 * Why the broker that runs with `server` cannot go from one set of dynamic settings to another; null where it can. What it could not run
 * with before is no reason: nothing else could be changed, or made right, until that is.
 */
export function reconfigurationProblem(server: ServerConfig, from: DynamicLayers, to: DynamicLayers): string | null {
  const before = withApplicableConfigs(server, from)
  const after = withApplicableConfigs(server, to)
  const wasLeft = new Set(before.left.map(({ layer, name }) => `${layer} ${name}`))
  const isNew = ({ layer, name }: LeftSetting) =>
    !wasLeft.has(`${layer} ${name}`) || from[layer].get(name) !== to[layer].get(name)
  // The limits of its own listener a controller looks after: as in Apache Kafka, a broker takes any, also where it is a controller too.
  const ofControllers = new Set(connectionLimitsOf(server.controllerListenerNames))
  const added = after.left.find((setting) => isNew(setting) && !ofControllers.has(setting.name))
  return added?.message ?? threadsProblem(before.config, after.config)
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
function threadsProblem(before: ServerConfig, after: ServerConfig): string | null {
  for (const [name, threads] of POOL_SIZES) {
    const now = threads(before)
    const count = threads(after)
    const refuse = (why: string) => `Dynamic thread count update validation failed for ${name}=${count}, ${why}`
    if (count > now * 2) return refuse(`value should not be greater than double the current value ${now}`)
    if (count < halfOf(now)) return refuse(`value should be at least half the current value ${now}`)
  }
  return cleanersProblem(before.logCleanerThreads, after.logCleanerThreads)
}

/** They have words of their own. */
function cleanersProblem(now: number, count: number): string | null {
  if (count === now) return null
  const what = 'Log cleaner threads cannot be'
  if (count < 1) return 'Log cleaner threads should be at least 1'
  if (count > now * 2) return `${what} increased to more than double the current value ${now}`
  return count < halfOf(now) ? `${what} reduced to less than half the current value ${now}` : null
}

/** Of an odd number, the smaller half. */
function halfOf(count: number): number {
  return Math.floor(count / 2)
}
