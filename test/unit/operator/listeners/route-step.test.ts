import { expect, test } from '@jest/globals'
import { KAFKA_CLUSTER } from '../../../../operator/api/resource.ts'
import type { Manifest, Resource } from '../../../../operator/api/resource.ts'
import type { ClusterView } from '../../../../operator/cluster/step.ts'
import { Applier } from '../../../../operator/kube/applier.ts'
import type { Marks } from '../../../../operator/kube/applier.ts'
import { KubeError } from '../../../../operator/kube/api.ts'
import { RouteStep } from '../../../../operator/listeners/route-step.ts'
import type { TlsRoute } from '../../../../operator/listeners/verdict.ts'
import type { Listener } from '../../../../operator/specs/external-services.ts'
import { INGRESS, tlsRouteType } from '../../../../operator/specs/routes.ts'
import type { FakeKube } from '../../../fakes/kube.ts'
import { kafkaCluster, operatorWorld, pool } from '../../../fakes/operator.ts'

const PLAIN: Listener = { name: 'plain', port: 9092, type: 'internal', tls: false }
const BY_INGRESS: Listener = {
  name: 'external',
  port: 9094,
  type: 'ingress',
  tls: true,
  certificate: { secretName: 'kafka-tls' },
  advertised: { host: 'broker-{nodeId}.example.org' },
  bootstrap: { enabled: true, host: 'kafka.example.org' },
}
const BY_ROUTE: Listener = { ...BY_INGRESS, type: 'tlsroute', gateway: { parentRefs: [{ name: 'edge' }] } }
const TLS_ROUTE = tlsRouteType('v1')
const MINUTE_MS = 60_000

/** `served`: the versions of TLSRoutes that there are. */
function routing(served: readonly string[] = ['v1']) {
  const world = operatorWorld()
  const calls: string[] = []
  const versions = new Set(served)
  const api = new Proxy(world.api, {
    get(target, method: keyof FakeKube) {
      const member = target[method] as unknown
      if (!['list', 'get', 'apply', 'delete'].includes(method)) return member
      return (type: { apiVersion: string; kind: string }, ...rest: unknown[]) => {
        calls.push(`${method} ${type.apiVersion} ${type.kind}`)
        const version = type.apiVersion.split('/')[1] ?? ''
        if (type.kind === 'TLSRoute' && !versions.has(version)) throw new KubeError(404, 'NotFound', 'no such kind')
        return (member as (...args: unknown[]) => unknown).call(target, type, ...rest)
      }
    },
  })
  const step = new RouteStep({ ...world, api })
  let marks: Marks = new Map()
  const run = async (listeners: Listener[], replicas = 1) => {
    const cluster = world.api.put(KAFKA_CLUSTER, kafkaCluster({ listeners, pools: [pool({ replicas })] }))
    const applier = new Applier({ before: marks }, { api })
    marks = applier.marks
    return step.run({ cluster, applier } as unknown as ClusterView)
  }
  const names = (type: typeof INGRESS) => world.api.all(type).map(({ metadata }) => metadata.name)
  /** What a Gateway's controller does. */
  const answer = (status: 'True' | 'False') => {
    for (const object of world.api.all(TLS_ROUTE) as TlsRoute[]) {
      const conditions = [{ type: 'Accepted', status, reason: 'R', message: 'm' }]
      world.api.put(TLS_ROUTE, {
        ...object,
        status: { parents: [{ parentRef: { name: 'edge' }, conditions }] },
      } as Resource)
    }
  }
  return { ...world, step, run, names, answer, calls, versions }
}

test('Ingresses come with their listener and their brokers, and go with them', async () => {
  const { run, names } = routing()
  expect(await run([BY_INGRESS], 2)).toMatchObject({ conditions: [{ type: 'RoutesAccepted', status: 'True' }] })
  expect(names(INGRESS)).toEqual(['orders-external-bootstrap', 'orders-external-0', 'orders-external-1'])
  await run([BY_INGRESS], 1)
  expect(names(INGRESS)).toEqual(['orders-external-bootstrap', 'orders-external-0'])
  expect(await run([PLAIN])).toEqual({})
  expect(names(INGRESS)).toEqual([])
})

test('where the type of a listener changes, routes of the other kind take the place of its own', async () => {
  const { run, names } = routing()
  await run([BY_INGRESS])
  await run([BY_ROUTE])
  expect([names(INGRESS).length, names(TLS_ROUTE).length]).toEqual([0, 2])
  await run([BY_INGRESS])
  expect([names(INGRESS).length, names(TLS_ROUTE).length]).toEqual([2, 0])
})

test('what is as it should be is not written again', async () => {
  const { run, api } = routing()
  await run([BY_INGRESS, { ...BY_ROUTE, name: 'other', port: 9095 }])
  api.writes.length = 0
  await run([BY_INGRESS, { ...BY_ROUTE, name: 'other', port: 9095 }])
  expect(api.writes).toEqual([])
})

