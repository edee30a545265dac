export type Fields = Record<string, unknown>

export const POOL = { name: 'nodes', storage: { size: '10Gi' } }

export function cluster(spec: Fields = {}, name = 'orders') {
  return {
    apiVersion: 'kafka.ottla.dev/v1alpha1',
    kind: 'KafkaCluster',
    metadata: { name },
    spec: { pools: [POOL], ...spec },
  }
}

export function topic(spec: Fields = {}, name = 'payments') {
  const filled = { cluster: { name: 'no-such-cluster' }, partitions: 3, ...spec }
  return { apiVersion: 'kafka.ottla.dev/v1alpha1', kind: 'KafkaTopic', metadata: { name }, spec: filled }
}

export const BALANCED = { name: 'external', port: 9094, type: 'loadbalancer' }
export const CERTIFICATE = { secretName: 'kafka-tls' }
export const GATEWAY = { parentRefs: [{ name: 'edge', namespace: 'infra', sectionName: 'kafka', port: 443 }] }
export const ROUTED = {
  name: 'external',
  port: 9094,
  type: 'ingress',
  tls: true,
  certificate: CERTIFICATE,
  advertised: { host: 'broker-{nodeId}.kafka.example.org' },
  bootstrap: { host: 'kafka.example.org' },
}

const MANY = Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`example.org/device-${index}`, 1]))

/** What a KafkaCluster cannot be, and a part of what its author is told. */
export const REFUSED_CLUSTERS: readonly [spec: Fields, words: string][] = [
  [{ distribution: 'other' }, 'spec.distribution'],
  [{ pools: [] }, 'spec.pools'],
  [{ pools: [POOL, { ...POOL, name: 'others' }] }, 'number of controllers must be odd'],
  [{ pools: [{ ...POOL, replicas: 2 }] }, 'number of controllers must be odd'],
  [{ pools: [{ ...POOL, roles: ['broker'] }] }, 'number of controllers must be odd'],
  [{ pools: [{ ...POOL, roles: ['controller'] }] }, 'at least one pool must have the role broker'],
  [{ pools: [{ ...POOL, storage: { size: 'big' } }] }, 'must be a quantity greater than 0'],
  [
    { pools: [{ ...POOL, template: { metadata: { labels: { 'kafka.ottla.dev/cluster': 'x' } } } }] },
    'belong to the operator',
  ],
  [{ listeners: [{ name: 'plain', port: 9092, tls: true }] }, 'tls needs a certificate'],
  [{ listeners: [{ ...BALANCED, certificate: CERTIFICATE }] }, 'certificate is for listeners with tls: true'],
  [{ listeners: [{ ...ROUTED, tls: false, certificate: undefined }] }, 'ingress and tlsroute need tls: true'],
  [{ listeners: [{ ...ROUTED, certificate: {} }] }, 'certificate.secretName: Required'],
  [{ listeners: [{ ...ROUTED, certificate: { secretName: 'No_Name' } }] }, 'certificate.secretName'],
  [{ listeners: [{ ...ROUTED, advertised: undefined }] }, 'advertised.host with {nodeId}, such as'],
  [{ listeners: [{ ...ROUTED, advertised: { host: 'kafka.example.org' } }] }, 'advertised.host with {nodeId}, such as'],
  [{ listeners: [{ ...ROUTED, advertised: { host: 'Broker-{nodeId}.org' } }] }, 'must be lower-case DNS names'],
  [{ listeners: [{ ...ROUTED, bootstrap: undefined }] }, 'bootstrap.host, the name by which clients begin'],
  [{ listeners: [{ ...ROUTED, bootstrap: {} }] }, 'bootstrap.host, the name by which clients begin'],
  [{ listeners: [{ ...ROUTED, bootstrap: { host: '203.0.113.7' } }] }, 'must be lower-case DNS names'],
  [{ listeners: [{ ...ROUTED, bootstrap: { host: 'a.org', nodePort: 30_000 } }] }, 'nodePort and service'],
  [{ listeners: [{ ...ROUTED, brokers: [{ nodeId: 0, nodePort: 30_000 }] }] }, 'nodePort and service'],
  [{ listeners: [{ ...ROUTED, brokers: [{ nodeId: 0, host: 'a:b' }] }] }, 'brokers[0].host'],
  [{ listeners: [{ ...ROUTED, brokers: [{ nodeId: 0, host: '203.0.113.7' }] }] }, 'must be lower-case DNS names'],
  [{ listeners: [{ ...ROUTED, service: { externalTrafficPolicy: 'Local' } }] }, 'nodePort and service'],
  [{ listeners: [{ ...BALANCED, ingress: {} }] }, 'ingress is for type ingress'],
  [{ listeners: [{ ...ROUTED, gateway: GATEWAY }] }, 'gateway belongs to type tlsroute'],
  [{ listeners: [{ ...ROUTED, type: 'tlsroute' }] }, 'gateway belongs to type tlsroute'],
  [{ listeners: [{ ...ROUTED, type: 'tlsroute', gateway: { parentRefs: [] } }] }, 'gateway.parentRefs'],
  [{ listeners: [{ ...ROUTED, type: 'tlsroute', gateway: { parentRefs: [{}] } }] }, 'parentRefs[0].name: Required'],
  [{ listeners: [{ name: 'plain', port: 9092, service: {} }] }, 'are for listeners that are reached from outside'],
  [{ listeners: [{ ...BALANCED, addressType: 'InternalIP' }] }, 'it is for type nodeport'],
  [{ listeners: [{ ...BALANCED, advertised: { host: 'kafka.example.org' } }] }, 'must contain {nodeId}'],
  [{ listeners: [{ ...BALANCED, advertised: { host: '{nodeId}.example.org:9094' } }] }, 'advertised.host'],
  [{ listeners: [{ ...BALANCED, advertised: { host: '{nodeId}.{node}.org' } }] }, 'advertised.host'],
  [{ listeners: [{ ...BALANCED, bootstrap: { host: 'example.org:9094' } }] }, 'bootstrap.host'],
  [{ listeners: [{ ...BALANCED, advertised: { port: 443 } }] }, 'needs an advertised.host with {nodeId}'],
  [
    { listeners: [{ ...BALANCED, type: 'nodeport', service: { loadBalancerClass: 'x' } }] },
    'are for type loadbalancer',
  ],
  [{ rack: { topologyKey: 'not a label' } }, 'spec.rack.topologyKey'],
  [{ topics: { namespaces: ['Team'] } }, 'spec.topics.namespaces'],
  [{ listeners: [{ name: 'plain', port: 9091 }] }, '9091 and 9404 belong to the operator'],
  [{ listeners: [{ name: 'internal', port: 9092 }] }, 'internal and metrics belong to the operator'],
  [
    {
      listeners: [
        { name: 'a', port: 9092 },
        { name: 'b', port: 9092 },
      ],
    },
    'port must be unique',
  ],
  [{ config: { 'node.id': 3 } }, 'spec.config.node.id belongs to the operator'],
  [{ config: { 'listener.name.plain.x': 'y' } }, 'belongs to the operator'],
  [{ config: { 'authorizer.class.name': 'Evil' } }, 'belongs to the operator'],
  [{ config: { 'num.io.threads': '8\nnode.id=2' } }, 'must be one line'],
  [{ config: { 'num.io.threads': '8\u0000' } }, 'must be one line'],
  [{ config: { 'num.io.threads': '${env:SECRET}' } }, 'cannot refer to files'],
  [{ config: { 'Num Threads': '8' } }, "keys are Kafka's own"],
  [{ durability: { replicationFactor: 3 } }, 'must not exceed the number of brokers'],
  [{ durability: { replicationFactor: 1, minInSyncReplicas: 2 } }, 'minInSyncReplicas must not exceed'],
  [{ rollign: { maxUnavailable: 1 } }, 'spec.rollign'],
  [{ pools: [{ ...POOL, name: 'n'.repeat(21) }] }, 'spec.pools[0].name'],
  [{ pools: [{ ...POOL, storage: { size: '10Gi', class: '' } }] }, 'spec.pools[0].storage.class'],
  [{ pools: [{ ...POOL, resources: { limits: MANY } }] }, 'spec.pools[0].resources.limits'],
]

