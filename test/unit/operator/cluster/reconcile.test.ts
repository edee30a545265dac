import { expect, test } from '@jest/globals'
import {
  CONFIG_MAP,
  EVENT,
  KAFKA_CLUSTER,
  PERSISTENT_VOLUME_CLAIM,
  SERVICE,
  STATEFUL_SET,
} from '../../../../operator/api/resource.ts'
import type { KafkaCluster, Manifest, Resource } from '../../../../operator/api/resource.ts'
import { ClusterReconciler } from '../../../../operator/cluster/reconcile.ts'
import type { KafkaState, Unreachable } from '../../../../operator/kafka/state.ts'
import { KubeError } from '../../../../operator/kube/api.ts'
import { FakeKubelet } from '../../../fakes/kubelet.ts'
import { condition, kafkaCluster, kafkaState, operatorWorld, pool } from '../../../fakes/operator.ts'

const KEY = 'kafka/orders'

function reconciling(cluster = kafkaCluster()) {
  const world = operatorWorld()
  const brokers: { state: KafkaState | Unreachable } = { state: kafkaState() }
  const reconciler = new ClusterReconciler(
    {
      images: { bundled: new Map([['4.3', 'ottla:1']]), apache: new Map([['4.3', 'apache:1']]) },
      resyncMs: 300_000,
      recheckMs: 3000,
    },
    {
      ...world,
      brokers: {
        look: () => Promise.resolve(brokers.state),
      },
      effective: (one) => one,
      steps: [],
    },
  )
  world.api.put(KAFKA_CLUSTER, cluster)
  const kubelet = new FakeKubelet(world.api)
  const stored = () => world.api.peek<KafkaCluster>(KAFKA_CLUSTER, 'kafka', 'orders')
  /** What kube-controller-manager and the kubelet do. */
  const startPods = () => {
    kubelet.run()
    brokers.state = kafkaState({ clusterId: stored()?.status?.clusterId ?? '' })
  }
  return { ...world, reconciler, stored, brokers, startPods, reconcile: () => reconciler.reconcile(KEY) }
}

test('a new cluster gets an id before anything else, then everything that it needs', async () => {
  const { api, reconcile, stored } = reconciling()
  const outcome = await reconcile()
  const writes = api.writes.filter((write) => !write.includes('Event'))
  expect(writes.map((write) => write.replace(/-config-\S+/, '-config-1'))).toEqual([
    'applyStatus KafkaCluster kafka/orders',
    'apply ServiceAccount kafka/orders-kafka',
    'apply Service kafka/orders-nodes',
    'apply Service kafka/orders-bootstrap',
    'apply PodDisruptionBudget kafka/orders-kafka',
    'apply ConfigMap kafka/orders-nodes-config-1',
    'apply StatefulSet kafka/orders-nodes',
    'applyStatus KafkaCluster kafka/orders',
  ])
  expect(stored()?.status?.clusterId).toMatch(/^[A-Za-z0-9_-]{22}$/)
  expect(condition(stored(), 'Ready')).toBe('False PodsNotReady: orders-nodes-0: not created yet')
  expect(outcome.requeueAfterMs).toBe(3000)
})

test('it is ready when its pods are and its brokers answer', async () => {
  const { reconcile, stored, startPods } = reconciling()
  await reconcile()
  startPods()
  const outcome = await reconcile()
  expect(condition(stored(), 'Ready')).toBe('True Ready: 1 of 1 nodes are ready')
  expect(condition(stored(), 'Reconciling')).toBeUndefined()
  expect(stored()?.status).toMatchObject({
    observedGeneration: 1,
    readyNodes: 1,
    listeners: [{ name: 'plain', bootstrapServers: 'orders-bootstrap.kafka.svc:9092' }],
    pools: [{ name: 'nodes', replicas: 1, ready: 1, nodeIds: [0] }],
  })
  expect(outcome.requeueAfterMs).toBe(300_000)
})

