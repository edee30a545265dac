import type { KafkaCluster, Manifest, ResourceType } from '../api/resource.ts'
import {
  bootstrapName,
  brokerServiceName,
  externalLabels,
  forNode,
  hasNodeId,
  LABEL_NODE_ID,
  overridesOf,
} from './external-services.ts'
import type { Listener } from './external-services.ts'
import { ownedManifest } from './labels.ts'
import { isBroker, nodesOf } from './nodes.ts'

export const INGRESS: ResourceType = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', plural: 'ingresses' }

const GATEWAY_GROUP = 'gateway.networking.k8s.io'

/** TLSRoutes as a version of the Gateway API has them. */
export function tlsRouteType(version: string): ResourceType {
  return { apiVersion: `${GATEWAY_GROUP}/${version}`, kind: 'TLSRoute', plural: 'tlsroutes' }
}

/** Has ingress-nginx, HAProxy's controller and haproxy-ingress pass on what they do not decrypt. */
const PASSTHROUGH = {
  'nginx.ingress.kubernetes.io/ssl-passthrough': 'true',
  'haproxy.org/ssl-passthrough': 'true',
  'haproxy-ingress.github.io/ssl-passthrough': 'true',
}

/** What leads connections by their server name (SNI) to the Service of the same name. */
interface Route {
  readonly listener: Listener
  readonly name: string
  readonly host: string
  /** Null: to begin with. */
  readonly nodeId: number | null
  /** Of this one alone. */
  readonly annotations: Readonly<Record<string, string>>
}

/** Of every listener of type ingress: one to begin with, and one for each broker. */
export function ingresses(cluster: KafkaCluster): Manifest[] {
  return routesOf(cluster, 'ingress').map((route) => {
    const { listener, name, host, nodeId } = route
    const { className, annotations = {} } = listener.ingress ?? {}
    const backend = { service: { name, port: { name: listener.name } } }
    return {
      ...routeManifest(cluster, INGRESS, route, { ...PASSTHROUGH, ...annotationsFor(nodeId, annotations) }),
      spec: {
        ...(className === undefined ? {} : { ingressClassName: className }),
        // The root is the one path that passthrough knows; with pathType Prefix every controller takes it for everything.
        rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
        // Without a Secret: the certificate is the broker's.
        tls: [{ hosts: [host] }],
      },
    }
  })
}

/** The same of every listener of type tlsroute, as `type` has them. */
export function tlsRoutes(cluster: KafkaCluster, type: ResourceType): Manifest[] {
  return routesOf(cluster, 'tlsroute').map((route) => {
    const { listener, name, host } = route
    return {
      ...routeManifest(cluster, type, route, {}),
      spec: {
        parentRefs: listener.gateway?.parentRefs ?? [],
        hostnames: [host],
        rules: [{ backendRefs: [{ name, port: listener.port }] }],
      },
    }
  })
}

function routesOf(cluster: KafkaCluster, type: Listener['type']): Route[] {
  const brokers = nodesOf(cluster).filter(({ pool }) => isBroker(pool))
  return cluster.spec.listeners
    .filter((listener) => listener.type === type)
    .flatMap((listener) => [
      ...bootstrapRoute(cluster, listener),
      ...brokers.flatMap(({ nodeId }) => brokerRoute(cluster, listener, nodeId)),
    ])
}

function bootstrapRoute(cluster: KafkaCluster, listener: Listener): Route[] {
  const { enabled = true, host, annotations = {} } = listener.bootstrap ?? {}
  if (!enabled || host === undefined) return []
  return [{ listener, name: bootstrapName(cluster, listener), host, nodeId: null, annotations }]
}

function brokerRoute(cluster: KafkaCluster, listener: Listener, nodeId: number): Route[] {
  const own = overridesOf(listener, nodeId)
  const host = own?.host ?? listener.advertised?.host
  if (host === undefined) return []
  const name = brokerServiceName(cluster, listener, nodeId)
  return [{ listener, name, host: forNode(host, nodeId), nodeId, annotations: own?.annotations ?? {} }]
}

/** What has a broker's id in it is for brokers. */
function annotationsFor(nodeId: number | null, all: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(all)
  if (nodeId === null) return Object.fromEntries(entries.filter(([, value]) => !hasNodeId(value)))
  return Object.fromEntries(entries.map(([key, value]) => [key, forNode(value, nodeId)] as const))
}

function routeManifest(
  cluster: KafkaCluster,
  type: ResourceType,
  { listener, name, nodeId, annotations: own }: Route,
  common: Readonly<Record<string, string>>,
): Manifest {
  const manifest = ownedManifest(cluster, type, name)
  const annotations = { ...common, ...annotationsFor(nodeId, own) }
  const labels = { ...manifest.metadata.labels, ...externalLabels(listener) }
  return {
    ...manifest,
    metadata: {
      ...manifest.metadata,
      labels: nodeId === null ? labels : { ...labels, [LABEL_NODE_ID]: String(nodeId) },
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
  }
}
