import { expect, test } from '@jest/globals'
import { CONFIG_MAP, POD, STATEFUL_SET } from '../../../../operator/api/resource.ts'
import { KubeError } from '../../../../operator/kube/api.ts'
import { condition, pool } from '../../../fakes/operator.ts'
import { partition } from './roll-world.ts'
import { ALL, announced, BROKERS, CONTROLLERS, notes, POOLS, settled } from './step-world.ts'

test('a new cluster restarts nothing', async () => {
  const world = await settled()
  expect(world.restarted).toEqual([])
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

test('brokers that do not take their configuration are told', async () => {
  const world = await settled()
  world.failure = 'connection lost'
  await world.reconcile()
  expect(condition(world.stored, 'Ready')).toBe('Unknown BrokersUnreachable: connection lost')
})

test('a value that brokers refuse is told as long as they do, with the same words, and is the only one that waits', async () => {
  const world = await settled()
  world.brokerConfig.refused.add('message.max.bytes')
  world.change({ config: { 'message.max.bytes': 5, 'num.io.threads': 64 } })
  for (let run = 0; run < 8; run++) await world.reconcile()
  expect(world.config.get('num.io.threads')).toBe('64')
  const words = 'False ConfigRefused: message.max.bytes=5: not this one (INVALID_REQUEST)'
  expect(condition(world.stored, 'Ready')).toBe(words)
  await world.reconcile()
  expect(condition(world.stored, 'Ready')).toBe(words)
  expect(world.rollout?.plan?.[0]?.reasons).toEqual(['message.max.bytes=5'])
  expect(world.restarted).toEqual([])
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
  world.kubelet.trouble = ({ metadata }) => (metadata.name === 'orders-brokers-2' ? 'Unschedulable' : null)
  for (let round = 0; round < 30; round++) {
    await world.reconcile()
    world.kubelet.run()
    world.world.clock.advance(10_000)
  }
  expect(world.restarted).toEqual(['orders-brokers-2'])
  expect(condition(world.stored, 'RolloutUnblocked')).toContain('False Blocked')
  expect(condition(world.stored, 'Ready')).toContain('False')
  world.kubelet.turn('orders-brokers-2', null)
  await world.settle()
  expect(world.restarted).toEqual(['orders-brokers-2', ...CONTROLLERS, 'orders-brokers-0', 'orders-brokers-1'])
})

test('a pod that does not run is left alone while Kubernetes would make the same again', async () => {
  const world = await settled()
  world.kubelet.turn('orders-brokers-2', 'Unschedulable')
  world.kubelet.trouble = ({ metadata }) => (metadata.name === 'orders-brokers-2' ? 'Unschedulable' : null)
  world.api.intercept = (call) => {
    if (call === 'apply StatefulSet') throw new KubeError(422, 'Invalid', 'a webhook says no')
  }
  world.change({ config: { 'queued.max.requests': 3 } })
  for (let round = 0; round < 5; round++) {
    await world.reconcile()
    world.kubelet.run()
    world.world.clock.advance(10_000)
  }
  expect(world.restarted).toEqual([])
  const words = 'Kubernetes does not make new pods of StatefulSet orders-brokers as it is wanted yet'
  expect(world.rollout?.blockedBy).toContainEqual({ pod: 'orders-brokers-2', message: `orders-brokers-2: ${words}` })
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
