import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { parseAllDocuments } from 'yaml'
import type { KafkaCluster, KafkaTopic } from '../../operator/api/resource.ts'
import {
  BALANCED,
  CERTIFICATE,
  cluster,
  EVERYTHING,
  type Fields,
  GATEWAY,
  POOL,
  REFUSED_CLUSTERS,
  REFUSED_NAMES,
  REFUSED_TOPICS,
  ROUTED,
  topic,
} from '../tools/crd-cases.ts'
import { TestApi } from '../tools/kube-api.ts'
import { describeWith } from '../tools/requires.ts'
import { ROOT } from './bed/layout.ts'

const API = '/apis/kafka.ottla.dev/v1alpha1'

function rebalance(spec: Fields) {
  const filled = { cluster: { name: 'orders' }, ...spec }
  return { apiVersion: 'kafka.ottla.dev/v1alpha1', kind: 'KafkaRebalance', metadata: { name: 'even' }, spec: filled }
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
    test.each(REFUSED_CLUSTERS)('%j', async (spec, words) => {
      expect(await admission('clusters', cluster(spec))).toContain(words)
    })

    test.each(REFUSED_NAMES)('the name %s', async (name) => {
      expect(await admission('clusters', cluster({}, name))).toMatch(/metadata.name|lowercase RFC 1123/)
    })
  })

  test('a KafkaCluster with everything that works is accepted', async () => {
    expect(await admission('clusters', cluster(EVERYTHING))).toBe('accepted')
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
    test.each(REFUSED_TOPICS)('%j', async (spec, words) => {
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
