import type { ConfigChange, ConfigEntry } from '../../broker/client/admin-types.ts'
import { KafkaError } from '../../broker/client/kafka-error.ts'
import { brokerConfigProblem } from '../../broker/config/dynamic-config.ts'
import { describeClusterDefault } from '../../broker/config/describe.ts'
import { parseServerConfig, withDynamicConfigs } from '../../broker/config/server-config.ts'

const STATIC = new Map([
  ['node.id', '0'],
  ['process.roles', 'broker'],
  ['listeners', 'PLAINTEXT://:9092'],
  ['controller.listener.names', 'CONTROLLER'],
  ['controller.quorum.bootstrap.servers', 'controller:9093'],
  ['log.dirs', '/data'],
])

/** The cluster-wide dynamic configuration of brokers in memory, which take and print values as the bundled broker does. */
export class FakeClusterConfig {
  config: ReadonlyMap<string, string> = new Map()
  /** What each change came to. */
  readonly asked: string[] = []
  /** Keys that are refused whatever their value. */
  readonly refused = new Set<string>()

  async describeConfigs(): Promise<Map<string, ConfigEntry[]>> {
    const told = describeClusterDefault(this.#server())
    const entries = told.map(({ name, value }) => ({ name, value, source: 'DYNAMIC_DEFAULT_BROKER_CONFIG' }))
    return new Map([['', entries as unknown as ConfigEntry[]]])
  }

  async incrementalAlterConfigs(
    _type: string,
    changes: ReadonlyMap<string, readonly ConfigChange[]>,
  ): Promise<Map<string, KafkaError | null>> {
    const next = new Map(this.config)
    const names: string[] = []
    for (const { name, operation, value } of changes.get('') ?? []) {
      names.push(name)
      if (operation === 'set') next.set(name, value ?? '')
      else next.delete(name)
    }
    const problem = names.some((name) => this.refused.has(name))
      ? 'not this one'
      : brokerConfigProblem(true, Object.fromEntries(next), names, this.#server())
    this.asked.push(
      `${names.map((name) => `${name}=${next.get(name) ?? ''}`).join(' ')}${problem === null ? '' : ' refused'}`,
    )
    if (problem !== null) return new Map([['', new KafkaError('INVALID_REQUEST', problem, { isRetriable: false })]])
    this.config = next
    return new Map([['', null]])
  }

  #server() {
    return withDynamicConfigs(parseServerConfig(STATIC).config, { perBroker: new Map(), clusterWide: this.config })
  }
}
