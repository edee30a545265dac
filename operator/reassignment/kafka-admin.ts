import type { AdminClient } from '../../broker/client/admin-client.ts'
import { alterReassignments, electPreferredLeaders } from '../../broker/client/admin-reassignment.ts'
import type { ConfigChange, LogDirDescription, Outcomes } from '../../broker/client/admin-types.ts'
import { KafkaError } from '../../broker/client/kafka-error.ts'
import { THROTTLED_REPLICAS, THROTTLED_RATES } from '../kafka/throttle.ts'
import { replicaKey } from './admin.ts'
import type { BrokerDisks, ReassignmentAdmin, Target } from './admin.ts'

const CLUSTER_WIDE = ''
const ALL_REPLICAS = '*'
/** Of a disk: what is never planned for. */
const RESERVE = 0.05

/** Reassignments by the Kafka protocol. */
export class KafkaReassignmentAdmin implements ReassignmentAdmin {
  readonly #client: AdminClient

  constructor(client: AdminClient) {
    this.#client = client
  }

  async disks(brokerIds: readonly number[]): Promise<ReadonlyMap<number, BrokerDisks>> {
    const outcomes = await this.#client.describeLogDirs(brokerIds)
    return new Map(
      [...outcomes].flatMap(([id, directories]) =>
        directories instanceof KafkaError ? [] : [[id, brokerDisks(directories)] as const],
      ),
    )
  }

  async reassign(targets: readonly Target[]): Promise<readonly string[]> {
    const refused = await alterReassignments(this.#client, targets)
    return refused.map(({ topic, partition, error }) => `${topic}-${partition}: ${error.message} (${error.code})`)
  }

  electPreferred(): Promise<void> {
    return electPreferredLeaders(this.#client)
  }

  async limit(): Promise<number | null> {
    const entries = resultOf(await this.#client.describeConfigs('broker', [CLUSTER_WIDE]), CLUSTER_WIDE)
    const rate = entries.find(({ name }) => THROTTLED_RATES.includes(name))?.value
    return rate === undefined || rate === null ? null : Number(rate)
  }

  async setLimit(bytesPerSecond: number | null): Promise<void> {
    const value = bytesPerSecond === null ? null : String(bytesPerSecond)
    const changes = new Map([[CLUSTER_WIDE, changesOf(THROTTLED_RATES, value)]])
    resultOf(await this.#client.incrementalAlterConfigs('broker', changes), CLUSTER_WIDE)
  }

  async throttledTopics(): Promise<readonly string[]> {
    const topics = await this.#client.listTopics({ includeInternal: true })
    const configs = await this.#client.describeConfigs('topic', topics, THROTTLED_REPLICAS)
    return topics.filter((topic) => {
      const entries = configs.get(topic)
      return Array.isArray(entries) && entries.some(({ value }) => value === ALL_REPLICAS)
    })
  }

  async setThrottled(topics: readonly string[], isThrottled: boolean): Promise<void> {
    const changes = changesOf(THROTTLED_REPLICAS, isThrottled ? ALL_REPLICAS : null)
    const outcomes = await this.#client.incrementalAlterConfigs('topic', new Map(topics.map((name) => [name, changes])))
    for (const outcome of outcomes.values()) {
      if (outcome instanceof KafkaError && outcome.code !== 'UNKNOWN_TOPIC_OR_PARTITION') throw outcome
    }
  }
}

function changesOf(keys: readonly string[], value: string | null): ConfigChange[] {
  return keys.map((name) => ({ name, operation: value === null ? 'delete' : 'set', value }))
}

function brokerDisks(directories: readonly LogDirDescription[]): BrokerDisks {
  const working = directories.filter(({ error }) => error === undefined)
  const isKnown = working.every(({ totalBytes, usableBytes }) => totalBytes >= 0n && usableBytes >= 0n)
  const room = working.reduce(
    (sum, { totalBytes, usableBytes }) => sum + Number(usableBytes) - RESERVE * Number(totalBytes),
    0,
  )
  const replicas = working.flatMap((directory) => directory.replicas).filter(({ isFuture }) => !isFuture)
  return {
    roomBytes: isKnown ? room : null,
    replicas: new Map(replicas.map((one) => [replicaKey(one.topic, one.partition), Number(one.sizeBytes)])),
  }
}

function resultOf<T>(outcomes: Outcomes<string, T>, name: string): T {
  const outcome = outcomes.get(name)
  if (outcome === undefined) throw KafkaError.network('the broker left out what it was asked for')
  if (outcome instanceof KafkaError) throw outcome
  return outcome
}
