import { expect, test } from '@jest/globals'
import { KAFKA_CLUSTER, POD, STATEFUL_SET } from '../../../../operator/api/resource.ts'
import type { Manifest } from '../../../../operator/api/resource.ts'
import type { StatefulSet } from '../../../../operator/cluster/kubernetes.ts'
import { ClusterReconciler } from '../../../../operator/cluster/reconcile.ts'
import { hasOutgrown } from '../../../../operator/cluster/volume-claims.ts'
import { FakeKubelet } from '../../../fakes/kubelet.ts'
import { kafkaCluster, kafkaState, operatorWorld, pool } from '../../../fakes/operator.ts'

const claim = (storage: string): Manifest => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'data' },
  spec: { resources: { requests: { storage } } },
})

test.each([
  [['10Gi'], ['10Gi'], false],
  [['10Gi'], ['10240Mi'], false],
  [['10Gi'], ['11Gi'], true],
  [['10Gi'], ['9Gi'], false],
  [['10Gi'], ['10Gi', '10Gi'], true],
])('%j outgrown by %j: %j', (live, wanted, expected) => {
  expect(hasOutgrown(live.map(claim), wanted.map(claim))).toBe(expected)
})

async function growing() {
  const world = operatorWorld()
  const reconciler = new ClusterReconciler(
    {
      images: { bundled: new Map([['4.3', 'ottla:1']]), apache: new Map([['4.3', 'apache:1']]) },
      resyncMs: 300_000,
      recheckMs: 3000,
    },
    {
      ...world,
      brokers: {
        look: () => Promise.resolve(kafkaState()),
      },
      effective: (cluster) => cluster,
      steps: [],
    },
  )
  const ask = (size: string, volumes = 1) =>
    world.api.put(KAFKA_CLUSTER, kafkaCluster({ pools: [pool({ storage: { size, volumes } })] }))
  const set = () => world.api.peek<StatefulSet>(STATEFUL_SET, 'kafka', 'orders-nodes')
  const sizes = () => set()?.spec.volumeClaimTemplates?.map((one) => (one['spec'] as { resources: object }).resources)
  ask('10Gi')
  const reconcile = () => reconciler.reconcile('kafka/orders')
  await reconcile()
  new FakeKubelet(world.api).run()
  await reconcile()
  return { ...world, ask, set, sizes, reconcile }
}

test('larger volumes: the StatefulSet is made anew, and its pods run on', async () => {
  const { api, ask, set, sizes, reconcile } = await growing()
  const [before, pods] = [set()?.metadata.uid, api.all(POD).map(({ metadata }) => metadata.uid)]
  ask('20Gi')
  await reconcile()
  expect(set()?.metadata.uid).not.toBe(before)
  expect(sizes()).toEqual([{ requests: { storage: '20Gi' } }])
  expect(api.all(POD).map(({ metadata }) => metadata.uid)).toEqual(pods)
  api.writes.length = 0
  await reconcile()
  expect(api.writes.filter((write) => write.startsWith('delete'))).toEqual([])
})

test('another volume is another claim', async () => {
  const { ask, sizes, reconcile } = await growing()
  ask('10Gi', 2)
  await reconcile()
  expect(sizes()).toHaveLength(2)
})

test('a StatefulSet that is slow to go is not written to, and made by the run after', async () => {
  const { api, clock, ask, set, sizes, reconcile } = await growing()
  const live = set()
  if (live === null) throw new Error('no StatefulSet')
  api.put(STATEFUL_SET, { ...live, metadata: { ...live.metadata, finalizers: ['orphan'] } })
  ask('20Gi')
  api.writes.length = 0
  const running = reconcile()
  await clock.run(10_000)
  await running
  expect(api.writes.filter((write) => write.startsWith('apply StatefulSet'))).toEqual([])
  await api.patch(STATEFUL_SET, 'kafka', 'orders-nodes', { metadata: { finalizers: [] } })
  expect(set()).toBeNull()
  await reconcile()
  expect(sizes()).toEqual([{ requests: { storage: '20Gi' } }])
})

test('a crash after the StatefulSet has gone loses no pod', async () => {
  const { api, ask, set, reconcile } = await growing()
  ask('20Gi')
  const pods = api.all(POD).map(({ metadata }) => metadata.uid)
  api.intercept = (call) => {
    if (call === 'apply StatefulSet' && set() === null) throw new Error('killed')
  }
  await expect(reconcile()).rejects.toThrow('killed')
  api.intercept = () => {}
  await reconcile()
  expect(set()).not.toBeNull()
  expect(api.all(POD).map(({ metadata }) => metadata.uid)).toEqual(pods)
})
