import { brokerKey } from '../../broker/config/broker-keys.ts'
import type { AdminClient } from '../../broker/client/admin-client.ts'
import type { Outcomes } from '../../broker/client/admin-types.ts'
import { KafkaError } from '../../broker/client/kafka-error.ts'
import { configDiff, describeDiff } from '../api/config-diff.ts'
import type { ConfigDiff } from '../api/config-diff.ts'
import { THROTTLED_RATES } from '../kafka/throttle.ts'
import { stepOf } from './thread-pools.ts'

type Client = Pick<AdminClient, 'describeConfigs' | 'incrementalAlterConfigs'>

/** What became of the configuration that all brokers have in common, in words. */
export interface ConfigChange {
  /** What has been changed; empty where nothing was. */
  readonly changes: string
  /** What is to be changed, as soon as that has been told; left out where all is as wanted. */
  readonly pending?: string
  /** What brokers do not take, and why; the rest has been changed. */
  readonly refusal?: string
}

/** Kafka's name of what all brokers have in common. */
const ALL_BROKERS = ''

/**
 * Brings the cluster-wide dynamic configs a step nearer to `wanted`, where the changes are those that have been `told`; what somebody else has set goes
 * back to its default. One value that is refused keeps no other from being set. Rejects with KafkaError.
 */
export async function bringClusterConfig(
  client: Client,
  wanted: ReadonlyMap<string, string>,
  told: string | null,
): Promise<ConfigChange> {
  const current = await readClusterConfig(client)
  const diff = configDiff(wanted, current, brokerKey)
  const needed = describeDiff(diff)
  if (needed === '') return { changes: '' }
  if (needed !== told) return { changes: '', pending: needed }
  const { done, refused } = await alter(client, stepOf(diff, current))
  const left = describeDiff(configDiff(wanted, after(current, done), brokerKey))
  return {
    changes: describeDiff(done),
    ...(left === '' ? {} : { pending: left }),
    ...(refused.length === 0 ? {} : { refusal: refused.join('; ') }),
  }
}

/** Those that are set for all brokers, but for what reassignments set for a while. */
async function readClusterConfig(client: Client): Promise<Map<string, string>> {
  const entries = only(await client.describeConfigs('broker', [ALL_BROKERS]))
  const own = entries.filter(
    ({ name, source }) => source === 'DYNAMIC_DEFAULT_BROKER_CONFIG' && !THROTTLED_RATES.includes(name),
  )
  return new Map(own.map(({ name, value }) => [name, value ?? '']))
}

interface Altered {
  readonly done: ConfigDiff
  /** In words. */
  readonly refused: readonly string[]
}

/** In one request; where that is refused, each key by itself: brokers take all of a request or nothing. */
async function alter(client: Client, diff: ConfigDiff): Promise<Altered> {
  const refusal = await refusalOf(client, diff)
  if (refusal === null) return { done: diff, refused: [] }
  const single = [
    ...[...diff.set].map((one) => ({ set: new Map([one]), unset: [] })),
    ...diff.unset.map((name) => ({ set: new Map<string, string>(), unset: [name] })),
  ]
  if (single.length === 1) return { done: NOTHING, refused: [refusal] }
  let done = NOTHING
  const refused: string[] = []
  for (const one of single) {
    const why = await refusalOf(client, one)
    if (why === null) done = { set: new Map([...done.set, ...one.set]), unset: [...done.unset, ...one.unset] }
    else refused.push(why)
  }
  return { done, refused }
}

const NOTHING: ConfigDiff = { set: new Map(), unset: [] }

/** Null where it has been changed. */
async function refusalOf(client: Client, diff: ConfigDiff): Promise<string | null> {
  const changes = [
    ...[...diff.set].map(([name, value]) => ({ name, operation: 'set' as const, value })),
    ...diff.unset.map((name) => ({ name, operation: 'delete' as const, value: null })),
  ]
  try {
    only(await client.incrementalAlterConfigs('broker', new Map([[ALL_BROKERS, changes]])))
    return null
  } catch (error) {
    if (!(error instanceof KafkaError) || error.isRetriable) throw error
    return `${describeDiff(diff)}: ${error.message} (${error.code})`
  }
}

function after(current: ReadonlyMap<string, string>, { set, unset }: ConfigDiff): Map<string, string> {
  return new Map([...current, ...set].filter(([name]) => !unset.includes(name)))
}

function only<T>(outcomes: Outcomes<string, T>): T {
  const outcome = outcomes.get(ALL_BROKERS)
  if (outcome === undefined) throw KafkaError.network('the broker left its configuration out of its answer')
  if (outcome instanceof KafkaError) throw outcome
  return outcome
}
