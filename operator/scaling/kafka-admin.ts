import type { AdminClient } from '../../broker/client/admin-client.ts'
import { addVoter, registeredBrokers, removeVoter, unregisterBroker } from '../../broker/client/admin-nodes.ts'
import type { Outcomes } from '../../broker/client/admin-types.ts'
import { KafkaError } from '../../broker/client/kafka-error.ts'
import { CONTROLLER_LISTENER } from '../specs/nodes.ts'
import type { ScalingAdmin } from './admin.ts'
import type { Voter } from './quorum-plan.ts'

const CORDONED = 'cordoned.log.dirs'
const ALL_DIRECTORIES = '*'
/**
 * What the controller says where metadata.version is below 4.3-IV0, and of nothing else that is asked for here: a value that the broker cannot
 * run with, and a request that came to another one, are an INVALID_REQUEST. A broker that does not know the key keeps it and says nothing.
 */
const UNSUPPORTED = 'INVALID_CONFIG'

/** Scaling by the Kafka protocol. */
export class KafkaScalingAdmin implements ScalingAdmin {
  readonly #client: AdminClient

  constructor(client: AdminClient) {
    this.#client = client
  }

  addVoter(clusterId: string, voter: Voter, address: { readonly host: string; readonly port: number }): Promise<void> {
    return addVoter(this.#client, clusterId, voter, [{ name: CONTROLLER_LISTENER.toUpperCase(), ...address }])
  }

  removeVoter(clusterId: string, voter: Voter): Promise<void> {
    return removeVoter(this.#client, clusterId, voter)
  }

  registered(): Promise<readonly { readonly id: number; readonly isFenced: boolean }[]> {
    return registeredBrokers(this.#client)
  }

  unregister(brokerId: number): Promise<void> {
    return unregisterBroker(this.#client, brokerId)
  }

  async isCordoned(brokerId: number): Promise<boolean> {
    const entries = only(await this.#client.describeConfigs('broker', [String(brokerId)], [CORDONED]))
    return entries.some(({ source, value }) => source === 'DYNAMIC_BROKER_CONFIG' && value === ALL_DIRECTORIES)
  }

  async cordon(brokerId: number, isOn: boolean): Promise<boolean> {
    const change = isOn
      ? { name: CORDONED, operation: 'set' as const, value: ALL_DIRECTORIES }
      : { name: CORDONED, operation: 'delete' as const, value: null }
    try {
      only(await this.#client.incrementalAlterConfigs('broker', new Map([[String(brokerId), [change]]])))
      return true
    } catch (error) {
      if (error instanceof KafkaError && error.code === UNSUPPORTED) return false
      throw error
    }
  }

  async replicasOn(brokerId: number): Promise<number> {
    const directories = only(await this.#client.describeLogDirs([brokerId]))
    return directories.reduce((sum, { replicas }) => sum + replicas.length, 0)
  }
}

function only<K, T>(outcomes: Outcomes<K, T>): T {
  const outcome = [...outcomes.values()][0]
  if (outcome === undefined) throw KafkaError.network('the broker left out what it was asked for')
  if (outcome instanceof KafkaError) throw outcome
  return outcome
}
