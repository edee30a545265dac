import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { parseAllDocuments } from 'yaml'
import type { KafkaCluster, KafkaTopic } from '../../operator/api/resource.ts'
import { TestApi } from '../tools/kube-api.ts'
import { describeWith } from '../tools/requires.ts'
import { ROOT } from './bed/layout.ts'

const API = '/apis/kafka.ottla.dev/v1alpha1'

type Fields = Record<string, unknown>

const POOL = { name: 'nodes', storage: { size: '10Gi' } }

function cluster(spec: Fields = {}, name = 'orders') {
  return {
    apiVersion: 'kafka.ottla.dev/v1alpha1',
    kind: 'KafkaCluster',
    metadata: { name },
    spec: { pools: [POOL], ...spec },
  }
}

function topic(spec: Fields = {}, name = 'payments') {
  const filled = { cluster: { name: 'no-such-cluster' }, partitions: 3, ...spec }
  return { apiVersion: 'kafka.ottla.dev/v1alpha1', kind: 'KafkaTopic', metadata: { name }, spec: filled }
}

function rebalance(spec: Fields) {
  const filled = { cluster: { name: 'orders' }, ...spec }
  return { apiVersion: 'kafka.ottla.dev/v1alpha1', kind: 'KafkaRebalance', metadata: { name: 'even' }, spec: filled }
}

const BALANCED = { name: 'external', port: 9094, type: 'loadbalancer' }
const CERTIFICATE = { secretName: 'kafka-tls' }
const GATEWAY = { parentRefs: [{ name: 'edge', namespace: 'infra', sectionName: 'kafka', port: 443 }] }
const ROUTED = {
  name: 'external',
  port: 9094,
  type: 'ingress',
  tls: true,
  certificate: CERTIFICATE,
  advertised: { host: 'broker-{nodeId}.kafka.example.org' },
  bootstrap: { host: 'kafka.example.org' },
}

jest.setTimeout(300_000)