test('what brokers take on while they run is not in their files', async () => {
  const config = { 'message.max.bytes': 2_000_000, 'num.partitions': 3 }
  const { api, reconcile } = reconciling(kafkaCluster({ config }))
  await reconcile()
  const [{ data }] = api.all(CONFIG_MAP) as [Manifest & { data: object }]
  expect(JSON.stringify(data)).toContain('num.partitions=3')
  expect(JSON.stringify(data)).not.toContain('message.max.bytes')
})

test('ready pods whose brokers do not answer are not ready', async () => {
  const { reconcile, stored, startPods, brokers } = reconciling()
  await reconcile()
  startPods()
  brokers.state = { error: 'connection refused' }
  await reconcile()
  expect(condition(stored(), 'Ready')).toContain('Unknown BrokersUnreachable')
  expect(condition(stored(), 'Ready')).toContain('connection refused')
})

test('brokers of another cluster are noticed', async () => {
  const { reconcile, stored, startPods, brokers } = reconciling()
  await reconcile()
  startPods()
  brokers.state = kafkaState({ clusterId: 'other' })
  await reconcile()
  expect(condition(stored(), 'Stalled')).toContain('ClusterIdConflict')
})

test('nothing is written about a cluster that is as it should be', async () => {
  const { api, reconcile, startPods } = reconciling()
  await reconcile()
  startPods()
  await reconcile()
  const versions = () =>
    [CONFIG_MAP, SERVICE, STATEFUL_SET, KAFKA_CLUSTER].flatMap((type) => api.all(type).map(versionOf))
  const before = versions()
  await reconcile()
  expect(versions()).toEqual(before)
})

test('nothing is asked for again that is as it was left, whatever its status', async () => {
  const { api, reconcile, startPods } = reconciling()
  await reconcile()
  startPods()
  // Whether brokers answer decides what a PodDisruptionBudget allows.
  await reconcile()
  startPods()
  api.writes.length = 0
  await reconcile()
  expect(api.writes).toEqual([])
})

test('a label that somebody has taken off is put back', async () => {
  const { api, reconcile } = reconciling()
  await reconcile()
  for (const type of [CONFIG_MAP, SERVICE, STATEFUL_SET]) {
    for (const object of api.all(type)) api.put(type, { ...object, metadata: { ...object.metadata, labels: {} } })
  }
  await reconcile()
  const all = [CONFIG_MAP, SERVICE, STATEFUL_SET].flatMap((type) => api.all(type))
  expect(all.map(({ metadata }) => metadata.labels?.['kafka.ottla.dev/cluster'])).toEqual(all.map(() => 'orders'))
})

test('what somebody changes is put back', async () => {
  const { api, reconcile } = reconciling()
  await reconcile()
  const service = api.peek<Manifest>(SERVICE, 'kafka', 'orders-bootstrap')
  if (service === null) throw new Error('no Service')
  api.put(SERVICE, { ...service, spec: { ...(service.spec as object), selector: { app: 'mine' } } })
  await reconcile()
  const repaired = api.peek<Manifest & { spec: { selector: object } }>(SERVICE, 'kafka', 'orders-bootstrap')
  expect(repaired?.spec.selector).toMatchObject({ 'kafka.ottla.dev/cluster': 'orders' })
})

test('a spec that cannot work stops it: condition, Event, and nothing made', async () => {
  const { api, reconcile, stored } = reconciling(kafkaCluster({ config: { 'no.such.key': 1 } }))
  await reconcile()
  expect(condition(stored(), 'Stalled')).toContain('InvalidSpec: spec.config: no.such.key')
  expect(api.all(STATEFUL_SET)).toEqual([])
  const [event] = api.all(EVENT) as (Resource & { note: string; type: string })[]
  expect(event).toMatchObject({
    type: 'Warning',
    note: "spec.config: no.such.key: not a key of Kafka's broker configuration",
  })
})

test("somebody else's StatefulSet of the same name is not taken over", async () => {
  const { api, reconcile, stored } = reconciling()
  api.put(STATEFUL_SET, { ...STATEFUL_SET, metadata: { name: 'orders-nodes', namespace: 'kafka' } })
  await reconcile()
  expect(condition(stored(), 'Stalled')).toContain('NameConflict: StatefulSet orders-nodes')
  expect(api.writes.some((write) => write.startsWith('apply '))).toBe(false)
})

