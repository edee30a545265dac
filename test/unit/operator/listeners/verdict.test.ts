import { expect, test } from '@jest/globals'
import { verdictOf } from '../../../../operator/listeners/verdict.ts'
import type { Ingress, RoutesSeen, TlsRoute } from '../../../../operator/listeners/verdict.ts'

const NOTHING: RoutesSeen = { ingresses: [], tlsRoutes: [], without: [], refused: [] }

type Parents = NonNullable<TlsRoute['status']>['parents']

function route(name: string, parents?: NonNullable<Parents>): TlsRoute {
  const base = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'TLSRoute', metadata: { name } }
  const spec = { parentRefs: [{ name: 'edge' }] }
  return { ...base, spec, ...(parents === undefined ? {} : { status: { parents } }) }
}

function told(type: string, status: string): NonNullable<Parents> {
  return [
    {
      parentRef: { name: 'edge' },
      conditions: [{ type, status, reason: 'NoMatchingListenerHostname', message: 'no' }],
    },
  ]
}

function ingress(name: string, ip?: string): Ingress {
  const status = ip === undefined ? {} : { loadBalancer: { ingress: [{ ip }] } }
  return { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name }, status }
}

test('without listeners that are reached by server names there is nothing to say', () => {
  expect(verdictOf(NOTHING)).toBeNull()
})

test('a TLSRoute that its Gateway does not accept is said in the words of that', () => {
  expect(verdictOf({ ...NOTHING, tlsRoutes: [route('a', told('Accepted', 'False'))] })).toEqual({
    type: 'RoutesAccepted',
    status: 'False',
    reason: 'NotAccepted',
    message: 'TLSRoute a: Gateway edge: NoMatchingListenerHostname: no',
  })
})

test('a TLSRoute whose Service cannot be found leads nowhere either', () => {
  expect(verdictOf({ ...NOTHING, tlsRoutes: [route('a', told('ResolvedRefs', 'False'))] })?.status).toBe('False')
})

test('a TLSRoute that nobody has taken is not known to lead anywhere', () => {
  const verdict = verdictOf({ ...NOTHING, tlsRoutes: [route('a', told('Accepted', 'True')), route('b')] })
  expect(verdict).toMatchObject({ status: 'Unknown', reason: 'AwaitingController' })
  expect(verdict?.message).toBe('TLSRoutes that no controller has taken: b; is there a Gateway edge?')
})

test('accepted routes, and what controllers tell of addresses', () => {
  const tlsRoutes = [route('a', told('Accepted', 'True'))]
  const seen = { ...NOTHING, tlsRoutes, ingresses: [ingress('a', '203.0.113.7'), ingress('b', '203.0.113.7')] }
  expect(verdictOf(seen)).toMatchObject({
    status: 'True',
    message: 'Ingresses (2) at 203.0.113.7; TLSRoutes (1) accepted',
  })
})

test('an Ingress whose controller tells no address is not held to be bad', () => {
  const verdict = verdictOf({ ...NOTHING, ingresses: [ingress('a')] })
  expect(verdict).toMatchObject({ status: 'True', message: 'Ingresses (1) made; their controller has told no address' })
})

test('where the Gateway API is not there, it is said for whom, and what to do', () => {
  const verdict = verdictOf({ ...NOTHING, without: ['external'] })
  expect(verdict).toMatchObject({ status: 'False', reason: 'GatewayApiMissing' })
  expect(verdict?.message).toMatch(/^listener external: .*install the Gateway API/)
})

test('of many that are refused some are named', () => {
  const verdict = verdictOf({ ...NOTHING, refused: ['a', 'b', 'c', 'd', 'e'] })
  expect(verdict).toMatchObject({ status: 'False', reason: 'RefusedByKubernetes', message: 'a; b; c; and 2 more' })
})
