import { LABEL_BROKER, POD_DISRUPTION_BUDGET } from '../api/resource.ts'
import type { KafkaCluster, Manifest } from '../api/resource.ts'
import { brokerSelectorOf, ownedManifest, selectorOf } from './labels.ts'
import { isBroker, serviceAccountName } from './nodes.ts'

/** How many pods may be evicted at once (by a node drain, for one): 0 while none can be missed. */
export interface Evictable {
  readonly brokers: 0 | 1
  readonly controllers: 0 | 1
}

export function disruptionBudgetNames(cluster: KafkaCluster): string[] {
  return disruptionBudgets(cluster, { brokers: 0, controllers: 0 }).map(({ metadata }) => metadata.name)
}

/**
 * One of what runs a broker, one of what is only a controller: both kinds can lose a pod at the same time. A pod that is not ready may be
 * evicted any time, or its node could never be drained of it. No pod is of two: such a one could never be evicted.
 */
export function disruptionBudgets(cluster: KafkaCluster, evictable: Evictable): Manifest[] {
  const name = serviceAccountName(cluster)
  const isNoBroker = [{ key: LABEL_BROKER, operator: 'DoesNotExist' }]
  const brokers = budget(cluster, name, evictable.brokers, { matchLabels: brokerSelectorOf(cluster) })
  if (cluster.spec.pools.every(isBroker)) return [brokers]
  const selector = { matchLabels: selectorOf(cluster), matchExpressions: isNoBroker }
  return [brokers, budget(cluster, `${name}-controllers`, evictable.controllers, selector)]
}

function budget(cluster: KafkaCluster, name: string, maxUnavailable: number, selector: object): Manifest {
  return {
    ...ownedManifest(cluster, POD_DISRUPTION_BUDGET, name),
    spec: { maxUnavailable, selector, unhealthyPodEvictionPolicy: 'AlwaysAllow' },
  }
}
