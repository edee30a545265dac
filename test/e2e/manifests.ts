import type { KafkaClusterSpec } from '../../operator/api/kafkacluster.ts'
import type { KafkaTopicSpec } from '../../operator/api/kafkatopic.ts'

/** A consumer that is alone in its group has nobody to wait for. */
const CONFIG = { 'group.initial.rebalance.delay.ms': 0 }
const API = 'kafka.ottla.dev/v1alpha1'

/** A KafkaCluster that is right, changed by `spec`. */
export function kafkaCluster(spec: object = {}, name = 'main'): { spec: Partial<KafkaClusterSpec> } & object {
  const pools = [{ name: 'nodes', roles: ['controller', 'broker'], replicas: 1, storage: { size: '1Gi' } }]
  const config = { ...CONFIG, ...('config' in spec ? (spec.config as object) : {}) }
  return { apiVersion: API, kind: 'KafkaCluster', metadata: { name }, spec: { pools, ...spec, config } } as never
}

/** A KafkaTopic of the KafkaCluster `main`, changed by `spec`. */
export function kafkaTopic(name: string, spec: Partial<KafkaTopicSpec> | object): object {
  return { apiVersion: API, kind: 'KafkaTopic', metadata: { name }, spec: { cluster: { name: 'main' }, ...spec } }
}
