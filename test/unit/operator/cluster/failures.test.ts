import { expect, test } from '@jest/globals'
import { EVENT, KAFKA_CLUSTER, STATEFUL_SET } from '../../../../operator/api/resource.ts'
import type { KafkaCluster, Resource } from '../../../../operator/api/resource.ts'
import { ClusterReconciler } from '../../../../operator/cluster/reconcile.ts'
import type { ClusterStep, FoundCluster } from '../../../../operator/cluster/step.ts'
import type { KafkaState } from '../../../../operator/kafka/state.ts'
import { KubeError } from '../../../../operator/kube/api.ts'
import { FakeKubelet } from '../../../fakes/kubelet.ts'
import { condition, kafkaCluster, kafkaState, operatorWorld, pool } from '../../../fakes/operator.ts'

const KEY = 'kafka/orders'
const DOWN = new KubeError(500, 'InternalError', 'failed calling webhook')
const UNTYPED = 'failed to create typed patch object (kafka/orders-nodes): .spec.nodes: field not declared in schema'
const TOLD = {
  type: 'PartitionsOnline',
  status: 'False',
  reason: 'NoLeader',
  message: 'without a leader: t-0',
} as const
const LISTENERS = [{ name: 'plain', bootstrapServers: 'kafka.example.org:9092' }]

/** A cluster that is ready, with a step that works, or fails, and one that tells how Kafka is. */
async function running() {
  const world = operatorWorld()
  const kafka: { state: KafkaState } = { state: kafkaState() }
  const failing: { error: Error | null; other: Error | null } = { error: null, other: null }
  const works: ClusterStep = {
    run: async () => {
      if (failing.error !== null) throw failing.error
      return { status: { listeners: LISTENERS }, conditions: [{ ...TOLD, type: 'PlacesKnown', status: 'True' }] }
    },
  }
  const found: FoundCluster[] = []
  const tell = async (view: FoundCluster) => {
    found.push(view)
    if (failing.other !== null) throw failing.other
    return { conditions: found.length > 2 ? [TOLD] : [] }
  }
  const reconciler = new ClusterReconciler(
    {
      images: { bundled: new Map([['4.3', 'ottla:1']]), apache: new Map() },
      resyncMs: 300_000,
      recheckMs: 3000,
    },
    {
      ...world,
      brokers: { look: () => Promise.resolve(kafka.state) },
      effective: (one) => one,
      steps: [works, { run: tell, tell }],
    },
  )
  world.api.put(KAFKA_CLUSTER, kafkaCluster())
  const kubelet = new FakeKubelet(world.api)
  const stored = () => world.api.peek<KafkaCluster>(KAFKA_CLUSTER, 'kafka', 'orders')
  const reconcile = () => reconciler.reconcile(KEY)
  const change = (spec: Partial<KafkaCluster['spec']>) => {
    const cluster = stored()
    if (cluster === null) throw new Error('no KafkaCluster')
    world.api.put(KAFKA_CLUSTER, { ...cluster, spec: { ...cluster.spec, ...spec } })
  }
  /** Twice in a row. */
  const fails = async (error: Error) => {
    for (let run = 0; run < 2; run++) await expect(reconcile()).rejects.toBe(error)
  }
  await reconcile()
  kubelet.run()
  kafka.state = kafkaState({ clusterId: stored()?.status?.clusterId ?? '' })
  await reconcile()
  expect(condition(stored(), 'Ready')).toBe('True Ready: 1 of 1 nodes are ready')
  return { ...world, kubelet, stored, reconcile, fails, change, failing, found }
}

test('a step that fails keeps no other from running, and nothing from being told', async () => {
  const { failing, reconcile, fails, stored, kubelet } = await running()
  failing.error = DOWN
  kubelet.turn('orders-nodes-0', 'CrashLoopBackOff')
  await fails(DOWN)
  expect(condition(stored(), 'Ready')).toMatch(/^False PodsNotReady: .*CrashLoopBackOff.*; tried again: failed calling/)
  expect(condition(stored(), 'PartitionsOnline')).toContain('False')
  // What the step would have told is not known now.
  expect(condition(stored(), 'PlacesKnown')).toContain('True')
  expect(stored()?.status?.listeners).toEqual(LISTENERS)
  failing.error = null
  kubelet.turn('orders-nodes-0', null)
  await reconcile()
  expect(condition(stored(), 'Ready')).toBe('True Ready: 1 of 1 nodes are ready')
})

