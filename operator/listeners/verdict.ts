import type { ExtraCondition } from '../api/conditions.ts'
import { firstOf } from '../api/first-of.ts'
import type { Resource } from '../api/resource.ts'

/** The fields of Kubernetes' own objects that are read here. */
export interface Ingress extends Resource {
  status?: { loadBalancer?: { ingress?: { ip?: string; hostname?: string }[] } }
}

export interface TlsRoute extends Resource {
  spec?: { parentRefs?: { name: string }[] }
  status?: {
    parents?: {
      parentRef: { name: string; sectionName?: string }
      conditions?: { type: string; status: string; reason?: string; message?: string }[]
    }[]
  }
}

/** What is known of what leads clients to listeners by server names. */
export interface RoutesSeen {
  readonly ingresses: readonly Ingress[]
  readonly tlsRoutes: readonly TlsRoute[]
  /** Listeners that need the Gateway API, which is not there. */
  readonly without: readonly string[]
  /** What could not be made, in words. */
  readonly refused: readonly string[]
}

/** Whether what leads clients to listeners by server names is there and has been accepted. */
const TYPE = 'RoutesAccepted'
/** What says of a TLSRoute, where it is False, that nobody is led anywhere by it (Gateway API). */
const NEEDED = ['Accepted', 'ResolvedRefs']

/** How many a message names. */
const NAMED_MAX = 3

/** Null where there is nothing to say: no listener is reached by server names. Pure. */
export function verdictOf({ ingresses, tlsRoutes, without, refused }: RoutesSeen): ExtraCondition | null {
  if (refused.length > 0) return condition('False', 'RefusedByKubernetes', firstOf(refused, NAMED_MAX))
  if (without.length > 0) {
    const what =
      'this Kubernetes has no TLSRoutes: install the Gateway API (gateway.networking.k8s.io), or change the type'
    return condition('False', 'GatewayApiMissing', `listener ${without.join(', ')}: ${what}`)
  }
  const rejected = tlsRoutes.flatMap(rejectionOf)
  if (rejected.length > 0) return condition('False', 'NotAccepted', firstOf(rejected, NAMED_MAX))
  const unseen = tlsRoutes.filter(({ status }) => (status?.parents ?? []).length === 0)
  if (unseen.length > 0) {
    const gateways = new Set(unseen.flatMap(({ spec }) => (spec?.parentRefs ?? []).map(({ name }) => name)))
    const all = unseen.map(({ metadata }) => metadata.name)
    const names = firstOf(all, NAMED_MAX, ', ')
    const message = `TLSRoutes that no controller has taken: ${names}; is there a Gateway ${[...gateways].join(', ')}?`
    return condition('Unknown', 'AwaitingController', message)
  }
  if (ingresses.length === 0 && tlsRoutes.length === 0) return null
  return condition('True', 'Accepted', [...toldOf(ingresses), ...acceptedOf(tlsRoutes)].join('; '))
}

/** Why a route leads nowhere, in the words of whoever looks after its Gateway. */
function rejectionOf({ metadata, status }: TlsRoute): string[] {
  return (status?.parents ?? []).flatMap(({ parentRef, conditions = [] }) =>
    conditions
      .filter((one) => NEEDED.includes(one.type) && one.status === 'False')
      .map(({ reason, message }) => `TLSRoute ${metadata.name}: Gateway ${parentRef.name}: ${reason}: ${message}`),
  )
}

/** Many controllers tell no address: that says nothing. */
function toldOf(ingresses: readonly Ingress[]): string[] {
  if (ingresses.length === 0) return []
  const addresses = ingresses.flatMap(({ status }) => status?.loadBalancer?.ingress ?? [])
  const known = [...new Set(addresses.flatMap(({ hostname, ip }) => hostname ?? ip ?? []))].sort()
  const where = known.length === 0 ? 'made; their controller has told no address' : `at ${known.join(', ')}`
  return [`Ingresses (${ingresses.length}) ${where}`]
}

function acceptedOf(routes: readonly TlsRoute[]): string[] {
  return routes.length === 0 ? [] : [`TLSRoutes (${routes.length}) accepted`]
}

function condition(status: ExtraCondition['status'], reason: string, message: string): ExtraCondition {
  return { type: TYPE, status, reason, message }
}
