import { GROUP, SERVICE } from '../api/resource.ts'
import type { KafkaCluster, Manifest } from '../api/resource.ts'
import { brokerSelectorOf, ownedManifest } from './labels.ts'
import { isBroker, nodesOf } from './nodes.ts'
import type { Node } from './nodes.ts'

export type Listener = KafkaCluster['spec']['listeners'][number]

/** On the Services of listeners that are reached from outside of Kubernetes: which listener. */
export const LABEL_LISTENER = `${GROUP}/listener`
/** On what belongs to one broker: its node.id. */
export const LABEL_NODE_ID = `${GROUP}/node-id`
/** That the StatefulSet controller puts on each pod. */
const LABEL_POD_NAME = 'statefulset.kubernetes.io/pod-name'
const NODE_ID = '{nodeId}'
/** Others are reached through something that finds them by their own Services. */
const SERVICE_TYPES: Readonly<Partial<Record<Listener['type'], string>>> = {
  nodeport: 'NodePort',
  loadbalancer: 'LoadBalancer',
}

/** Those that are reached from outside of Kubernetes. */
export function externalListeners({ spec }: KafkaCluster): Listener[] {
  return spec.listeners.filter(({ type }) => type !== 'internal')
}

/** Those that share one address, where connections are told apart by the server name in TLS (SNI). */
export function isRouted({ type }: Listener): boolean {
  return type === 'ingress' || type === 'tlsroute'
}

/** Where clients of `listener` begin. */
export function bootstrapName(cluster: KafkaCluster, listener: Listener): string {
  return `${cluster.metadata.name}-${listener.name}-bootstrap`
}

/** The Service of one broker; by its id, since with a pool's name it could be longer than the 63 characters of a DNS label. */
export function brokerServiceName(cluster: KafkaCluster, listener: Listener, nodeId: number): string {
  return `${cluster.metadata.name}-${listener.name}-${nodeId}`
}

/** What spec.listeners[].brokers says of one broker. */
export function overridesOf(listener: Listener, nodeId: number): NonNullable<Listener['brokers']>[number] | undefined {
  return listener.brokers?.find((broker) => broker.nodeId === nodeId)
}

/** `text` with {nodeId} filled in. */
export function forNode(text: string, nodeId: number): string {
  return text.replaceAll(NODE_ID, String(nodeId))
}

/** Whether `text` is for brokers: it has {nodeId} in it. */
export function hasNodeId(text: string): boolean {
  return text.includes(NODE_ID)
}

/** On everything that a listener needs to be reached from outside, besides what all objects have. */
export function externalLabels({ name }: Listener): Record<string, string> {
  return { [LABEL_LISTENER]: name }
}

/** The Services of the listeners that are reached from outside: one to begin with and one for each broker. */
export function externalServices(cluster: KafkaCluster): Manifest[] {
  const brokers = nodesOf(cluster).filter(({ pool }) => isBroker(pool))
  return externalListeners(cluster).flatMap((listener) => [
    ...(listener.bootstrap?.enabled === false ? [] : [bootstrap(cluster, listener)]),
    ...brokers.map((node) => brokerService(cluster, listener, node)),
  ])
}

function bootstrap(cluster: KafkaCluster, listener: Listener): Manifest {
  const name = bootstrapName(cluster, listener)
  // What has a broker's id in it is for brokers.
  const common = Object.entries(listener.service?.annotations ?? {}).filter(([, value]) => !hasNodeId(value))
  const own = isRouted(listener) ? {} : listener.bootstrap?.annotations
  const annotations = { ...Object.fromEntries(common), ...own }
  const manifest = service(cluster, listener, name, { labels: {}, annotations })
  return {
    ...manifest,
    spec: {
      ...serviceSpec(listener, listener.bootstrap?.nodePort),
      selector: brokerSelectorOf(cluster),
    },
  }
}

function brokerService(cluster: KafkaCluster, listener: Listener, node: Node): Manifest {
  const name = brokerServiceName(cluster, listener, node.nodeId)
  const overrides = overridesOf(listener, node.nodeId)
  const own = { ...listener.service?.annotations, ...(isRouted(listener) ? {} : overrides?.annotations) }
  const annotations = Object.fromEntries(
    Object.entries(own).map(([key, value]) => [key, forNode(value, node.nodeId)] as const),
  )
  const labels = { [LABEL_NODE_ID]: String(node.nodeId) }
  const manifest = service(cluster, listener, name, { labels, annotations })
  const { externalTrafficPolicy } = listener.service ?? {}
  return {
    ...manifest,
    spec: {
      ...serviceSpec(listener, overrides?.nodePort),
      ...(externalTrafficPolicy === undefined ? {} : { externalTrafficPolicy }),
      // Whoever leads a partition has to be reached, ready or not.
      publishNotReadyAddresses: true,
      selector: { [LABEL_POD_NAME]: node.podName },
    },
  }
}

function service(
  cluster: KafkaCluster,
  listener: Listener,
  name: string,
  own: { labels: Record<string, string>; annotations: Record<string, string> },
): Manifest {
  const manifest = ownedManifest(cluster, SERVICE, name)
  const labels = { ...listener.service?.labels, ...manifest.metadata.labels, ...externalLabels(listener) }
  const { annotations } = own
  return {
    ...manifest,
    metadata: {
      ...manifest.metadata,
      labels: { ...labels, ...own.labels },
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
  }
}

function serviceSpec(listener: Listener, nodePort: number | undefined): object {
  const { loadBalancerClass, loadBalancerSourceRanges, allocateLoadBalancerNodePorts } = listener.service ?? {}
  const { name, port } = listener
  return {
    type: SERVICE_TYPES[listener.type] ?? 'ClusterIP',
    ports: [{ name, port, targetPort: port, protocol: 'TCP', ...(nodePort === undefined ? {} : { nodePort }) }],
    ...(loadBalancerClass === undefined ? {} : { loadBalancerClass }),
    ...(loadBalancerSourceRanges === undefined ? {} : { loadBalancerSourceRanges }),
    ...(allocateLoadBalancerNodePorts === undefined ? {} : { allocateLoadBalancerNodePorts }),
  }
}
