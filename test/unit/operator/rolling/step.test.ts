import { expect, test } from '@jest/globals'
import { CONFIG_MAP, EVENT, POD, POD_DISRUPTION_BUDGET, STATEFUL_SET } from '../../../../operator/api/resource.ts'
import type { Manifest, Resource } from '../../../../operator/api/resource.ts'
import type { Pod, StatefulSet } from '../../../../operator/cluster/kubernetes.ts'
import type { Configured } from '../../../../operator/cluster/reconcile.ts'
import { KubeError } from '../../../../operator/kube/api.ts'
import { condition, pool } from '../../../fakes/operator.ts'
import { partition } from './roll-world.ts'
import { POOLS, RollWorld } from './step-world.ts'

const CONTROLLERS = ['orders-controllers-1', 'orders-controllers-2', 'orders-controllers-0']
const BROKERS = ['orders-brokers-0', 'orders-brokers-1', 'orders-brokers-2']
const ALL = [...CONTROLLERS, ...BROKERS]

/** A cluster that is up, and as it was asked for. */
async function settled(change: ConstructorParameters<typeof RollWorld>[0] = {}): Promise<RollWorld> {
  const world = new RollWorld(change)
  await world.settle()
  expect(condition(world.stored, 'Ready')).toBe('True Ready: 6 of 6 nodes are ready')
  expect(world.restarted).toEqual([])
  return world
}

/** A change has been made, and has been told in the status; nothing has been restarted yet. */
async function announced(world: RollWorld, change: Parameters<RollWorld['change']>[0]): Promise<void> {
  world.change(change)
  await world.reconcile()
  world.kubelet.run()
}

function notes(world: RollWorld): string[] {
  return (world.api.all(EVENT) as (Resource & { note: string })[]).map(({ note }) => note)
}

test('a new cluster restarts nothing', async () => {
  const world = await settled()
  expect(world.rollout).toEqual({ state: 'Complete', message: 'every pod is as wanted' })
  expect(condition(world.stored, 'UpToDate')).toContain('True Complete')
  expect(world.stored.status).toMatchObject({ version: '4.3', metadataVersion: '4.3-IV0' })
})

test('what brokers take on while they run restarts none', async () => {
  const world = await settled()
  world.change({ config: { 'message.max.bytes': 2_000_000 } })
  await world.reconcile()
  const reasons = ['message.max.bytes=2000000']
  expect(world.rollout?.plan).toEqual(BROKERS.map((name) => ({ pod: name, reasons, how: 'dynamic' })))
  expect(world.config.has('message.max.bytes')).toBe(false)
  await world.settle()
  expect(world.config).toEqual(
    new Map([
      ['message.max.bytes', '2000000'],
      ['min.insync.replicas', '2'],
    ]),
  )
  expect(notes(world)).toContain('changed without a restart: message.max.bytes=2000000')
  expect(world.restarted).toEqual([])
})

test.each<[Configured, string]>([
  [{ refusal: 'no such value (INVALID_CONFIG)' }, 'False ConfigRefused: no such value (INVALID_CONFIG)'],
  [{ error: 'connection lost' }, 'Unknown BrokersUnreachable: connection lost'],
])('a configuration that brokers do not take is said: %j', async (refused, words) => {
  const world = await settled()
  world.refused = refused
  await world.reconcile()
  expect(condition(world.stored, 'Ready')).toBe(words)
})

test('what they do not restarts every pod once, controllers first, the active one last', async () => {
  const world = await settled()
  world.change({ config: { 'queued.max.requests': 5 } })
  await world.settle()
  expect(world.restarted).toEqual(ALL)
  expect(notes(world)).toContain('orders-brokers-1 is restarted: config: queued.max.requests')
  expect(condition(world.stored, 'Ready')).toContain('True Ready')
  const configs = world.api.all(CONFIG_MAP).map(({ metadata }) => metadata.name)
  expect(configs).toHaveLength(2)
})

test('it is in the status before it happens', async () => {
  const world = await settled()
  await announced(world, { config: { 'queued.max.requests': 5 } })
  expect(world.restarted).toEqual([])
  const reasons = ['config: queued.max.requests']
  expect(world.rollout?.plan).toEqual(ALL.map((name) => ({ pod: name, reasons, how: 'restart' })))
  await world.reconcile()
  expect(world.restarted).toEqual([CONTROLLERS[0]])
})

test('the next pod goes when the one before has its replicas in sync', async () => {
  const world = await settled({ pools: POOLS })
  world.change({ config: { 'queued.max.requests': 5 } })
  world.onLook = () => {
    if (world.restarted.includes('orders-brokers-0')) world.behind.add('orders-brokers-0')
  }
  await world.settle(20)
  expect(world.restarted).toEqual([...CONTROLLERS, 'orders-brokers-0'])
  expect(world.rollout?.blockedBy?.[0]).toMatchObject({ topic: 'orders', partition: 0, isr: [1001, 1002], minIsr: 2 })
  expect(condition(world.stored, 'Ready')).toContain('False RollingUpdate')
  world.onLook = () => {}
  world.behind.clear()
  await world.settle()
  expect(world.restarted).toEqual(ALL)
})

