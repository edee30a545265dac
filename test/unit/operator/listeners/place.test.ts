import { expect, test } from '@jest/globals'
import type { KafkaCluster } from '../../../../operator/api/resource.ts'
import { bootstrapAddress } from '../../../../operator/listeners/addresses.ts'
import { placementOf } from '../../../../operator/listeners/place.ts'
import type { PlacedPod } from '../../../../operator/listeners/place.ts'
import type { KubeNode, Seen, Service } from '../../../../operator/listeners/seen.ts'
import { externalServices } from '../../../../operator/specs/external-services.ts'
import type { Listener } from '../../../../operator/specs/external-services.ts'
import { kafkaCluster, pool } from '../../../fakes/operator.ts'

const PLAIN: Listener = { name: 'plain', port: 9092, type: 'internal', tls: false }
const ADVERTISED = 'kafka.ottla.dev/advertised-listeners'
const RESTART = 'kafka.ottla.dev/restart'

function clusterWith(listener: Partial<Listener>, spec: Partial<KafkaCluster['spec']> = {}): KafkaCluster {
  const external: Listener = { name: 'external', port: 9094, type: 'nodeport', tls: false, ...listener }
  const pools = [
    pool({ name: 'controllers', roles: ['controller'] }),
    pool({ name: 'brokers', roles: ['broker'], replicas: 2 }),
  ]
  return kafkaCluster({ pools, listeners: [PLAIN, external], ...spec })
}

function pod(ordinal: number, nodeName: string | undefined = `node${ordinal}`, annotations = {}): PlacedPod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `orders-brokers-${ordinal}`, namespace: 'kafka', uid: `uid-${ordinal}`, annotations },
    spec: nodeName === undefined ? {} : { nodeName },
  }
}

const node = (index: number, addresses: Record<string, string>, labels = {}): KubeNode => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: `node${index}`, labels },
  status: { addresses: Object.entries(addresses).map(([type, address]) => ({ type, address })) },
})

/** Services as Kubernetes completes them. */
function seen(cluster: KafkaCluster, nodes: readonly KubeNode[], ingress: 'known' | 'pending' = 'known'): Seen {
  const services = externalServices(cluster).map((manifest, index): [string, Service] => {
    const spec = manifest['spec'] as { type: string; ports: { nodePort?: number }[] }
    const ports = spec.ports.map((port) => ({ nodePort: 30_000 + index, ...port }))
    const balancer =
      spec.type === 'LoadBalancer' && ingress === 'known' ? { ingress: [{ ip: `203.0.113.${index}` }] } : {}
    return [manifest.metadata.name, { ...manifest, spec: { ports }, status: { loadBalancer: balancer } }]
  })
  return { services: new Map(services), nodes: new Map(nodes.map((one) => [one.metadata.name, one])) }
}

function advertised(cluster: KafkaCluster, what: Seen, pods = [pod(0), pod(1)]): string[] {
  const { changes } = placementOf(cluster, pods, what)
  return changes.map(({ annotations }) => (annotations[ADVERTISED] ?? '').split(',').at(-1) ?? '')
}

const NODES = [node(0, { InternalIP: '10.0.0.1', ExternalIP: '198.51.100.1' }), node(1, { InternalIP: '10.0.0.2' })]

test('a broker advertises the public address of its node and the port of its own Service', () => {
  const cluster = clusterWith({})
  expect(advertised(cluster, seen(cluster, NODES))).toEqual([
    'EXTERNAL://198.51.100.1:30001',
    'EXTERNAL://10.0.0.2:30002',
  ])
})

test('listeners inside of Kubernetes stay as they are', () => {
  const cluster = clusterWith({})
  const [first] = placementOf(cluster, [pod(0)], seen(cluster, NODES)).changes
  expect(first?.annotations[ADVERTISED]).toBe(
    'INTERNAL://orders-brokers-0.orders-nodes.kafka.svc:9091,PLAIN://orders-brokers-0.orders-nodes.kafka.svc:9092,EXTERNAL://198.51.100.1:30001',
  )
})

test('the type of address that is asked for comes first', () => {
  const cluster = clusterWith({ addressType: 'InternalIP' })
  expect(advertised(cluster, seen(cluster, NODES))[0]).toBe('EXTERNAL://10.0.0.1:30001')
})

test('a load balancer is advertised by its address, with the port of the listener', () => {
  const cluster = clusterWith({ type: 'loadbalancer' })
  expect(advertised(cluster, seen(cluster, []))).toEqual(['EXTERNAL://203.0.113.1:9094', 'EXTERNAL://203.0.113.2:9094'])
})

test('an IPv6 address is in brackets', () => {
  const cluster = clusterWith({})
  const nodes = [node(0, { ExternalIP: '2001:db8::1' })]
  expect(advertised(cluster, seen(cluster, nodes), [pod(0)])).toEqual(['EXTERNAL://[2001:db8::1]:30001'])
})

test('what the spec says wins, for one broker over all', () => {
  const brokers = [{ nodeId: 1001, host: 'special.example.org', port: 7000 }]
  const cluster = clusterWith({
    type: 'loadbalancer',
    advertised: { host: 'broker-{nodeId}.example.org', port: 443 },
    brokers,
  })
  expect(advertised(cluster, seen(cluster, [], 'pending'))).toEqual([
    'EXTERNAL://broker-1000.example.org:443',
    'EXTERNAL://special.example.org:7000',
  ])
})

