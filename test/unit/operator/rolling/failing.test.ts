import { expect, test } from '@jest/globals'
import { POD } from '../../../../operator/api/resource.ts'
import type { ContainerStatus, Pod } from '../../../../operator/cluster/kubernetes.ts'
import { failureOf } from '../../../../operator/rolling/failing.ts'
import { nodeStates } from '../../../../operator/rolling/nodes.ts'
import { condition, kafkaCluster } from '../../../fakes/operator.ts'
import { CONTROLLERS, POOLS, settled } from './step-world.ts'

const NOW = Date.parse('2026-11-21T08:00:00Z')

function pod(status: Omit<ContainerStatus, 'name'>, change: Partial<Pod['metadata']> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: POD.kind,
    metadata: { name: 'orders-nodes-0', ...change },
    status: {
      conditions: [{ type: 'Ready', status: 'False' }],
      containerStatuses: [{ name: 'kafka', ready: false, ...status }],
    },
  }
}

/** It ended `agoMs` ago, having run for `ranMs`. */
function ended(agoMs: number, ranMs: number) {
  const [finishedAt, startedAt] = [NOW - agoMs, NOW - agoMs - ranMs].map((ms) => new Date(ms).toISOString())
  return { terminated: { exitCode: 1, reason: 'Error', startedAt, finishedAt } as { exitCode: number; reason: string } }
}

const CRASH = ended(30_000, 5000)

test.each<[string, Omit<ContainerStatus, 'name'>]>([
  ['waiting', { restartCount: 7, state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: CRASH }],
  ['running', { restartCount: 7, state: { running: {} }, lastState: CRASH }],
  ['ended', { restartCount: 7, state: CRASH, lastState: CRASH }],
])('a crash loop is failing through all of its attempts, in the same words: %s', (_, status) => {
  expect(failureOf(pod(status), NOW)).toBe('container kafka: CrashLoopBackOff; it ended with exit code 1 (Error)')
})

test.each<[string, Omit<ContainerStatus, 'name'>]>([
  ['its first crashes', { restartCount: 2, state: { running: {} }, lastState: CRASH }],
  ['one crash in weeks', { restartCount: 7, state: { running: {} }, lastState: ended(30_000, 1e9) }],
  [
    'one crash in weeks, which the kubelet waits for too',
    { restartCount: 7, state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: ended(5000, 1e9) },
  ],
  ['a log that is recovered for long', { restartCount: 7, state: { running: {} }, lastState: ended(700_000, 5000) }],
  ['its image is pulled', { state: { waiting: { reason: 'ContainerCreating' } } }],
])('what may come up by itself is not: %s', (_, status) => {
  expect(failureOf(pod(status), NOW)).toBeNull()
})

test.each(['ErrImagePull', 'ImagePullBackOff'])('an image that cannot be had is: %s', (reason) => {
  expect(failureOf(pod({ state: { waiting: { reason } } }), NOW)).toBe(`container kafka: ${reason}`)
})

test.each([
  ['somebody', 'now', true],
  ['the operator', 'its place has changed: rack a -> b', false],
])('a pod that starts is restarted where %s asks for it: %j', (_, value, isForced) => {
  const one = pod({ state: { running: {} } }, { annotations: { 'kafka.ottla.dev/restart': value } })
  const observed = { pods: [one], claims: [], statefulSets: new Map(), configMaps: [] }
  const view = { cluster: kafkaCluster(), observed, plan: { manifests: [] }, nowMs: NOW }
  const [state] = nodeStates(view as unknown as Parameters<typeof nodeStates>[0], new Map())
  expect(state).toMatchObject({ phase: 'starting', isForced })
})

test('a pod that cannot be made ends the roll, and it is said where to look', async () => {
  const world = await settled()
  world.isOneOperator = true
  world.kubelet.isRefused = ({ spec }) => JSON.stringify(spec.template).includes('typo')
  world.change({ pools: POOLS.map((one) => ({ ...one, template: { priorityClassName: 'typo' } })) })
  for (let round = 0; round < 10; round++) {
    await world.reconcile()
    world.kubelet.run()
    world.world.clock.advance(10_000)
    if (round === 5) expect(world.rollout?.state).toBe('Rolling')
  }
  for (let round = 0; round < 5; round++) {
    await world.reconcile()
    world.world.clock.advance(10_000)
  }
  expect(world.restarted).toEqual([CONTROLLERS[0]])
  expect(condition(world.stored, 'RolloutUnblocked')).toContain('False Failed')
  expect(condition(world.stored, 'Stalled')).toContain(
    'RolloutFailed: orders-controllers-1: Kubernetes makes no pod of it, and "kubectl --namespace kafka describe statefulset orders-controllers" says why',
  )
  world.change({ pools: POOLS })
  await world.settle()
  expect(world.restarted).toEqual([CONTROLLERS[0]])
  expect(condition(world.stored, 'Ready')).toContain('True Ready')
})

test('the last pod of a roll too', async () => {
  const world = await settled()
  world.isOneOperator = true
  world.kubelet.isRefused = () => true
  world.api.remove(POD, 'kafka', 'orders-brokers-2')
  await world.reconcile()
  world.world.clock.advance(200_000)
  await world.reconcile()
  expect(condition(world.stored, 'Stalled')).toContain('PodsFailing: orders-brokers-2: Kubernetes makes no pod of it')
})
