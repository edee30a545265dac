import type { AdminClient } from '../../broker/client/admin-client.ts'
import type { Outcomes } from '../../broker/client/admin-types.ts'
import { KafkaError } from '../../broker/client/kafka-error.ts'
import type { ConfigDiff } from '../api/config-diff.ts'
import { THROTTLED_RATES } from '../kafka/throttle.ts'

/** Kafka's name of what all brokers have in common. */
const ALL_BROKERS = ''

/** The dynamic configs that are set for all brokers, but for what reassignments set for a while. Rejects with KafkaError. */
export async function readClusterConfig(client: AdminClient): Promise<Map<string, string>> {
  const entries = only(await client.describeConfigs('broker', [ALL_BROKERS]))
  const own = entries.filter(
    ({ name, source }) => source === 'DYNAMIC_DEFAULT_BROKER_CONFIG' && !THROTTLED_RATES.includes(name),
  )
  return new Map(own.map(({ name, value }) => [name, value ?? '']))
}

/** Changes them in one step. Rejects with KafkaError. */
export async function alterClusterConfig(client: AdminClient, { set, unset }: ConfigDiff): Promise<void> {
  const changes = [
    ...[...set].map(([name, value]) => ({ name, operation: 'set' as const, value })),
    ...unset.map((name) => ({ name, operation: 'delete' as const, value: null })),
  ]
  only(await client.incrementalAlterConfigs('broker', new Map([[ALL_BROKERS, changes]])))
}

function only<T>(outcomes: Outcomes<string, T>): T {
  const outcome = outcomes.get(ALL_BROKERS)
  if (outcome === undefined) throw KafkaError.network('the broker left its configuration out of its answer')
  if (outcome instanceof KafkaError) throw outcome
  return outcome
}
