import { expect, test } from '@jest/globals'
import { POD, POD_DISRUPTION_BUDGET } from '../../../../operator/api/resource.ts'
import type { Manifest } from '../../../../operator/api/resource.ts'
import type { Pod } from '../../../../operator/cluster/kubernetes.ts'
import { KubeError } from '../../../../operator/kube/api.ts'
import { condition, pool } from '../../../fakes/operator.ts'
import { ALL, announced, CONTROLLERS, POOLS, settled } from './step-world.ts'
import type { RollWorld } from './step-world.ts'

test.each<[string, (world: RollWorld) => void]>([
  ['a pod was evicted', ({ api }) => api.remove(POD, 'kafka', 'orders-brokers-2')],
  [
    'a pod is another one',
    ({ api, kubelet }) => {
      api.remove(POD, 'kafka', 'orders-brokers-2')
      kubelet.run()
    },
  ],
  ['a pod has crashed', ({ kubelet }) => kubelet.turn('orders-brokers-2', 'CrashLoopBackOff')],
  ['a broker has fallen behind', ({ behind }) => void behind.add('orders-brokers-2')],
  ['Kafka does not answer any more', (world) => void (world.silence = 'no answer')],
])('what happens between planning and restarting stops it: %s', async (_, happen) => {
  const world = await settled()
  const [controllers = pool(), brokers = pool()] = POOLS
  await announced(world, { pools: [controllers, { ...brokers, resources: { limits: { cpu: '1' } } }] })
  let looks = 0
  // The first look is the run's, the second one that before the restart.
  world.onLook = () => {
    if (++looks === 2) happen(world)
  }
  await world.reconcile()
  expect(looks).toBe(2)
  expect(world.restarted).toEqual([])
})

test('a pod that changes at the last moment stays', async () => {
  const world = await settled()
  await announced(world, { config: { 'queued.max.requests': 5 } })
  world.api.intercept = (call) => {
    if (call !== 'create Event') return
    const pod = world.api.peek<Pod>(POD, 'kafka', 'orders-controllers-1')
    if (pod !== null) world.api.put(POD, { ...pod, status: { ...pod.status, phase: 'Unknown' } })
  }
  await world.reconcile()
  expect(world.restarted).toEqual([])
})

test('where Kubernetes refuses the new StatefulSet no pod is restarted for it', async () => {
  const world = await settled()
  world.api.intercept = (call) => {
    if (call === 'apply StatefulSet') throw new KubeError(422, 'Invalid', 'no such priority class')
  }
  world.change({ config: { 'queued.max.requests': 5 } })
  await world.settle(10)
  expect(world.restarted).toEqual([])
  expect(condition(world.stored, 'Stalled')).toContain('RefusedByKubernetes')
})

test('nothing can be evicted while a pod is about to be restarted', async () => {
  const world = await settled()
  await announced(world, { config: { 'queued.max.requests': 5 } })
  const allowed: unknown[] = []
  world.onLook = () => {
    const budgets = world.api.all(POD_DISRUPTION_BUDGET) as (Manifest & { spec: { maxUnavailable: number } })[]
    allowed.push(budgets.map(({ spec }) => spec.maxUnavailable))
  }
  await world.reconcile()
  expect(allowed).toEqual([
    [1, 1],
    [0, 0],
  ])
})

test('no broker may be evicted while a partition could not do without one, and it is allowed again after', async () => {
  const world = await settled()
  const evictable = (): unknown =>
    (world.api.all(POD_DISRUPTION_BUDGET) as (Manifest & { spec: { maxUnavailable: number } })[]).map(
      ({ spec }) => spec.maxUnavailable,
    )
  world.behind.add('orders-brokers-2')
  await world.reconcile()
  expect(evictable()).toEqual([0, 1])
  world.behind.clear()
  await world.reconcile()
  expect(evictable()).toEqual([1, 1])
})

test('a pod is not restarted before Kubernetes would make the right one in its place', async () => {
  const world = await settled()
  world.change({ config: { 'queued.max.requests': 5 } })
  for (let round = 0; round < 5; round++) await world.reconcile()
  expect(world.restarted).toEqual([])
  expect(world.rollout?.blockedBy?.[0]?.message).toContain('does not make new pods of StatefulSet')
  world.kubelet.run()
  await world.reconcile()
  await world.reconcile()
  expect(world.restarted).toEqual([CONTROLLERS[0]])
})

test('the operator may die at any call: the next one goes on, and every pod is restarted once', async () => {
  const calls = await rolled(-1)
  expect(calls).toBeGreaterThan(50)
  for (let failAt = 0; failAt < 60; failAt += 5) await rolled(failAt)
})

/** Rolls a cluster with the `failAt`-th call to Kubernetes failing; returns how many calls it took. */
async function rolled(failAt: number): Promise<number> {
  const world = await settled()
  world.change({ config: { 'queued.max.requests': 5 } })
  let calls = 0
  world.api.intercept = () => {
    if (calls++ === failAt) throw new KubeError(0, 'Unreachable', 'the operator is gone')
  }
  for (
    let round = 0;
    round < 60 && (world.restarted.length < ALL.length || world.rollout?.state !== 'Complete');
    round++
  ) {
    await world.reconcile().catch(() => undefined)
    world.kubelet.run()
    world.world.clock.advance(1000)
  }
  expect(world.restarted).toEqual(ALL)
  const hasNew = (pod: Pod): boolean => JSON.stringify(pod.spec).includes('config')
  expect(world.kubelet.pods().every(hasNew)).toBe(true)
  return calls
}