test('what a former cluster of the name has left is waited for, not taken over', async () => {
  const { api, reconcile, stored } = reconciling()
  const owner = { ...KAFKA_CLUSTER, name: 'orders', uid: 'former', controller: true }
  const metadata = { name: 'orders-nodes', namespace: 'kafka', ownerReferences: [owner] }
  api.put(STATEFUL_SET, { ...STATEFUL_SET, metadata })
  expect((await reconcile()).requeueAfterMs).toBe(3000)
  expect(condition(stored(), 'Reconciling')).toContain('Cleanup: StatefulSet orders-nodes')
  expect(api.writes.some((write) => write.startsWith('apply '))).toBe(false)
})

test('a cluster that is made again goes on with its volumes', async () => {
  const { api, reconcile, stored } = reconciling()
  await reconcile()
  const id = stored()?.status?.clusterId
  const labels = { 'kafka.ottla.dev/cluster': 'orders' }
  const metadata = {
    name: 'data-0-orders-nodes-0',
    namespace: 'kafka',
    labels,
    annotations: { 'kafka.ottla.dev/cluster-id': id ?? '' },
  }
  api.put(PERSISTENT_VOLUME_CLAIM, { ...PERSISTENT_VOLUME_CLAIM, metadata })
  api.remove(KAFKA_CLUSTER, 'kafka', 'orders')
  expect(api.all(STATEFUL_SET)).toEqual([])
  const again = kafkaCluster()
  again.metadata.uid = 'another'
  api.put(KAFKA_CLUSTER, again)
  await reconcile()
  expect(stored()?.status?.clusterId).toBe(id)
})

test.each([
  ['apply StatefulSet', 'RefusedByKubernetes: Kubernetes refuses StatefulSet orders-nodes: no such priority class'],
  [
    'patch PersistentVolumeClaim',
    'VolumeCannotGrow: volume claim data-0-orders-nodes-0 cannot grow to 10Gi: no such priority class',
  ],
])('what Kubernetes refuses is told in its words: %s', async (refused, words) => {
  const { api, reconcile, stored } = reconciling()
  const metadata = {
    name: 'data-0-orders-nodes-0',
    namespace: 'kafka',
    labels: { 'kafka.ottla.dev/cluster': 'orders' },
  }
  const spec = { resources: { requests: { storage: '5Gi' } } }
  api.put<Manifest>(PERSISTENT_VOLUME_CLAIM, { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata, spec })
  api.intercept = (call) => {
    if (call === refused) throw new KubeError(422, 'Invalid', 'no such priority class')
  }
  await reconcile()
  expect(condition(stored(), 'Stalled')).toContain(words)
})

test('a claim that is too small is grown', async () => {
  const { api, reconcile } = reconciling()
  const metadata = {
    name: 'data-0-orders-nodes-0',
    namespace: 'kafka',
    labels: { 'kafka.ottla.dev/cluster': 'orders' },
  }
  const spec = { resources: { requests: { storage: '5Gi' } } }
  api.put<Manifest>(PERSISTENT_VOLUME_CLAIM, { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata, spec })
  await reconcile()
  expect(api.peek<Manifest>(PERSISTENT_VOLUME_CLAIM, 'kafka', 'data-0-orders-nodes-0')?.spec).toEqual({
    resources: { requests: { storage: '10Gi' } },
  })
})

test('a claim that cannot grow is no reason not to grow the others', async () => {
  const { api, reconcile, stored } = reconciling(kafkaCluster({ pools: [pool({ replicas: 3 })] }))
  const labels = { 'kafka.ottla.dev/cluster': 'orders' }
  const spec = { resources: { requests: { storage: '5Gi' } } }
  for (const name of ['data-0-orders-nodes-0', 'data-0-orders-nodes-1']) {
    const metadata = { name, namespace: 'kafka', labels }
    api.put<Manifest>(PERSISTENT_VOLUME_CLAIM, { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata, spec })
  }
  let isFirst = true
  api.intercept = (call) => {
    if (call !== 'patch PersistentVolumeClaim' || !isFirst) return
    isFirst = false
    throw new KubeError(422, 'Invalid', 'no more room')
  }
  await reconcile()
  expect(condition(stored(), 'Stalled')).toContain('volume claim data-0-orders-nodes-0 cannot grow to 10Gi')
  expect(api.peek<Manifest>(PERSISTENT_VOLUME_CLAIM, 'kafka', 'data-0-orders-nodes-1')?.spec).toEqual({
    resources: { requests: { storage: '10Gi' } },
  })
})

