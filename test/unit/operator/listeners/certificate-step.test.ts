import { expect, test } from '@jest/globals'
import type { Pod } from '../../../../operator/cluster/kubernetes.ts'
import type { ClusterView } from '../../../../operator/cluster/step.ts'
import { CertificateStep } from '../../../../operator/listeners/certificate-step.ts'
import type { Listener } from '../../../../operator/specs/external-services.ts'
import { kafkaCluster } from '../../../fakes/operator.ts'

const NOW_MS = Date.parse('2026-01-01T00:00:10Z')
const SECURE: Listener = {
  name: 'secure',
  port: 9094,
  type: 'internal',
  tls: true,
  certificate: { secretName: 'kafka-tls' },
}

function pod(name: string, container: string, startedAt: string): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    status: { initContainerStatuses: [{ name: container, ready: false, state: { running: { startedAt } } }] },
  }
}

function run(pods: readonly Pod[], listeners: Listener[] = [SECURE]) {
  const view = { cluster: kafkaCluster({ listeners }), observed: { pods }, nowMs: NOW_MS }
  return new CertificateStep().run(view as unknown as ClusterView)
}

test('a Secret that pods wait for is named, with the listener and the pods', async () => {
  const since = '2026-01-01T00:00:00Z'
  const pods = [pod('b', 'certificate-secure', since), pod('a', 'certificate-secure', since), pod('c', 'place', since)]
  expect(await run(pods)).toEqual({
    conditions: [
      {
        type: 'CertificatesPresent',
        status: 'False',
        reason: 'Missing',
        message: 'not there, or without tls.crt and tls.key: listener secure: Secret kafka-tls, for which a, b wait',
      },
    ],
    requeueAfterMs: 5000,
  })
})

test('a pod that has just begun to look is looked at again', async () => {
  const { conditions, requeueAfterMs } = await run([pod('a', 'certificate-secure', '2026-01-01T00:00:08Z')])
  expect([conditions?.[0]?.status, requeueAfterMs]).toEqual(['True', 5000])
})

test('without TLS there is nothing to say', async () => {
  const { certificate: _, ...plain } = SECURE
  expect(await run([], [{ ...plain, tls: false }])).toEqual({})
})
