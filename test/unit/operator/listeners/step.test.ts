import { expect, test } from '@jest/globals'
import { KAFKA_CLUSTER, POD, SECRET, SERVICE } from '../../../../operator/api/resource.ts'
import type { KafkaCluster, Manifest } from '../../../../operator/api/resource.ts'
import type { ClusterView, FoundCluster } from '../../../../operator/cluster/step.ts'
import { Applier } from '../../../../operator/kube/applier.ts'
import type { Marks } from '../../../../operator/kube/applier.ts'
import { KubeError } from '../../../../operator/kube/api.ts'
import { Authorities } from '../../../../operator/listeners/authorities.ts'
import { NODE } from '../../../../operator/listeners/seen.ts'
import type { KubeNode, Service } from '../../../../operator/listeners/seen.ts'
import { PlacementStep } from '../../../../operator/listeners/step.ts'
import type { PlacedPod } from '../../../../operator/listeners/place.ts'
import { kafkaCluster, operatorWorld } from '../../../fakes/operator.ts'

type Listeners = KafkaCluster['spec']['listeners']
const PLAIN: Listeners[number] = { name: 'plain', port: 9092, type: 'internal', tls: false }
const BALANCED: Listeners[number] = { name: 'external', port: 9094, type: 'loadbalancer', tls: false }

function placing() {
  const world = operatorWorld()
  const step = new PlacementStep({ ...world, authorities: new Authorities(world) })
  world.api.put<KubeNode>(NODE, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'node0', namespace: '' },
    status: { addresses: [{ type: 'InternalIP', address: '10.0.0.1' }] },
  })
  const start = () =>
    world.api.put<PlacedPod>(POD, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'orders-nodes-0', namespace: 'kafka' },
      spec: { nodeName: 'node0' },
    })
  start()
  let marks: Marks = new Map()
  const run = (listeners: Listeners, pods = world.api.all(POD)) => {
    const cluster = world.api.put(KAFKA_CLUSTER, kafkaCluster({ listeners }))
    const applier = new Applier({ before: marks }, world)
    marks = applier.marks
    const view = { cluster, observed: { pods }, applier } as unknown as ClusterView
    return step.run(view)
  }
  /** As where nothing may be done about the cluster. */
  const tell = (listeners: Listeners) => {
    const cluster = world.api.put(KAFKA_CLUSTER, kafkaCluster({ listeners }))
    return step.tell({ cluster, observed: { pods: world.api.all(POD) } } as unknown as FoundCluster)
  }
  /** What a cloud's controller does. */
  const balance = () => {
    for (const [index, service] of (world.api.all(SERVICE) as Service[]).entries()) {
      world.api.put(SERVICE, {
        ...service,
        status: { loadBalancer: { ingress: [{ hostname: `lb${index}.example.org` }] } },
      })
    }
  }
  const services = () => world.api.all(SERVICE).map(({ metadata }) => metadata.name)
  const told = () => world.api.peek(POD, 'kafka', 'orders-nodes-0')?.metadata.annotations
  return { ...world, start, run, tell, balance, services, told }
}

test('every broker has a Service, and clients one to begin with', async () => {
  const { run, services } = placing()
  await run([PLAIN, BALANCED])
  expect(services()).toEqual(['orders-external-bootstrap', 'orders-external-0'])
})

test('a pod waits for its load balancer, the condition says for what, and then it is told', async () => {
  const { run, balance, told } = placing()
  const waiting = await run([PLAIN, BALANCED])
  expect(waiting.health).toMatchObject({ state: 'progressing', reason: 'PlacePending' })
  expect(waiting.conditions).toMatchObject([{ type: 'PlacesKnown', status: 'False' }])
  expect(waiting.health?.message).toContain('Service orders-external-0 has no address of a load balancer yet')
  expect(waiting.status?.listeners).toMatchObject([{ name: 'plain' }])
  expect(told()).toBeUndefined()
  balance()
  const known = await run([PLAIN, BALANCED])
  expect(known.conditions).toMatchObject([{ type: 'PlacesKnown', status: 'True' }])
  expect(known.status?.listeners).toEqual([
    { name: 'plain', bootstrapServers: 'orders-bootstrap.kafka.svc:9092' },
    { name: 'external', bootstrapServers: 'lb0.example.org:9094' },
  ])
  expect(told()?.['kafka.ottla.dev/advertised-listeners']).toContain('EXTERNAL://lb1.example.org:9094')
})

test('a pod that has taken the place of the one that was looked at is told in its turn', async () => {
  const { api, start, run, balance, told } = placing()
  await run([PLAIN, BALANCED])
  balance()
  const before = api.all(POD)
  api.remove(POD, 'kafka', 'orders-nodes-0')
  start()
  await run([PLAIN, BALANCED], before)
  expect(told()).toBeUndefined()
  await run([PLAIN, BALANCED])
  expect(told()).toHaveProperty(['kafka.ottla.dev/advertised-listeners'])
})