test('a broker that is down blocks the roll, which goes on by itself when it is back', async () => {
  const world = await settled()
  world.kubelet.turn('orders-brokers-2', 'Unschedulable')
  world.change({ config: { 'queued.max.requests': 3 } })
  // It has nothing to restart for.
  const set = world.api.peek<StatefulSet>(STATEFUL_SET, 'kafka', 'orders-brokers')
  expect(set).not.toBeNull()
  world.kubelet.trouble = ({ metadata }) => (metadata.name === 'orders-brokers-2' ? 'Unschedulable' : null)
  for (let round = 0; round < 200; round++) {
    await world.reconcile()
    world.kubelet.run()
    world.world.clock.advance(1000)
  }
  expect(world.restarted).toEqual(['orders-brokers-2'])
  expect(condition(world.stored, 'RolloutUnblocked')).toContain('False Blocked')
  expect(condition(world.stored, 'Ready')).toContain('False')
  world.kubelet.turn('orders-brokers-2', null)
  await world.settle()
  expect(world.restarted).toEqual(['orders-brokers-2', ...CONTROLLERS, 'orders-brokers-0', 'orders-brokers-1'])
})

test('another version is another image; metadata.version follows once every node has it', async () => {
  const world = new RollWorld({ version: '4.2' })
  world.metadataVersion = 29
  await world.settle()
  expect(world.stored.status).toMatchObject({ version: '4.2', metadataVersion: '4.2-IV1' })
  world.change({ version: '4.3' })
  await world.settle(5)
  expect(world.stored.status?.version).toBe('4.2')
  expect(world.asked.filter((call) => call.startsWith('metadata'))).toEqual([])
  await world.settle()
  expect(world.restarted).toEqual(ALL)
  expect(notes(world)).toContain('orders-brokers-0 is restarted: image ottla:2 -> ottla:3')
  expect(world.asked.filter((call) => call.startsWith('metadata'))).toEqual(['metadata.version 29 -> 30'])
  expect(world.stored.status).toMatchObject({ version: '4.3', metadataVersion: '4.3-IV0' })
})

test('metadata.version is lowered before an image that lacks it', async () => {
  const world = await settled()
  world.change({ version: '4.2' })
  await world.reconcile()
  expect(world.asked).toContain('metadata.version 30 -> 29 lower')
  const set = world.api.peek<StatefulSet>(STATEFUL_SET, 'kafka', 'orders-brokers')
  expect(JSON.stringify(set?.spec.template)).toContain('ottla:3')
  await world.settle()
  expect(world.restarted).toEqual(ALL)
  expect(world.stored.status).toMatchObject({ version: '4.2', metadataVersion: '4.2-IV1' })
})

test('spec.metadataVersion holds it', async () => {
  const world = new RollWorld({ metadataVersion: '4.1' })
  world.metadataVersion = 27
  await world.settle()
  expect(world.stored.status?.metadataVersion).toBe('4.1-IV1')
  expect(world.asked.filter((call) => call.startsWith('metadata'))).toEqual([])
  world.change({ metadataVersion: '4.2-IV0' })
  await world.settle()
  expect(world.stored.status?.metadataVersion).toBe('4.2-IV0')
})

test.each([
  [{ version: '9.9' }, 'UnknownVersion: spec.version 9.9 of distribution bundled: the operator has images of 4.3, 4.2'],
  [{ metadataVersion: '9.9' }, "InvalidSpec: spec.metadataVersion 9.9 is none of Kafka's"],
  [{ version: '4.2', metadataVersion: '4.3' }, 'InvalidSpec: spec.metadataVersion 4.3 is above spec.version 4.2'],
])('a version that cannot be had is said: %j', async (change, words) => {
  const world = await settled()
  world.change(change)
  await world.reconcile()
  expect(condition(world.stored, 'Stalled')).toContain(words)
  expect(world.restarted).toEqual([])
})

test('a new image that does not start stops the roll at the first pod, and the old version comes back when it is asked for', async () => {
  const world = await settled()
  world.kubelet.trouble = ({ spec }) => (JSON.stringify(spec).includes('ottla:bad') ? 'CrashLoopBackOff' : null)
  world.images = new Map([['4.3', 'ottla:bad']])
  await world.settle(20)
  expect(world.restarted).toEqual([CONTROLLERS[0]])
  expect(world.rollout?.state).toBe('Failed')
  expect(condition(world.stored, 'Stalled')).toContain(
    'RolloutFailed: orders-controllers-1: container kafka: CrashLoopBackOff',
  )
  world.images = new Map([['4.3', 'ottla:3']])
  await world.settle()
  expect(world.restarted).toEqual([CONTROLLERS[0], CONTROLLERS[0]])
  expect(condition(world.stored, 'Ready')).toContain('True Ready')
})