test('a pod whose address is not known is not told half of it, and the reason is', () => {
  const cluster = clusterWith({ type: 'loadbalancer' }, { rack: { topologyKey: 'zone' } })
  const { changes, waits } = placementOf(cluster, [pod(0)], seen(cluster, [node(0, {}, { zone: 'a' })], 'pending'))
  expect(changes).toEqual([])
  expect(waits.map(({ waitsFor }) => waitsFor)).toEqual([
    'Service orders-external-1000 has no address of a load balancer yet: is there a controller for it?',
  ])
})

test('a pod that has no node yet waits for the scheduler only', () => {
  const cluster = clusterWith({})
  const unscheduled = { ...pod(0), spec: {} }
  expect(placementOf(cluster, [unscheduled], seen(cluster, NODES))).toMatchObject({ changes: [], waits: [] })
})

test('the rack is the label of the node, and a node without it is named', () => {
  const cluster = clusterWith({}, { listeners: [PLAIN], rack: { topologyKey: 'zone' } })
  const nodes = [node(0, {}, { zone: 'a' }), node(1, {})]
  const { changes, waits } = placementOf(cluster, [pod(0), pod(1)], seen(cluster, nodes))
  expect(changes.map(({ pod: of, annotations }) => [of.metadata.name, annotations])).toEqual([
    ['orders-brokers-0', { 'kafka.ottla.dev/rack': 'a' }],
  ])
  expect(waits).toEqual([
    { what: 'rack', waitsFor: 'Kubernetes node node1 has no label zone, which spec.rack asks for' },
  ])
})

test('a pod that has been told is told nothing again', () => {
  const cluster = clusterWith({})
  const what = seen(cluster, NODES)
  const annotations = placementOf(cluster, [pod(0)], what).changes[0]?.annotations
  expect(placementOf(cluster, [pod(0, 'node0', annotations)], what).changes).toEqual([])
})

test('a pod keeps what it was started with, and is marked to start again where that has changed', () => {
  const cluster = clusterWith({})
  const before = { ...placementOf(cluster, [pod(0)], seen(cluster, NODES)).changes[0]?.annotations }
  const moved = seen(cluster, [node(0, { ExternalIP: '198.51.100.9' })])
  const [change] = placementOf(cluster, [pod(0, 'node0', before)], moved).changes
  expect(Object.keys(change?.annotations ?? {})).toEqual([RESTART])
  expect(change?.annotations[RESTART]).toMatch(
    /^its place has changed: advertised-listeners .*198.51.100.1:30001 -> .*198.51.100.9:30001$/,
  )
  const back = { ...before, [RESTART]: change?.annotations[RESTART] ?? '' }
  const undone = placementOf(cluster, [pod(0, 'node0', back)], seen(cluster, NODES)).changes
  expect(undone.map(({ annotations }) => annotations)).toEqual([{ [RESTART]: null }])
})

test('a restart that somebody has asked for is not taken back', () => {
  const cluster = clusterWith({})
  const what = seen(cluster, NODES)
  const told = { ...placementOf(cluster, [pod(0)], what).changes[0]?.annotations, [RESTART]: 'because' }
  expect(placementOf(cluster, [pod(0, 'node0', told)], what).changes).toEqual([])
})

test('clients begin at the nodes where brokers are, at one load balancer, or at the brokers', () => {
  const start = (listener: Partial<Listener>) => {
    const cluster = clusterWith(listener)
    const [, external] = cluster.spec.listeners
    if (external === undefined) throw new Error('no listener')
    const what = seen(cluster, NODES)
    return bootstrapAddress(
      cluster,
      external,
      what,
      placementOf(cluster, [pod(0), pod(1)], what).brokers.get('external') ?? [],
    )
  }
  expect(start({})).toEqual({ address: '10.0.0.2:30000,198.51.100.1:30000' })
  expect(start({ type: 'loadbalancer' })).toEqual({ address: '203.0.113.0:9094' })
  expect(start({ type: 'loadbalancer', bootstrap: { enabled: true, host: 'kafka.example.org' } })).toEqual({
    address: 'kafka.example.org:9094',
  })
  expect(start({ type: 'loadbalancer', bootstrap: { enabled: false } })).toEqual({
    address: '203.0.113.0:9094,203.0.113.1:9094',
  })
})

test('behind an Ingress or a Gateway brokers are told apart by name, and share the port of HTTPS', () => {
  const routed: Partial<Listener> = {
    type: 'ingress',
    tls: true,
    advertised: { host: 'broker-{nodeId}.example.org' },
    bootstrap: { enabled: true, host: 'kafka.example.org' },
  }
  const begins = (listener: Partial<Listener>) => {
    const cluster = clusterWith(listener)
    const [, external] = cluster.spec.listeners
    if (external === undefined) throw new Error('no listener')
    return bootstrapAddress(cluster, external, seen(cluster, []), [])
  }
  const cluster = clusterWith(routed)
  expect(advertised(cluster, seen(cluster, []))).toEqual([
    'EXTERNAL://broker-1000.example.org:443',
    'EXTERNAL://broker-1001.example.org:443',
  ])
  expect(begins(routed)).toEqual({ address: 'kafka.example.org:443' })
  const elsewhere = { host: 'broker-{nodeId}.example.org', port: 9443 }
  expect(begins({ ...routed, type: 'tlsroute', advertised: elsewhere })).toEqual({ address: 'kafka.example.org:9443' })
})

test('a listener by names that has none, since nothing has refused it, says what it lacks', () => {
  const cluster = clusterWith({ type: 'ingress' })
  const { waits } = placementOf(cluster, [pod(0)], seen(cluster, []))
  expect(waits).toEqual([{ what: 'listener external', waitsFor: 'advertised.host and bootstrap.host in the spec' }])
})