test('a Service is made again as it was when somebody has changed it, and else left alone', async () => {
  const { run, balance, api } = placing()
  await run([PLAIN, BALANCED])
  balance()
  api.writes.length = 0
  await run([PLAIN, BALANCED])
  expect(api.writes.filter((write) => write.startsWith('apply Service'))).toEqual([])
  const service = api.peek<Service & Manifest>(SERVICE, 'kafka', 'orders-external-0')
  if (service === null) throw new Error('no Service')
  api.put(SERVICE, { ...service, spec: { ...service.spec, type: 'ClusterIP' } })
  await run([PLAIN, BALANCED])
  expect(api.writes.filter((write) => write.startsWith('apply Service'))).toEqual([
    'apply Service kafka/orders-external-0',
  ])
})

test('Services of a listener that is gone go', async () => {
  const { run, services } = placing()
  await run([PLAIN, BALANCED])
  await run([PLAIN])
  expect(services()).toEqual([])
})

test("somebody else's Service is left alone, and named", async () => {
  const { run, api } = placing()
  const foreign: Manifest = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'orders-external-0', namespace: 'kafka' },
    spec: { x: 1 },
  }
  api.put(SERVICE, foreign)
  const { health } = await run([PLAIN, BALANCED])
  expect(health).toMatchObject({
    state: 'stalled',
    message: 'Service orders-external-0 is there already, and not of this KafkaCluster',
  })
  expect(api.peek(SERVICE, 'kafka', 'orders-external-0')).toMatchObject({ spec: { x: 1 } })
})

test('an operator that may not read nodes says what it lacks, and goes on', async () => {
  const { run, api } = placing()
  api.intercept = (call) => {
    if (call === 'get Node') throw new KubeError(403, 'Forbidden', 'nodes is forbidden')
  }
  const { health } = await run([PLAIN, { ...BALANCED, type: 'nodeport' }])
  expect(health?.message).toBe(
    'the operator may not read Kubernetes nodes, set rbac.nodes of its chart: nodes is forbidden',
  )
})

test('without listeners from outside and without racks nothing is asked of nodes', async () => {
  const { run, api } = placing()
  const calls: string[] = []
  api.intercept = (call) => calls.push(call)
  expect(await run([PLAIN])).toEqual({
    status: { listeners: [{ name: 'plain', bootstrapServers: 'orders-bootstrap.kafka.svc:9092' }] },
  })
  expect(calls).toEqual(['list Service'])
})

const AUTHORITY = '-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n'
const SECURE: Listeners[number] = {
  ...PLAIN,
  name: 'secure',
  port: 9093,
  tls: true,
  certificate: { secretName: 'tls' },
}

/** With a Secret that is what cert-manager makes. */
function certified() {
  const world = placing()
  const data = { 'ca.crt': Buffer.from(AUTHORITY).toString('base64') }
  const metadata = { name: 'tls', namespace: 'kafka' }
  world.api.put<Manifest>(SECRET, { apiVersion: 'v1', kind: 'Secret', metadata, data })
  const toldOf = async () => (await world.run([PLAIN, SECURE])).status?.listeners?.map(({ certificate }) => certificate)
  return { ...world, toldOf }
}

test('clients are told what to trust, where the operator may read it', async () => {
  const { toldOf, api } = certified()
  expect(await toldOf()).toEqual([undefined, AUTHORITY])
  api.remove(SECRET, 'kafka', 'tls')
  expect(await toldOf()).toEqual([undefined, undefined])
})

test('a right to Secrets that the operator does not have is asked for now and then, and missed by nobody', async () => {
  const { toldOf, api, clock } = certified()
  let asked = 0
  api.intercept = (call) => {
    if (call !== 'get Secret') return
    asked += 1
    if (asked === 1) throw new KubeError(403, 'Forbidden', 'secrets is forbidden')
  }
  expect(await toldOf()).toEqual([undefined, undefined])
  expect(await toldOf()).toEqual([undefined, undefined])
  expect(asked).toBe(1)
  clock.advance(5 * 60_000)
  expect(await toldOf()).toEqual([undefined, AUTHORITY])
})

test('where nothing may be done a new pod is told its place all the same, and one that runs is not marked', async () => {
  const { api, start, run, tell, balance, told } = placing()
  await run([PLAIN, BALANCED])
  balance()
  await run([PLAIN, BALANCED])
  const before = told()
  api.put(POD, { ...start(), metadata: { ...start().metadata, name: 'orders-nodes-0', annotations: {} } })
  api.writes.length = 0
  await tell([PLAIN, BALANCED])
  expect(told()).toEqual(before)
  expect(api.writes).toEqual(['patch Pod kafka/orders-nodes-0'])
  const moved = { ...BALANCED, port: 9095 }
  await tell([PLAIN, moved])
  expect(told()).toEqual(before)
})
