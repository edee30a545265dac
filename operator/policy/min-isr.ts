import type { AdminClient } from '../../broker/client/admin-client.ts'
import { KafkaError } from '../../broker/client/kafka-error.ts'

const MIN_ISR = 'min.insync.replicas'
/** Of one request. */
const TOPICS_MAX = 500

/**
 * Takes min.insync.replicas off the topics among `names` that have it set for themselves; resolves with their names. Rejects with KafkaError;
 * a topic that is gone meanwhile is no error.
 */
export async function resetMinIsr(client: AdminClient, names: readonly string[]): Promise<string[]> {
  const done: string[] = []
  for (let from = 0; from < names.length; from += TOPICS_MAX) {
    const configs = await client.describeConfigs('topic', names.slice(from, from + TOPICS_MAX), [MIN_ISR])
    const own = [...configs].flatMap(([topic, entries]) => {
      const isSet = !(entries instanceof KafkaError) && entries.some(({ source }) => source === 'DYNAMIC_TOPIC_CONFIG')
      return isSet ? [topic] : []
    })
    if (own.length === 0) continue
    const reset = [{ name: MIN_ISR, operation: 'delete' as const, value: null }]
    const outcomes = await client.incrementalAlterConfigs('topic', new Map(own.map((topic) => [topic, reset])))
    for (const [topic, outcome] of outcomes) {
      if (!(outcome instanceof KafkaError)) done.push(topic)
      else if (outcome.code !== 'UNKNOWN_TOPIC_OR_PARTITION') throw outcome
    }
  }
  return done
}
