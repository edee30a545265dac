import type { ConfigChange, ConfigEntry } from '../../broker/client/admin-types.ts'
import { KafkaError } from '../../broker/client/kafka-error.ts'
import { brokerKey } from '../../broker/config/broker-keys.ts'
import { parseValue } from '../../broker/config/value.ts'
import { THREAD_POOLS } from '../../broker/config/dynamic-config.ts'

/** The cluster-wide dynamic configuration of brokers in memory, which print values as Kafka does, and double or halve pools of threads at most. */
export class FakeClusterConfig {
  config: ReadonlyMap<string, string> = new Map()
  /** What each change came to. */
  readonly asked: string[] = []
  /** Keys that are refused whatever their value. */
  readonly refused = new Set<string>()

  async describeConfigs(): Promise<Map<string, ConfigEntry[]>> {
    const entries = [...this.config].map(([name, value]): ConfigEntry => ({
      name,
      value: printed(name, value),
      source: 'DYNAMIC_DEFAULT_BROKER_CONFIG',
      isReadOnly: false,
      isSensitive: false,
    }))
    return new Map([['', entries]])
  }

  async incrementalAlterConfigs(
    _type: string,
    changes: ReadonlyMap<string, readonly ConfigChange[]>,
  ): Promise<Map<string, KafkaError | null>> {
    const asked = changes.get('') ?? []
    const next = new Map(this.config)
    for (const { name, operation, value } of asked) {
      if (operation === 'set') next.set(name, value ?? '')
      else next.delete(name)
    }
    const isRefused = asked.some(({ name }) => this.refused.has(name) || this.#isLeap(name, next))
    const words = asked.map(({ name, value }) => `${name}=${value ?? ''}`).join(' ')
    this.asked.push(isRefused ? `${words} refused` : words)
    if (isRefused) return new Map([['', new KafkaError('INVALID_REQUEST', 'not this one', { isRetriable: false })]])
    this.config = next
    return new Map([['', null]])
  }

  #isLeap(name: string, next: ReadonlyMap<string, string>): boolean {
    if (!THREAD_POOLS.has(name)) return false
    const [from, to] = [this.config, next].map((config) => Number(config.get(name) ?? brokerKey(name)?.default))
    return from !== undefined && to !== undefined && (to > from * 2 || to < from / 2)
  }
}

function printed(name: string, value: string): string {
  const key = brokerKey(name)
  const parsed = key === undefined ? { problem: '' } : parseValue(key, value)
  return 'problem' in parsed ? value : parsed.text
}