describeWith(['kubernetes'], 'the CRDs on a real API server', () => {
  let api: TestApi
  let namespace = ''
  const paths = {
    clusters: () => `${API}/namespaces/${namespace}/kafkaclusters`,
    topics: () => `${API}/namespaces/${namespace}/kafkatopics`,
    rebalances: () => `${API}/namespaces/${namespace}/kafkarebalances`,
  }

  /** What admission says to a creation; 'accepted' where it has nothing against it. Nothing is stored. */
  async function admission(kind: keyof typeof paths, body: Fields): Promise<string> {
    return api.request('POST', `${paths[kind]()}?dryRun=All&fieldValidation=Strict`, body).then(
      () => 'accepted',
      (error: Error) => error.message,
    )
  }

  async function change(path: string, spec: Fields): Promise<string> {
    return api.request('PATCH', `${path}?dryRun=All`, { spec }).then(
      () => 'accepted',
      (error: Error) => error.message,
    )
  }

  beforeAll(async () => {
    api = new TestApi()
    await api.installCrds()
    namespace = await api.makeNamespace('crds')
  })
  afterAll(() => api.removeNamespace(namespace))

  test('defaults are filled in', async () => {
    const stored = await api.request<KafkaCluster>('POST', `${paths.clusters()}?dryRun=All`, cluster())
    expect(stored.spec).toEqual({
      distribution: 'bundled',
      version: '4.3',
      pools: [
        {
          name: 'nodes',
          roles: ['controller', 'broker'],
          replicas: 1,
          storage: { size: '10Gi', volumes: 1 },
          resources: {},
          template: {},
        },
      ],
      listeners: [{ name: 'plain', port: 9092, type: 'internal', tls: false }],
      topics: { namespaces: [], deleteProtection: false },
      config: {},
      rebalance: { onScale: 'auto' },
      durability: { policy: 'enforce' },
    })
    const { spec } = await api.request<KafkaTopic>(
      'POST',
      `${paths.topics()}?dryRun=All`,
      topic({ partitions: undefined }),
    )
    expect(spec).toEqual({ cluster: { name: 'no-such-cluster' }, partitions: 1, config: {}, deletionPolicy: 'delete' })
  })

  test.each(['clusters', 'topics'] as const)('Ready is Unknown from the moment of creation: %s', async (kind) => {
    const body = kind === 'clusters' ? cluster() : topic()
    const { status } = await api.request<KafkaCluster>('POST', `${paths[kind]()}?dryRun=All`, body)
    expect(status?.observedGeneration).toBe(-1)
    expect(status?.conditions).toMatchObject([{ type: 'Ready', status: 'Unknown', reason: 'Pending' }])
  })

  describe('a KafkaCluster is refused at admission', () => {
    test.each<[Fields, string]>([
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
      [
        { listeners: [{ ...ROUTED, advertised: { host: 'kafka.example.org' } }] },
        'advertised.host with {nodeId}, such as',
      ],
      [{ listeners: [{ ...ROUTED, advertised: { host: 'Broker-{nodeId}.org' } }] }, 'must be lower-case DNS names'],
      [{ listeners: [{ ...ROUTED, bootstrap: undefined }] }, 'bootstrap.host, the name by which clients begin'],
      [{ listeners: [{ ...ROUTED, bootstrap: {} }] }, 'bootstrap.host, the name by which clients begin'],
      [{ listeners: [{ ...ROUTED, bootstrap: { host: '203.0.113.7' } }] }, 'must be lower-case DNS names'],
      [{ listeners: [{ ...ROUTED, bootstrap: { host: 'a.org', nodePort: 30_000 } }] }, 'nodePort and service'],
      [{ listeners: [{ ...ROUTED, brokers: [{ nodeId: 0, nodePort: 30_000 }] }] }, 'nodePort and service'],
      [{ listeners: [{ ...ROUTED, brokers: [{ nodeId: 0, host: 'a:b' }] }] }, 'must be lower-case DNS names'],
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
      [{ rollign: { maxUnavailable: 1 } }, 'unknown field "spec.rollign"'],
    ])('%j', async (spec, words) => {
      expect(await admission('clusters', cluster(spec))).toContain(words)
    })

    test.each(['Orders', 'orders.eu', '1orders', 'o'.repeat(31)])('the name %s', async (name) => {
      expect(await admission('clusters', cluster({}, name))).toMatch(/metadata.name|lowercase RFC 1123/)
    })
  })

  test('a KafkaCluster with everything that works is accepted', async () => {
    const spec = {
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
    expect(await admission('clusters', cluster(spec))).toBe('accepted')
  })

  test.each<Fields>([
    { ...ROUTED, ingress: { className: 'nginx', annotations: { note: '{nodeId}' } } },
    { ...ROUTED, advertised: { host: 'broker-{nodeId}.kafka.example.org', port: 9443 } },
    { ...ROUTED, bootstrap: { enabled: false }, brokers: [{ nodeId: 0, host: 'first', port: 9443 }] },
    { ...ROUTED, type: 'tlsroute', gateway: GATEWAY, service: { annotations: { note: 'x' } } },
    { ...BALANCED, tls: true, certificate: CERTIFICATE },
    { ...BALANCED, type: 'nodeport', tls: true, certificate: CERTIFICATE },
    { name: 'secure', port: 9093, tls: true, certificate: { secretName: 'orders.tls' } },
  ])('a listener with TLS is accepted: %j', async (listener) => {
    expect(await admission('clusters', cluster({ listeners: [listener] }))).toBe('accepted')
  })

  test('the example of clients by server names is accepted', async () => {
    const documents = parseAllDocuments(readFileSync(`${ROOT}/examples/tls-ingress.yaml`, 'utf8'))
    const [, body] = documents.map((document) => document.toJS() as Fields)
    expect(await admission('clusters', body ?? {})).toBe('accepted')
  })

  test('a KafkaCluster of separate controllers and brokers is accepted', async () => {
    const pools = [
      { ...POOL, name: 'controllers', roles: ['controller'], replicas: 3 },
      { ...POOL, name: 'brokers', roles: ['broker'], replicas: 4 },
    ]
    const durability = { replicationFactor: 4, minInSyncReplicas: 2 }
    expect(await admission('clusters', cluster({ pools, durability }))).toBe('accepted')
  })

  describe('what a KafkaCluster cannot become', () => {
    const path = () => `${paths.clusters()}/orders`
    beforeAll(() => api.request('POST', paths.clusters(), cluster()))

    test.each<[Fields, string]>([
      [{ pools: [{ ...POOL, storage: { size: '9Gi' } }] }, 'size can only grow'],
      [{ pools: [{ ...POOL, storage: { size: '10Gi', class: 'fast' } }] }, 'class is immutable'],
      [{ pools: [{ ...POOL, storage: { size: '10Gi', volumes: 2 } }] }, 'accepted'],
      [{ pools: [{ ...POOL, name: 'others' }] }, 'accepted'],
      [{ pools: [POOL, { ...POOL, name: 'more', roles: ['broker'] }] }, 'accepted'],
      [{ pools: [{ ...POOL, replicas: 3 }] }, 'accepted'],
      [{ pools: [{ ...POOL, roles: ['broker', 'controller'] }] }, 'accepted'],
      [{ pools: [{ ...POOL, storage: { size: '0.02Ti' } }] }, 'accepted'],
      [{ config: { 'log.retention.hours': 1 } }, 'accepted'],
    ])('%j', async (spec, words) => {
      expect(await change(path(), spec)).toContain(words)
    })
  })

  test('a volume cannot be taken away from a pool', async () => {
    const wide = { ...POOL, storage: { size: '10Gi', volumes: 2 } }
    await api.request('POST', paths.clusters(), cluster({ pools: [wide] }, 'wide'))
    expect(await change(`${paths.clusters()}/wide`, { pools: [POOL] })).toContain('volumes can only grow')
  })

  test.each<[Fields, string]>([
    [{}, 'accepted'],
    [{ mode: 'add-brokers', brokers: [3], approval: 'auto', throttle: '50M' }, 'accepted'],
    [{ mode: 'add-brokers' }, 'spec.brokers names the brokers'],
    [{ mode: 'full', brokers: [3] }, 'spec.brokers names the brokers'],
    [{ mode: 'some' }, 'spec.mode'],
    [{ throttle: 'fast' }, 'spec.throttle'],
  ])('what admission says to a KafkaRebalance: %j', async (spec, words) => {
    expect(await admission('rebalances', rebalance(spec))).toContain(words)
  })

  describe('a KafkaTopic is refused at admission', () => {
    test.each<[Fields, string]>([
      [{ partitions: 0 }, 'spec.partitions'],
      [{ topicName: '..' }, "must not be '.' or '..'"],
      [{ topicName: 'a b' }, 'may have a-z'],
      [{ topicName: '__consumer_offsets' }, "Kafka's internal topics"],
      [{ config: { 'log.retention.hours': 1 } }, "keys are Kafka's own topic configs"],
      [{ config: { 'retention.ms': '1\n2' } }, 'must be one line'],
      [{ config: { 'min.insync.replicas': 'two' } }, 'must be a whole number'],
      [{ replicas: 1, config: { 'min.insync.replicas': 2 } }, 'must not exceed spec.replicas'],
      [{ deletionPolicy: 'maybe' }, 'spec.deletionPolicy'],
    ])('%j', async (spec, words) => {
      expect(await admission('topics', topic(spec))).toContain(words)
    })
  })

  describe('what a KafkaTopic cannot become', () => {
    const path = () => `${paths.topics()}/payments`
    beforeAll(() => api.request('POST', paths.topics(), topic()))

    test.each<[Fields, string]>([
      [{ partitions: 2 }, 'spec.partitions can only grow: Kafka cannot remove partitions'],
      [{ topicName: 'other' }, 'spec.topicName is immutable'],
      [{ cluster: { name: 'other' } }, 'spec.cluster is immutable'],
      [{ cluster: { name: 'no-such-cluster', namespace: 'other' } }, 'spec.cluster is immutable'],
      [{ topicName: 'payments' }, 'accepted'],
      [{ partitions: 4 }, 'accepted'],
      [{ replicas: 3, config: { 'min.insync.replicas': 2 } }, 'accepted'],
    ])('%j', async (spec, words) => {
      expect(await change(path(), spec)).toContain(words)
    })
  })

  test.each([
    ['kafkaclusters', 'kc', ['Name', 'Ready', 'Version', 'Nodes', 'Rollout', 'Bootstrap', 'Reason', 'Message', 'Age']],
    ['kafkatopics', 'kt', ['Name', 'Ready', 'Topic', 'Cluster', 'Partitions', 'Replicas', 'Reason', 'Message', 'Age']],
  ])('%s are listed with columns that say whether they are well', async (plural, short, columns) => {
    interface Crd {
      spec: {
        names: { shortNames: string[]; categories: string[] }
        versions: { additionalPrinterColumns: { name: string }[] }[]
      }
    }
    const { spec } = await api.request<Crd>(
      'GET',
      `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${plural}.kafka.ottla.dev`,
    )
    expect(spec.names).toMatchObject({ shortNames: [short], categories: ['kafka'] })
    expect(['Name', ...(spec.versions[0]?.additionalPrinterColumns ?? []).map(({ name }) => name)]).toEqual(columns)
  })
})