test('where nothing else is the matter, what fails is what Ready says', async () => {
  const { failing, fails, stored } = await running()
  failing.error = DOWN
  await fails(DOWN)
  expect(condition(stored(), 'Ready')).toBe('False ReconcileFailed: tried again: failed calling webhook')
})

test('one failure hides no other', async () => {
  const { failing, reconcile } = await running()
  failing.error = DOWN
  failing.other = new Error('a mistake')
  await expect(reconcile()).rejects.toMatchObject({
    errors: [DOWN, failing.other],
    message: 'failed calling webhook; a mistake',
  })
})

test('a failure that passes is told only when it comes twice in a row', async () => {
  const { failing, reconcile, api } = await running()
  for (let time = 0; time < 2; time++) {
    failing.error = DOWN
    await expect(reconcile()).rejects.toBe(DOWN)
    failing.error = null
    await reconcile()
  }
  expect(api.all(EVENT).map(({ reason }: Resource & { reason?: string }) => reason)).not.toContain('ReconcileFailed')
})

test('that somebody else was quicker is tried again, and not told', async () => {
  const { failing, reconcile, api } = await running()
  failing.error = new KubeError(409, 'Conflict', 'the object has been modified')
  api.writes.length = 0
  await expect(reconcile()).rejects.toBe(failing.error)
  expect(api.writes).toEqual([])
})

test('where something of the cluster cannot be made for a while, it is told how it is, and no step does anything', async () => {
  const { change, fails, stored, api, failing } = await running()
  change({ pools: [pool({ resources: { limits: { memory: '1Gi' } } })] })
  api.intercept = (call) => {
    if (call === 'apply StatefulSet') throw DOWN
  }
  failing.error = new Error('runs')
  await fails(DOWN)
  expect(condition(stored(), 'Ready')).toBe('False ReconcileFailed: tried again: failed calling webhook')
  expect(condition(stored(), 'PartitionsOnline')).toContain('False')
  expect(stored()?.status?.observedGeneration).toBe(stored()?.metadata.generation)
})

test('a field that Kubernetes does not know is a refusal, whatever the status of its answer', async () => {
  const { change, reconcile, stored, api } = await running()
  change({ pools: [pool({ template: { affinity: { nodes: {} } } })] })
  api.intercept = (call) => {
    if (call === 'apply StatefulSet') throw new KubeError(500, '500', UNTYPED)
  }
  await reconcile()
  expect(condition(stored(), 'Stalled')).toBe(
    `True RefusedByKubernetes: Kubernetes refuses StatefulSet orders-nodes: ${UNTYPED}`,
  )
})

test.each([
  ['InvalidSpec', { config: { 'log.retention.hour': 1 }, pools: [pool({ replicas: 3 })] }],
  ['UnknownVersion', { version: '9.9' }],
])('how the cluster is that runs is told while nothing may be done about it: %s', async (reason, spec) => {
  const { change, reconcile, stored, found, api } = await running()
  change(spec)
  api.writes.length = 0
  await reconcile()
  expect(condition(stored(), 'Stalled')).toContain(reason)
  expect(condition(stored(), 'PartitionsOnline')).toContain('False')
  expect(condition(stored(), 'PlacesKnown')).toContain('True')
  const last = found.at(-1)
  expect(last?.cluster.spec.pools).toMatchObject([{ name: 'nodes', replicas: 1 }])
  expect(last?.kafka).not.toHaveProperty('error')
  expect(api.writes.filter((write) => !/applyStatus|Event/.test(write))).toEqual([])
})

test("of a cluster that never was, and of others' objects, nothing is told", async () => {
  const { change, reconcile, found, api, stored } = await running()
  const { status: _, ...fresh } = stored() ?? kafkaCluster()
  api.remove(KAFKA_CLUSTER, 'kafka', 'orders')
  api.put(STATEFUL_SET, { ...STATEFUL_SET, metadata: { name: 'orders-nodes', namespace: 'kafka' } })
  api.put(KAFKA_CLUSTER, { ...fresh, metadata: { ...fresh.metadata, uid: 'another' } })
  change({})
  found.length = 0
  await reconcile()
  expect(condition(stored(), 'Stalled')).toContain('NameConflict')
  expect(found).toEqual([])
})
