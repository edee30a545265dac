import type { KafkaCluster } from '../api/resource.ts'
import {
  bootstrapName,
  brokerServiceName,
  externalListeners,
  forNode,
  isRouted,
  overridesOf,
} from '../specs/external-services.ts'
import type { Listener } from '../specs/external-services.ts'
import type { Node } from '../specs/nodes.ts'
import type { KubeNode, Seen, Service } from './seen.ts'

/** `host:port` that clients outside of Kubernetes use, or what has to happen before it is known, in words. */
export type Located = { readonly address: string } | { readonly waitsFor: string }

/** Of HTTPS: where Ingress controllers and Gateways listen. */
const ROUTED_PORT = 443
/** Public addresses first: that is what a node port is for. */
const ADDRESS_TYPES = ['ExternalDNS', 'ExternalIP', 'InternalDNS', 'InternalIP', 'Hostname'] as const

/** What the broker `node`, whose pod is on the Kubernetes node `nodeName`, advertises for `listener`. Pure. */
export function brokerAddress(
  cluster: KafkaCluster,
  listener: Listener,
  node: Node,
  nodeName: string,
  seen: Seen,
): Located {
  const own = overridesOf(listener, node.nodeId)
  const template = listener.advertised?.host
  const name = brokerServiceName(cluster, listener, node.nodeId)
  const service = seen.services.get(name)
  const host =
    own?.host ??
    (template === undefined ? hostOf(listener, name, service, nodeName, seen) : forNode(template, node.nodeId))
  const port = own?.port ?? listener.advertised?.port ?? portOf(listener, name, service)
  return join(host, port)
}

/** What status.listeners tells of `listener`; the addresses of brokers where it has no Service of its own to begin with. */
export function bootstrapAddress(
  cluster: KafkaCluster,
  listener: Listener,
  seen: Seen,
  brokers: readonly Located[],
): Located {
  if (listener.bootstrap?.enabled === false) {
    const known = brokers.flatMap((broker) => ('address' in broker ? [broker.address] : []))
    return known.length === 0 ? { waitsFor: 'the address of a broker' } : { address: known.join(',') }
  }
  const name = bootstrapName(cluster, listener)
  const service = seen.services.get(name)
  const port = isRouted(listener) ? (listener.advertised?.port ?? ROUTED_PORT) : portOf(listener, name, service)
  if (listener.bootstrap?.host !== undefined) return join(listener.bootstrap.host, port)
  if (isRouted(listener)) return NAMELESS
  if (listener.type !== 'nodeport') return join(balancerHost(name, service), port)
  const hosts = [...new Set([...seen.nodes.values()].flatMap((node) => addressOf(node, listener) ?? []))].sort()
  const all = hosts.map((host) => join(host, port))
  const known = all.flatMap((located) => ('address' in located ? [located.address] : []))
  if (known.length > 0) return { address: known.join(',') }
  return all[0] ?? { waitsFor: 'a Kubernetes node with a broker' }
}

/**
 * advertised.listeners of a broker: as in its server.properties (`configured`), but for the listeners in `external`, which clients outside
 * of Kubernetes use.
 */
export function advertisedListeners(
  cluster: KafkaCluster,
  configured: string,
  external: ReadonlyMap<string, string>,
): string {
  const outside = new Map(
    externalListeners(cluster).flatMap(({ name }) => {
      const address = external.get(name)
      return address === undefined ? [] : [[name.toUpperCase(), address] as const]
    }),
  )
  return configured
    .split(',')
    .map((entry) => {
      const [name = ''] = entry.split('://')
      return `${name}://${outside.get(name) ?? entry.slice(name.length + 3)}`
    })
    .join(',')
}

/** Admission refuses it. */
const NAMELESS = { waitsFor: 'advertised.host and bootstrap.host in the spec' }

type Part<T> = T | { readonly waitsFor: string }

function hostOf(
  listener: Listener,
  name: string,
  service: Service | undefined,
  nodeName: string,
  { nodes }: Seen,
): Part<string> {
  if (isRouted(listener)) return NAMELESS
  if (listener.type !== 'nodeport') return balancerHost(name, service)
  const node = nodes.get(nodeName)
  const address = node === undefined ? undefined : addressOf(node, listener)
  return address ?? { waitsFor: `Kubernetes node ${nodeName} has no address` }
}

function addressOf(node: KubeNode, { addressType }: Listener): string | undefined {
  const preferred = addressType === undefined ? ADDRESS_TYPES : [addressType, ...ADDRESS_TYPES]
  const addresses = node.status?.addresses ?? []
  return preferred.map((type) => addresses.find((one) => one.type === type)?.address).find((one) => one !== undefined)
}

function balancerHost(name: string, service: Service | undefined): Part<string> {
  const [ingress] = service?.status?.loadBalancer?.ingress ?? []
  return (
    ingress?.hostname ??
    ingress?.ip ?? { waitsFor: `Service ${name} has no address of a load balancer yet: is there a controller for it?` }
  )
}

function portOf(listener: Listener, name: string, service: Service | undefined): Part<number> {
  if (isRouted(listener)) return ROUTED_PORT
  if (listener.type !== 'nodeport') return listener.port
  return service?.spec?.ports?.[0]?.nodePort ?? { waitsFor: `Service ${name} has no node port yet` }
}

function join(host: Part<string>, port: Part<number>): Located {
  if (typeof host !== 'string') return host
  if (typeof port !== 'number') return port
  return { address: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}` }
}
