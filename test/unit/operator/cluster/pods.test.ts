import { expect, test } from '@jest/globals'
import { isPodReady, podTrouble } from '../../../../operator/cluster/kubernetes.ts'
import type { Pod } from '../../../../operator/cluster/kubernetes.ts'
import type { Observed } from '../../../../operator/cluster/observe.ts'
import { healthOf } from '../../../../operator/cluster/status.ts'
import { kafkaCluster, pool } from '../../../fakes/operator.ts'

function pod(status: Pod['status'], deletionTimestamp?: string): Pod {
  const metadata = { name: 'p', ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }) }
  return { apiVersion: 'v1', kind: 'Pod', metadata, ...(status === undefined ? {} : { status }) }
}

test.each<[string, Pod['status'], string]>([
  [
    'an image that is not there',
    {
      containerStatuses: [
        { name: 'kafka', state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } },
      ],
    },
    'container kafka: ImagePullBackOff: no such image',
  ],
  [
    'a crash',
    {
      containerStatuses: [
        {
          name: 'kafka',
          state: { waiting: { reason: 'CrashLoopBackOff' } },
          lastState: { terminated: { reason: 'Error', exitCode: 1 } },
        },
      ],
    },
    'container kafka: CrashLoopBackOff; it ended with exit code 1 (Error)',
  ],
  [
    'a failed format',
    {
      initContainerStatuses: [{ name: 'format', state: { terminated: { reason: 'Error', exitCode: 3 } } }],
      containerStatuses: [{ name: 'kafka', state: { waiting: { reason: 'PodInitializing' } } }],
    },
    'container format ended with exit code 3 (Error)',
  ],
  [
    'no room',
    { conditions: [{ type: 'PodScheduled', status: 'False', message: '0/3 nodes are available' }] },
    'not scheduled: 0/3 nodes are available',
  ],
  [
    'a probe',
    { phase: 'Running', containerStatuses: [{ name: 'kafka', ready: false, state: {} }] },
    'container kafka is not ready yet',
  ],
  ['nothing yet', undefined, 'pending'],
])('it says what is the matter: %s', (_, status, words) => {
  expect(podTrouble(pod(status))).toBe(words)
})

test('a pod that is being deleted is not ready, whatever its conditions say', () => {
  const conditions = [{ type: 'Ready', status: 'True' }]
  expect(isPodReady(pod({ conditions }))).toBe(true)
  expect(isPodReady(pod({ conditions }, '2026-01-01T00:00:00Z'))).toBe(false)
})

test('of a hundred pods in trouble a message names some', () => {
  const cluster = kafkaCluster({ pools: [pool({ replicas: 100 })] })
  const observed = { pods: [] } as unknown as Observed
  const { message } = healthOf({ cluster, clusterId: '', observed, kafka: { error: 'nobody' } })
  expect(message).toMatch(/^orders-nodes-0: not created yet; orders-nodes-1.*; and 90 more$/)
})
