import { expect, test } from '@jest/globals'
import { externalServices } from '../../../../operator/specs/external-services.ts'
import type { Listener } from '../../../../operator/specs/external-services.ts'
import { kafkaCluster, pool } from '../../../fakes/operator.ts'

const CONTROLLERS = pool({ name: 'controllers', roles: ['controller'] })
const BROKERS = pool({ name: 'brokers', roles: ['broker'], replicas: 2 })

// oxlint-disable-next-line typescript/no-explicit-any -- manifests are looked into freely
function servicesOf(listener: Partial<Listener>, name = 'orders'): Record<string, any> {
  const external: Listener = { name: 'external', port: 9094, type: 'loadbalancer', tls: false, ...listener }
  const cluster = kafkaCluster({ pools: [CONTROLLERS, BROKERS], listeners: [external] }, name)
  return Object.fromEntries(externalServices(cluster).map((manifest) => [manifest.metadata.name, manifest]))
}

test('each broker has a Service that leads to its pod alone, ready or not; controllers have none', () => {
  const services = servicesOf({})
  expect(Object.keys(services)).toEqual(['orders-external-bootstrap', 'orders-external-1000', 'orders-external-1001'])
  expect(services['orders-external-1001'].spec).toMatchObject({
    type: 'LoadBalancer',
    publishNotReadyAddresses: true,
    selector: { 'statefulset.kubernetes.io/pod-name': 'orders-brokers-1' },
    ports: [{ port: 9094, targetPort: 9094 }],
  })
})

test('clients begin at ready brokers only', () => {
  const { spec } = servicesOf({})['orders-external-bootstrap']
  expect(spec.selector).toEqual({ 'kafka.ottla.dev/cluster': 'orders', 'kafka.ottla.dev/broker': 'true' })
  expect(spec).not.toHaveProperty('publishNotReadyAddresses')
})

test("annotations with a broker's id are for brokers, those of one broker for it alone", () => {
  const services = servicesOf({
    service: { annotations: { common: 'x', hostname: 'broker-{nodeId}.example.org' } },
    bootstrap: { enabled: true, annotations: { hostname: 'kafka.example.org' } },
    brokers: [{ nodeId: 1000, annotations: { own: 'y' } }],
  })
  expect(Object.values(services).map(({ metadata }) => metadata.annotations)).toEqual([
    { common: 'x', hostname: 'kafka.example.org' },
    { common: 'x', hostname: 'broker-1000.example.org', own: 'y' },
    { common: 'x', hostname: 'broker-1001.example.org' },
  ])
})

test('node ports that are asked for are asked for, others are left to Kubernetes', () => {
  const services = servicesOf({
    type: 'nodeport',
    bootstrap: { enabled: true, nodePort: 31_000 },
    brokers: [{ nodeId: 1001, nodePort: 31_001 }],
  })
  expect(Object.values(services).map(({ spec }) => [spec.type, spec.ports[0].nodePort])).toEqual([
    ['NodePort', 31_000],
    ['NodePort', undefined],
    ['NodePort', 31_001],
  ])
})

test('without a bootstrap there is a load balancer less', () => {
  expect(Object.keys(servicesOf({ bootstrap: { enabled: false } }))).not.toContain('orders-external-bootstrap')
})

test('traffic that stays on its node is for brokers: clients may begin at any node', () => {
  const services = servicesOf({ service: { externalTrafficPolicy: 'Local', loadBalancerClass: 'example.org/lb' } })
  expect(Object.values(services).map(({ spec }) => spec.externalTrafficPolicy)).toEqual([undefined, 'Local', 'Local'])
  expect(Object.values(services).map(({ spec }) => spec.loadBalancerClass)).toEqual(Array(3).fill('example.org/lb'))
})

test('the longest names fit into a DNS label', () => {
  const names = Object.keys(servicesOf({ name: 'l'.repeat(15) }, 'c'.repeat(30)))
  for (const name of names) expect(name.length).toBeLessThanOrEqual(63)
})
