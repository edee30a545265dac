import { expect, test } from '@jest/globals'
import type { Manifest } from '../../../../operator/api/resource.ts'
import { externalServices } from '../../../../operator/specs/external-services.ts'
import type { Listener } from '../../../../operator/specs/external-services.ts'
import { ingresses, tlsRoutes, tlsRouteType } from '../../../../operator/specs/routes.ts'
import { kafkaCluster, pool } from '../../../fakes/operator.ts'

const ROUTED: Listener = {
  name: 'external',
  port: 9094,
  type: 'ingress',
  tls: true,
  certificate: { secretName: 'kafka-tls' },
  advertised: { host: 'broker-{nodeId}.kafka.example.org' },
  bootstrap: { enabled: true, host: 'kafka.example.org' },
}
const GATEWAY = { gateway: { parentRefs: [{ name: 'edge', namespace: 'infra', sectionName: 'kafka' }] } }

function clusterWith(listener: Partial<Listener>, name = 'orders') {
  const pools = [
    pool({ name: 'controllers', roles: ['controller'] }),
    pool({ name: 'brokers', roles: ['broker'], replicas: 2 }),
  ]
  return kafkaCluster({ pools, listeners: [{ ...ROUTED, ...listener }] }, name)
}

// oxlint-disable-next-line typescript/no-explicit-any -- manifests are looked into freely
type Free = any

const byName = (manifests: readonly Manifest[]): Record<string, Free> =>
  Object.fromEntries(manifests.map((manifest) => [manifest.metadata.name, manifest]))

const ingressesOf = (listener: Partial<Listener> = {}) => byName(ingresses(clusterWith(listener)))

test('each broker has an Ingress for its own name, clients one to begin with, and controllers have none', () => {
  const hosts = Object.entries(ingressesOf()).map(([name, { spec }]) => [name, spec.rules[0].host, spec.tls[0].hosts])
  expect(hosts).toEqual([
    ['orders-external-bootstrap', 'kafka.example.org', ['kafka.example.org']],
    ['orders-external-1000', 'broker-1000.kafka.example.org', ['broker-1000.kafka.example.org']],
    ['orders-external-1001', 'broker-1001.kafka.example.org', ['broker-1001.kafka.example.org']],
  ])
})

test('an Ingress leads to the Service of its name, inside of Kubernetes', () => {
  const cluster = clusterWith({})
  const services = byName(externalServices(cluster))
  for (const [name, { spec }] of Object.entries(byName(ingresses(cluster)))) {
    const [path] = spec.rules[0].http.paths
    expect(path).toEqual({
      path: '/',
      pathType: 'Prefix',
      backend: { service: { name, port: { name: 'external' } } },
    })
    expect(services[name].spec).toMatchObject({ type: 'ClusterIP', ports: [{ name: 'external', port: 9094 }] })
  }
})

test('TLS is passed through, unless somebody knows better', () => {
  const passthrough = 'nginx.ingress.kubernetes.io/ssl-passthrough'
  const all = ingressesOf({ ingress: { className: 'nginx', annotations: { [passthrough]: 'false', note: 'x' } } })
  const { metadata, spec } = all['orders-external-1000']
  expect(spec.ingressClassName).toBe('nginx')
  expect(metadata.annotations).toEqual({
    [passthrough]: 'false',
    'haproxy.org/ssl-passthrough': 'true',
    'haproxy-ingress.github.io/ssl-passthrough': 'true',
    note: 'x',
  })
})

test("annotations with a broker's id are for brokers, those of one for it alone, and Services have none of them", () => {
  const listener: Partial<Listener> = {
    ingress: { annotations: { dns: 'broker-{nodeId}' } },
    bootstrap: { enabled: true, host: 'kafka.example.org', annotations: { begin: 'x' } },
    brokers: [{ nodeId: 1001, host: 'special.example.org', annotations: { own: 'y' } }],
  }
  const all = ingressesOf(listener)
  const own = (name: string) =>
    Object.fromEntries(
      Object.entries(all[name].metadata.annotations).filter(([key]) => !key.endsWith('ssl-passthrough')),
    )
  expect(own('orders-external-bootstrap')).toEqual({ begin: 'x' })
  expect(own('orders-external-1000')).toEqual({ dns: 'broker-1000' })
  expect(own('orders-external-1001')).toEqual({ dns: 'broker-1001', own: 'y' })
  expect(all['orders-external-1001'].spec.rules[0].host).toBe('special.example.org')
  for (const { metadata } of externalServices(clusterWith(listener))) expect(metadata.annotations).toBeUndefined()
})

test('without a bootstrap clients begin with the brokers', () => {
  expect(Object.keys(ingressesOf({ bootstrap: { enabled: false } }))).toEqual([
    'orders-external-1000',
    'orders-external-1001',
  ])
})

test('a TLSRoute leads from the Gateways to the Service of its name, whatever version there is', () => {
  const cluster = clusterWith({ type: 'tlsroute', ...GATEWAY })
  const routes = byName(tlsRoutes(cluster, tlsRouteType('v1alpha2')))
  expect(Object.keys(routes)).toEqual(externalServices(cluster).map(({ metadata }) => metadata.name))
  expect(routes['orders-external-1001']).toMatchObject({
    apiVersion: 'gateway.networking.k8s.io/v1alpha2',
    kind: 'TLSRoute',
    metadata: { ownerReferences: [{ kind: 'KafkaCluster' }], labels: { 'kafka.ottla.dev/node-id': '1001' } },
    spec: {
      parentRefs: [{ name: 'edge', namespace: 'infra', sectionName: 'kafka' }],
      hostnames: ['broker-1001.kafka.example.org'],
      rules: [{ backendRefs: [{ name: 'orders-external-1001', port: 9094 }] }],
    },
  })
  expect(ingresses(cluster)).toEqual([])
})

test.each(['internal', 'nodeport', 'loadbalancer'] as const)('a listener of type %s has no routes', (type) => {
  const cluster = clusterWith({ type })
  expect([...ingresses(cluster), ...tlsRoutes(cluster, tlsRouteType('v1'))]).toEqual([])
})

test('what lacks a name, since nothing has refused it, has no route', () => {
  const { advertised: _, bootstrap: __, ...nameless } = ROUTED
  expect(ingresses(kafkaCluster({ listeners: [nameless] }))).toEqual([])
})
