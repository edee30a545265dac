import type { KafkaCluster, KafkaTopic } from '../../operator/api/resource.ts'
import { KAFKA_CLUSTER, KAFKA_TOPIC } from '../../operator/api/resource.ts'
import { kafkaCluster, kafkaTopic, pool } from '../fakes/operator.ts'
import type { World } from './world.ts'

export interface Scenario {
  readonly name: string
  /** Done, and waited for, before anything goes wrong. */
  readonly before: readonly ((world: World) => void)[]
  readonly act: (world: World) => void
  /** Whether all is ready in the end; it is where this is left out. */
  readonly isWell?: boolean
}

type ClusterSpec = KafkaCluster['spec']
type Pool = ClusterSpec['pools'][number]

function cluster(change: Partial<ClusterSpec> = {}): (world: World) => void {
  return ({ api }) => void api.put(KAFKA_CLUSTER, kafkaCluster(change))
}

function topic(change: Partial<KafkaTopic['spec']> = {}, name = 'payments'): (world: World) => void {
  return ({ api }) => void api.put(KAFKA_TOPIC, kafkaTopic({ replicas: 3, ...change }, name))
}

/** A cluster whose clients come by server names. */
function routed(type: 'ingress' | 'tlsroute'): (world: World) => void {
  const gateway = type === 'ingress' ? {} : { gateway: { parentRefs: [{ name: 'edge' }] } }
  const secure = { name: 'secure', port: 9094, type, tls: true, certificate: { secretName: 'kafka-tls' }, ...gateway }
  const hosts = {
    advertised: { host: 'broker-{nodeId}.example.org' },
    bootstrap: { enabled: true, host: 'example.org' },
  }
  const plain = { name: 'plain', port: 9092, type: 'internal', tls: false } as const
  return cluster({ ...nodes(3), listeners: [plain, { ...secure, ...hosts }] })
}

const removeCluster = ({ api }: World): void => api.remove(KAFKA_CLUSTER, 'kafka', 'orders')
const nodes = (replicas: number, change: Partial<Pool> = {}): Partial<ClusterSpec> => ({
  pools: [pool({ replicas, ...change })],
})
const controllers = (replicas: number): Pool => pool({ name: 'controllers', roles: ['controller'], replicas })
const brokers = (replicas: number, name = 'brokers'): Pool => pool({ name, roles: ['broker'], replicas })
const pools = (...all: readonly Pool[]): Partial<ClusterSpec> => ({ pools: [...all] })
const wide = topic({ partitions: 6 })

/** What users do to clusters and topics. */
export const SCENARIOS: readonly Scenario[] = [
  { name: 'a cluster is created', before: [], act: cluster(nodes(3)) },
  { name: 'a cluster of two pools is created', before: [], act: cluster(pools(controllers(3), brokers(3))) },
  {
    name: 'a config is changed that needs no restart',
    before: [cluster(nodes(3))],
    act: cluster({ ...nodes(3), config: { 'num.network.threads': 7 } }),
  },
  {
    name: 'a config is changed that needs restarts',
    before: [cluster(nodes(3)), wide],
    act: cluster({ ...nodes(3), config: { 'num.partitions': 7 } }),
  },
  {
    name: 'a listener by server names is added',
    before: [cluster(nodes(3))],
    act: routed('ingress'),
  },
  {
    name: 'a listener changes from TLSRoutes to Ingresses',
    before: [routed('tlsroute')],
    act: routed('ingress'),
  },
  {
    name: 'resources are changed',
    before: [cluster(nodes(3))],
    act: cluster(nodes(3, { resources: { requests: { cpu: '1' } } })),
  },
  {
    name: 'a cluster is upgraded',
    before: [cluster({ ...nodes(3), version: '4.2' })],
    act: cluster(nodes(3)),
  },
  {
    name: 'volumes grow',
    before: [cluster(nodes(3))],
    act: cluster(nodes(3, { storage: { size: '20Gi', volumes: 1 } })),
  },
  {
    name: 'volumes are added',
    before: [cluster(nodes(3))],
    act: cluster(nodes(3, { storage: { size: '10Gi', volumes: 2 } })),
  },
  {
    name: 'brokers are added',
    before: [cluster(pools(controllers(3), brokers(3))), wide],
    act: cluster(pools(controllers(3), brokers(5))),
  },
  {
    name: 'brokers are removed',
    before: [cluster(pools(controllers(3), brokers(5))), wide],
    act: cluster(pools(controllers(3), brokers(3))),
  },
  {
    name: 'controllers are added',
    before: [cluster(pools(controllers(1), brokers(2)))],
    act: cluster(pools(controllers(3), brokers(2))),
  },
  {
    name: 'controllers are removed',
    before: [cluster(pools(controllers(3), brokers(2)))],
    act: cluster(pools(controllers(1), brokers(2))),
  },
  {
    name: 'a pool is replaced',
    before: [cluster(pools(controllers(3), brokers(3))), wide],
    act: cluster(pools(controllers(3), brokers(3, 'other'))),
  },
  { name: 'a cluster is deleted', before: [cluster(nodes(3)), topic()], act: removeCluster, isWell: false },
  {
    name: 'a cluster is made again',
    before: [cluster(nodes(3)), topic(), removeCluster],
    act: cluster(nodes(3)),
  },
  {
    name: 'a topic is created',
    before: [cluster(nodes(3))],
    act: topic({ config: { 'retention.ms': '1000' } }),
  },
  {
    name: 'a topic is changed',
    before: [cluster(nodes(3)), topic({ config: { 'retention.ms': '1000' } })],
    act: topic({ partitions: 6, config: { 'segment.ms': '5000' } }),
  },
  {
    name: 'the replication factor of a topic is changed',
    before: [cluster(nodes(5)), topic()],
    act: topic({ replicas: 4 }),
  },
  {
    name: 'a topic is deleted',
    before: [cluster(nodes(3)), topic()],
    act: ({ api }) => api.remove(KAFKA_TOPIC, 'team', 'payments'),
  },
  {
    name: 'a topic is handed over',
    before: [cluster(nodes(3)), topic(), topic({ topicName: 'payments' }, 'heir')],
    act: ({ api }) => api.remove(KAFKA_TOPIC, 'team', 'payments'),
  },
]