export const REFUSED_NAMES = ['Orders', 'orders.eu', '1orders', 'o'.repeat(31)]

/** What a KafkaTopic cannot be, and a part of what its author is told. */
export const REFUSED_TOPICS: readonly [spec: Fields, words: string][] = [
  [{ partitions: 0 }, 'spec.partitions'],
  [{ topicName: '..' }, "must not be '.' or '..'"],
  [{ topicName: 'a b' }, 'may have a-z'],
  [{ topicName: '__consumer_offsets' }, "Kafka's internal topics"],
  [{ config: { 'log.retention.hours': 1 } }, "keys are Kafka's own topic configs"],
  [{ config: { 'retention.ms': '1\n2' } }, 'must be one line'],
  [{ config: { 'min.insync.replicas': 'two' } }, 'must be a whole number'],
  [{ replicas: 1, config: { 'min.insync.replicas': 2 } }, 'must not exceed spec.replicas'],
  [{ deletionPolicy: 'maybe' }, 'spec.deletionPolicy'],
  [{ topicName: 't'.repeat(250) }, 'spec.topicName'],
]

/** Of a KafkaCluster with everything that works. */
export const EVERYTHING: Fields = {
  version: '4.3',
  pools: [
    {
      name: 'nodes',
      roles: ['broker', 'controller'],
      replicas: 1,
      storage: { size: '10Gi', class: 'fast', volumes: 2 },
      resources: { requests: { cpu: 1, memory: '1Gi' }, limits: { memory: '2Gi' } },
      template: {
        metadata: { labels: { team: 'a' } },
        tolerations: [{ operator: 'Exists' }],
        affinity: { nodeAffinity: {} },
      },
    },
  ],
  listeners: [
    { name: 'plain', port: 9092 },
    { name: 'other', port: 19_092 },
    {
      ...BALANCED,
      service: { annotations: { a: '{nodeId}' }, loadBalancerClass: 'x' },
      bootstrap: { enabled: false },
    },
    {
      name: 'nodes',
      port: 9095,
      type: 'nodeport',
      addressType: 'ExternalIP',
      brokers: [{ nodeId: 0, nodePort: 31_000 }],
    },
  ],
  rack: { topologyKey: 'topology.kubernetes.io/zone' },
  topics: { namespaces: ['team-a', '*'], deleteProtection: true },
  config: { 'log.retention.hours': 168, 'compression.type': 'lz4' },
  durability: { replicationFactor: 1, minInSyncReplicas: 1, policy: 'warn' },
}
