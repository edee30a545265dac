import { expect, test } from '@jest/globals'
import type { Pod } from '../../../../operator/cluster/kubernetes.ts'
import type { ClusterView } from '../../../../operator/cluster/step.ts'
import { CertificateStep } from '../../../../operator/listeners/certificate-step.ts'
import { type CertificateAt, ShownCertificates } from '../../../../operator/listeners/shown.ts'
import type { Listener } from '../../../../operator/specs/external-services.ts'
import { SimClock } from '../../../fakes/clock.ts'
import { kafkaCluster, pool } from '../../../fakes/operator.ts'

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

function stepWith(certificateAt: CertificateAt) {
  const clock = new SimClock()
  const step = new CertificateStep({ shown: new ShownCertificates({ clock, certificateAt }) })
  const run = (pods: readonly Pod[], listeners: Listener[] = [SECURE]) => {
    const cluster = kafkaCluster({ listeners, pools: [pool({ replicas: 2 })] })
    return step.run({ cluster, observed: { pods }, nowMs: NOW_MS } as unknown as ClusterView)
  }
  return { clock, run }
}

const { run } = stepWith(() => Promise.reject(new Error('nobody listens')))

function ready(name: string, uid = name): Pod {
  const conditions = [{ type: 'Ready', status: 'True' }]
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, uid }, status: { conditions } }
}

const READY = [ready('orders-nodes-0'), ready('orders-nodes-1')]
const DAY_MS = 86_400_000

/** Brokers whose certificates are good for so many days, one after the other. */
function showing(...days: readonly number[]) {
  const asked: string[] = []
  const world = stepWith(async ({ host, port }) => {
    asked.push(`${host}:${port}`)
    const ordinal = Number(host.split('.')[0]?.at(-1))
    return { subject: `CN=${ordinal}`, notAfterMs: NOW_MS + (days[ordinal] ?? 0) * DAY_MS }
  })
  return { ...world, asked }
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

test('the certificate that expires first is told, once for all brokers', async () => {
  const { run: look, asked } = showing(90, 30)
  const { conditions } = await look(READY)
  expect(conditions?.[1]).toEqual({
    type: 'CertificatesValid',
    status: 'True',
    reason: 'Valid',
    message: 'the first expires at 2026-01-31T00:00:10Z: CN=1, which orders-nodes-1 shows on listener secure',
  })
  expect(asked).toEqual(['orders-nodes-0.orders-nodes.kafka.svc:9094', 'orders-nodes-1.orders-nodes.kafka.svc:9094'])
})

test('a certificate that has less than a week left is expiring', async () => {
  expect((await showing(7, 90).run(READY)).conditions?.[1]).toMatchObject({ status: 'True' })
  const { conditions } = await showing(6.9, 90).run(READY)
  expect(conditions?.[1]).toMatchObject({ status: 'False', reason: 'Expiring' })
  expect(conditions?.[1]?.message).toMatch(/^certificates expire on listener secure, the first at 2026-01-07T/)
})

test('brokers are not asked all the time, but when one has started anew, and when it was long ago', async () => {
  const { run: look, asked, clock } = showing(90, 90)
  await look(READY)
  await look(READY)
  expect(asked).toHaveLength(2)
  await look([ready('orders-nodes-0'), ready('orders-nodes-1', 'another')])
  expect(asked).toHaveLength(4)
  clock.advance(5 * 60_000)
  await look([ready('orders-nodes-0'), ready('orders-nodes-1', 'another')])
  expect(asked).toHaveLength(6)
})

test('what nobody shows is not told of', async () => {
  expect((await run(READY)).conditions?.map(({ type }) => type)).toEqual(['CertificatesPresent'])
})
