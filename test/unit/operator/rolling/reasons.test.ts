import { expect, test } from '@jest/globals'
import { CONFIG_MAP, PERSISTENT_VOLUME_CLAIM, POD } from '../../../../operator/api/resource.ts'
import type { ConfigMap, PersistentVolumeClaim, Pod, PodTemplate } from '../../../../operator/cluster/kubernetes.ts'
import { isMisled, restartHold, restartReasons } from '../../../../operator/rolling/reasons.ts'
import type { Wanted } from '../../../../operator/rolling/reasons.ts'
import { pool } from '../../../fakes/operator.ts'
import { POOLS, RollWorld } from './step-world.ts'

const NOW = Date.parse('2026-11-21T08:00:00Z')

function template(config: string, change: { image?: string; parts?: string } = {}): PodTemplate {
  const { image = 'ottla:1', parts = 'metadata=1,pod=2,resources=3' } = change
  return {
    metadata: { annotations: { 'kafka.ottla.dev/template': parts } },
    spec: { containers: [{ name: 'kafka', image }], volumes: [{ name: 'config', configMap: { name: config } }] },
  }
}

function podOf({ metadata, spec }: PodTemplate): Pod {
  return { apiVersion: 'v1', kind: POD.kind, metadata: { ...metadata, name: 'orders-0' }, spec: spec ?? {} }
}

function configMap(name: string, properties: string): [string, ConfigMap] {
  const head = { apiVersion: CONFIG_MAP.apiVersion, kind: CONFIG_MAP.kind, metadata: { name } }
  return [name, { ...head, data: { 'orders-0.properties': properties, 'orders-1.properties': 'a=9\n' } }]
}

function wanted(change: Partial<Wanted> = {}): Wanted {
  const made = template('new')
  const configMaps = new Map([configMap('new', 'a=1\nb=2\n')])
  return { template: made, live: made, configMaps, claims: [], isFormed: true, ...change }
}

test('a pod that would be made the same now has no reason', () => {
  expect(restartReasons(podOf(template('new')), wanted(), NOW)).toEqual([])
})

test.each([
  ['a=1\nb=2\n', []],
  ['a=1\nb=3\nc=4\n', ['config: b, c']],
  ['a=1\nb=2\ncontroller.quorum.bootstrap.servers=x\n', []],
])('keys that differ are named, but for what only a node that begins reads: %j', (old, reasons) => {
  const configMaps = new Map([...wanted().configMaps, configMap('old', old)])
  expect(restartReasons(podOf(template('old')), wanted({ configMaps }), NOW)).toEqual(reasons)
})

test('before there is a quorum, pods that ask others for it are to ask the right ones, and can be replaced at once', () => {
  const old = configMap('old', 'a=1\nb=2\ncontroller.quorum.bootstrap.servers=x\n')
  const configMaps = new Map([...wanted().configMaps, old])
  const pod = podOf(template('old'))
  const beginning = wanted({ configMaps, isFormed: false })
  expect(restartReasons(pod, beginning, NOW)).toEqual(['config: controller.quorum.bootstrap.servers'])
  expect(isMisled(pod, beginning)).toBe(true)
  expect(isMisled(pod, wanted({ configMaps }))).toBe(false)
  expect(isMisled(podOf(template('new')), beginning)).toBe(false)
})

test('a pod whose configuration is gone cannot be trusted to start again', () => {
  expect(restartReasons(podOf(template('old')), wanted(), NOW)).toEqual(['config: ConfigMap old is gone'])
})

test('all reasons are given', () => {
  const pod = podOf(template('new', { image: 'ottla:0', parts: 'metadata=1,pod=9,resources=8' }))
  pod.metadata.annotations = { ...pod.metadata.annotations, 'kafka.ottla.dev/restart': 'why not' }
  expect(restartReasons(pod, wanted(), NOW)).toEqual([
    'asked for at the pod: why not',
    'image ottla:0 -> ottla:1',
    'pod template: pod, resources',
  ])
})

function claim(status: PersistentVolumeClaim['status']): PersistentVolumeClaim {
  return {
    apiVersion: 'v1',
    kind: PERSISTENT_VOLUME_CLAIM.kind,
    metadata: { name: 'data-0-orders-0' },
    ...(status === undefined ? {} : { status }),
  }
}

const pendingSince = (lastTransitionTime: string) => ({
  conditions: [{ type: 'FileSystemResizePending', status: 'True', lastTransitionTime }],
})
const REASON = 'volume claim data-0-orders-0 can only grow while it is not in use'
const HOLD = 'volume claim data-0-orders-0 is being resized'

test.each<[string, PersistentVolumeClaim['status'], string[], string | null]>([
  ['nothing', {}, [], null],
  ['the volume grows', { conditions: [{ type: 'Resizing', status: 'True' }] }, [], HOLD],
  ['the file system is to grow while it is in use', pendingSince('2026-11-21T07:59:00Z'), [], HOLD],
  ['the driver cannot do that while it is in use', pendingSince('2026-11-21T07:00:00Z'), [REASON], null],
  [
    'it will never grow',
    {
      conditions: [{ type: 'Resizing', status: 'True' }],
      allocatedResourceStatuses: { storage: 'ControllerResizeInfeasible' },
    },
    [],
    null,
  ],
])('a volume: %s', (_, status, reasons, hold) => {
  const claims = [claim(status)]
  expect(restartReasons(podOf(template('new')), wanted({ claims }), NOW)).toEqual(reasons)
  expect(restartHold(claims, NOW)).toBe(hold)
})

test('a volume is that of one pod, also where the names of others end as its own', async () => {
  const named = POOLS.map((one) => (one.name === 'brokers' ? { ...one, replicas: 2 } : one))
  const pools = [...named, pool({ name: 'orders-brokers', roles: ['broker'] })]
  const world = new RollWorld({ pools })
  await world.settle()
  const name = 'data-0-orders-orders-brokers-0'
  const labels = { 'kafka.ottla.dev/cluster': 'orders' }
  const waits = { type: 'FileSystemResizePending', status: 'True', lastTransitionTime: '2020-01-01T00:00:00Z' }
  world.api.put<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIM, {
    apiVersion: 'v1',
    kind: PERSISTENT_VOLUME_CLAIM.kind,
    metadata: { name, namespace: 'kafka', labels },
    status: { conditions: [waits] },
  })
  await world.reconcile()
  const reasons = [`volume claim ${name} can only grow while it is not in use`]
  expect(world.rollout?.plan).toEqual([{ pod: 'orders-orders-brokers-0', reasons, how: 'restart' }])
})