test('an annotation on the KafkaCluster restarts every pod, once for each value', async () => {
  const world = await settled()
  world.change({}, { 'kafka.ottla.dev/restart': 'monday' })
  await world.settle()
  expect(world.restarted).toEqual(ALL)
  expect(notes(world)).toContain('orders-brokers-0 is restarted: asked for: monday')
  world.change({}, {})
  await world.settle()
  expect(world.restarted).toEqual(ALL)
  world.change({}, { 'kafka.ottla.dev/restart': 'tuesday' })
  await world.settle()
  expect(world.restarted).toEqual([...ALL, ...ALL])
})

test('an annotation on a pod restarts that pod', async () => {
  const world = await settled()
  await world.api.patch(POD, 'kafka', 'orders-brokers-1', {
    metadata: { annotations: { 'kafka.ottla.dev/restart': 'now' } },
  })
  await world.reconcile()
  expect(world.restarted).toEqual([])
  expect(world.rollout?.plan).toHaveLength(1)
  await world.settle()
  expect(world.restarted).toEqual(['orders-brokers-1'])
  expect(notes(world)).toContain('orders-brokers-1 is restarted: asked for at the pod: now')
})

test('kubectl rollout restart is done by plan too', async () => {
  const world = await settled()
  const annotations = { 'kubectl.kubernetes.io/restartedAt': '2026-11-21T08:00:00Z' }
  const spec = { template: { metadata: { annotations } } }
  await world.api.patch(STATEFUL_SET, 'kafka', 'orders-brokers', { spec })
  await world.settle()
  expect(world.restarted).toEqual(BROKERS)
  expect(notes(world)).toContain('orders-brokers-2 is restarted: kubectl rollout restart at 2026-11-21T08:00:00Z')
})

test('a new controller is no reason to restart anything', async () => {
  const world = await settled()
  const [controllers = pool(), brokers = pool()] = POOLS
  world.change({ pools: [{ ...controllers, replicas: 5 }, brokers] })
  for (let round = 0; round < 10; round++) {
    await world.reconcile()
    world.kubelet.run()
  }
  expect(world.kubelet.pods()).toHaveLength(8)
  expect(world.restarted).toEqual([])
  expect(world.rollout?.plan).toBeUndefined()
})

test('other resources of one pool restart that pool', async () => {
  const world = await settled()
  const [controllers = pool(), brokers = pool()] = POOLS
  world.change({ pools: [controllers, { ...brokers, resources: { limits: { memory: '2Gi' } } }] })
  await world.settle()
  expect(world.restarted).toEqual(BROKERS)
  expect(notes(world)).toContain('orders-brokers-0 is restarted: pod template: resources')
})

test('when the brokers cannot be asked nothing is restarted', async () => {
  const world = await settled()
  world.change({ config: { 'queued.max.requests': 5 } })
  world.silence = 'connection refused'
  await world.settle(20)
  expect(world.restarted).toEqual([])
  expect(world.rollout?.blockedBy?.[0]?.message).toContain('connection refused')
  expect(condition(world.stored, 'Ready')).toContain('Unknown BrokersUnreachable')
})

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

test('paused and outside of its windows nothing is restarted, the plan is shown, and the cluster is as well as it is', async () => {
  const world = await settled()
  world.change({ config: { 'queued.max.requests': 5 }, rolling: { maxUnavailable: 1, paused: true } })
  await world.settle(10)
  expect(world.rollout).toMatchObject({ state: 'Paused', message: 'spec.rolling.paused is true: nothing is restarted' })
  expect(world.rollout?.plan).toHaveLength(6)
  expect(condition(world.stored, 'Ready')).toContain('True')
  expect(condition(world.stored, 'UpToDate')).toContain('False Paused')
  // 14 November 2023, a Tuesday, 22:13.
  world.change({ rolling: { maxUnavailable: 1, windows: ['Sat 02:00-06:00'], paused: false } })
  await world.settle(10)
  expect(world.rollout?.message).toBe(
    'restarts wait for spec.rolling.windows (Sat 02:00-06:00, UTC), next 2023-11-18T02:00Z',
  )
  expect(world.restarted).toEqual([])
  world.change({ rolling: { maxUnavailable: 1, windows: ['Tue 22:00-02:00'], paused: false } })
  await world.settle()
  expect(world.restarted).toEqual(ALL)
})

test('a partition that cannot be kept is named before its broker goes', async () => {
  const world = await settled()
  world.partitions = [partition([1000], { minIsr: 1, topic: 'single' })]
  await world.api.patch(POD, 'kafka', 'orders-brokers-0', {
    metadata: { annotations: { 'kafka.ottla.dev/restart': 'x' } },
  })
  await world.settle()
  expect(notes(world).find((note) => note.startsWith('orders-brokers-0 is restarted'))).toContain(
    'cannot be written meanwhile: single-0',
  )
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

test('a pod that does not run with a configuration that is wrong is replaced when it is put right, all at once', async () => {
  const world = await settled()
  world.silence = 'nobody'
  for (const name of ALL) world.kubelet.turn(name, 'CrashLoopBackOff')
  world.change({ config: { 'queued.max.requests': 5 } })
  await world.reconcile()
  world.kubelet.run()
  await world.reconcile()
  await world.reconcile()
  expect(world.restarted.toSorted()).toEqual(ALL.toSorted())
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