test('what somebody has changed is changed back', async () => {
  const { run, api } = routing()
  await run([BY_INGRESS])
  const object = api.peek<Manifest>(INGRESS, 'kafka', 'orders-external-0')
  api.put(INGRESS, { ...object, spec: {} } as Manifest)
  await run([BY_INGRESS])
  expect(api.peek<Manifest>(INGRESS, 'kafka', 'orders-external-0')?.spec).toHaveProperty('rules')
})

test('TLSRoutes are looked at until their Gateway has accepted them', async () => {
  const { run, answer } = routing()
  expect(await run([BY_ROUTE])).toMatchObject({ conditions: [{ status: 'Unknown' }], requeueAfterMs: 10_000 })
  answer('False')
  expect(await run([BY_ROUTE])).toMatchObject({ conditions: [{ status: 'False', reason: 'NotAccepted' }] })
  answer('True')
  const accepted = await run([BY_ROUTE])
  expect(accepted.conditions).toMatchObject([{ status: 'True' }])
  expect(accepted).not.toHaveProperty('requeueAfterMs')
})

test('the newest version of TLSRoutes that there is is found, and found again when it has gone', async () => {
  const { run, names, calls, versions } = routing(['v1alpha2'])
  await run([BY_ROUTE])
  expect(names(TLS_ROUTE)).toHaveLength(2)
  expect(calls).toContain('apply gateway.networking.k8s.io/v1alpha2 TLSRoute')
  calls.length = 0
  await run([BY_ROUTE])
  expect(calls.filter((call) => call.startsWith('list'))).toEqual([
    'list networking.k8s.io/v1 Ingress',
    'list gateway.networking.k8s.io/v1alpha2 TLSRoute',
  ])
  versions.clear()
  versions.add('v1')
  calls.length = 0
  await run([BY_ROUTE])
  expect(calls.filter((call) => call.startsWith('apply'))).toEqual([
    'apply gateway.networking.k8s.io/v1 TLSRoute',
    'apply gateway.networking.k8s.io/v1 TLSRoute',
  ])
})

test('without the Gateway API a condition says so, nothing else is the matter, and it is seen when it comes', async () => {
  const { run, versions } = routing([])
  const without = await run([BY_ROUTE])
  expect(without.conditions).toMatchObject([{ status: 'False', reason: 'GatewayApiMissing' }])
  expect(without.health).toBeUndefined()
  versions.add('v1')
  expect(await run([BY_ROUTE])).toMatchObject({ conditions: [{ reason: 'AwaitingController' }] })
})

test('where nobody needs the Gateway API it is not looked for all the time', async () => {
  const { run, calls, clock } = routing([])
  await run([PLAIN])
  calls.length = 0
  await run([PLAIN])
  expect(calls.filter((call) => call.includes('TLSRoute'))).toEqual([])
  clock.advance(5 * MINUTE_MS)
  await run([PLAIN])
  expect(calls.filter((call) => call.includes('TLSRoute'))).toHaveLength(3)
})

test("somebody else's Ingress is left alone, and named", async () => {
  const { run, api } = routing()
  const metadata = { name: 'orders-external-0', namespace: 'kafka' }
  api.put<Manifest>(INGRESS, { apiVersion: INGRESS.apiVersion, kind: INGRESS.kind, metadata, spec: { x: 1 } })
  const { conditions } = await run([BY_INGRESS])
  expect(conditions).toMatchObject([
    { status: 'False', message: 'Ingress orders-external-0 is there already, and not of this KafkaCluster' },
  ])
  expect(api.peek(INGRESS, 'kafka', 'orders-external-0')).toMatchObject({ spec: { x: 1 } })
})

test('an operator without the rights to routes says so, where they are needed', async () => {
  const { run, api } = routing()
  api.intercept = (call) => {
    if (/Ingress|TLSRoute/.test(call)) throw new KubeError(403, 'Forbidden', 'no rights')
  }
  expect(await run([PLAIN])).toEqual({})
  expect((await run([BY_INGRESS])).conditions).toMatchObject([
    { status: 'False', reason: 'RefusedByKubernetes', message: 'Kubernetes refuses Ingresses: no rights' },
  ])
  expect((await run([BY_ROUTE])).conditions).toMatchObject([
    { status: 'False', message: 'Kubernetes refuses TLSRoutes: no rights' },
  ])
})

test('nothing of the cluster waits for a webhook that is down, and what fails is told where it is needed', async () => {
  const { run, api } = routing()
  api.intercept = (call) => {
    if (/apply Ingress|list TLSRoute/.test(call)) throw new KubeError(500, 'InternalError', 'failed calling webhook')
  }
  expect(await run([PLAIN])).toEqual({})
  const failed = await run([BY_INGRESS])
  expect(failed.conditions).toMatchObject([
    { status: 'False', message: 'Kubernetes fails at Ingresses: failed calling webhook' },
  ])
  expect(failed).toMatchObject({ requeueAfterMs: 10_000 })
  expect((await run([BY_ROUTE])).conditions).toMatchObject([
    { status: 'False', message: 'Kubernetes fails at TLSRoutes: failed calling webhook' },
  ])
})