test('a cluster that is going is left alone', async () => {
  const cluster = kafkaCluster()
  cluster.metadata.finalizers = ['somebody/else']
  const { api, reconcile } = reconciling(cluster)
  api.remove(KAFKA_CLUSTER, 'kafka', 'orders')
  expect(await reconcile()).toEqual({})
  expect(api.writes).toEqual([])
})

test('stopped after any call, the next run goes on to the same end', async () => {
  const calls = await countCalls()
  expect(calls).toBeGreaterThan(10)
  for (let failAt = 0; failAt < calls; failAt++) {
    const { api, reconcile, stored, startPods } = reconciling()
    let seen = 0
    api.intercept = () => {
      if (seen++ === failAt) throw new KubeError(0, 'Unreachable', 'the operator is gone')
    }
    await reconcile().catch(() => undefined)
    const id = stored()?.status?.clusterId
    await reconcile()
    startPods()
    await reconcile()
    expect(condition(stored(), 'Ready')).toBe('True Ready: 1 of 1 nodes are ready')
    if (id !== undefined) expect(stored()?.status?.clusterId).toBe(id)
  }
})

async function countCalls(): Promise<number> {
  const { api, reconcile } = reconciling()
  let calls = 0
  api.intercept = () => void calls++
  await reconcile()
  return calls
}

function versionOf({ kind, metadata }: Resource): string {
  return `${kind} ${metadata.name} ${metadata.resourceVersion ?? ''}`
}

test('a cluster of several pools is ready when every broker has registered; its node ids are in its status', async () => {
  const pools = [
    pool({ name: 'controllers', roles: ['controller'], replicas: 3 }),
    pool({ name: 'brokers', roles: ['broker'], replicas: 2 }),
  ]
  const { api, reconcile, stored, brokers } = reconciling(kafkaCluster({ pools }))
  await reconcile()
  new FakeKubelet(api).run()
  const clusterId = stored()?.status?.clusterId ?? ''
  brokers.state = kafkaState({ clusterId, brokers: new Map([[1000, { rack: null }]]) })
  await reconcile()
  expect(condition(stored(), 'Ready')).toBe('False BrokersNotRegistered: not registered yet: orders-brokers-1')
  const both: KafkaState['brokers'] = new Map([1000, 1001].map((id) => [id, { rack: null }]))
  brokers.state = kafkaState({ clusterId, brokers: both })
  await reconcile()
  expect(condition(stored(), 'Ready')).toBe('True Ready: 5 of 5 nodes are ready')
  expect(stored()?.status?.pools).toEqual([
    { name: 'controllers', replicas: 3, ready: 3, nodeIds: [0, 1, 2] },
    { name: 'brokers', replicas: 2, ready: 2, nodeIds: [1000, 1001] },
  ])
})

test('a cluster that is made again has the node ids that its volumes know', async () => {
  const { api, reconcile } = remade()
  await reconcile()
  const [{ data }] = api.all(CONFIG_MAP) as [Manifest & { data: object }]
  expect(JSON.stringify(data)).toContain('node.id=7000')
})

/** A cluster of one node, id 7000, of which only the volume is left. */
function remade() {
  const world = reconciling()
  const metadata = {
    name: 'data-0-orders-nodes-0',
    namespace: 'kafka',
    labels: { 'kafka.ottla.dev/cluster': 'orders', 'kafka.ottla.dev/pool': 'nodes' },
    annotations: { 'kafka.ottla.dev/node-ids': '7000-7000', 'kafka.ottla.dev/roles': 'broker,controller' },
  }
  world.api.put(PERSISTENT_VOLUME_CLAIM, { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata })
  return world
}
