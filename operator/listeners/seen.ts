import { LABEL_CLUSTER, SERVICE } from '../api/resource.ts'
import type { KafkaCluster, Resource, ResourceType } from '../api/resource.ts'
import type { KubeApi } from '../kube/api.ts'
import { LABEL_LISTENER } from '../specs/external-services.ts'

/** The fields of Kubernetes' own objects that are read here. */
export interface Service extends Resource {
  spec?: { ports?: { nodePort?: number }[] }
  status?: { loadBalancer?: { ingress?: { ip?: string; hostname?: string }[] } }
}

export interface KubeNode extends Resource {
  status?: { addresses?: { type: string; address: string }[] }
}

export const NODE: ResourceType = { apiVersion: 'v1', kind: 'Node', plural: 'nodes' }

/** What the addresses of brokers are made of. */
export interface Seen {
  /** Of listeners that are reached from outside, by name. */
  readonly services: ReadonlyMap<string, Service>
  /** Kubernetes nodes, by name; those on which pods of the cluster are. */
  readonly nodes: ReadonlyMap<string, KubeNode>
}

/** The Services of the listeners of `cluster` that are reached from outside. */
export async function listServices(api: KubeApi, cluster: KafkaCluster): Promise<Service[]> {
  const { namespace = '', name } = cluster.metadata
  const { items } = await api.list<Service>(SERVICE, { namespace, labelSelector: `${LABEL_CLUSTER}=${name}` })
  return items.filter(({ metadata }) => metadata.labels?.[LABEL_LISTENER] !== undefined)
}

export async function readNodes(api: KubeApi, names: ReadonlySet<string>): Promise<Map<string, KubeNode>> {
  const nodes = await Promise.all([...names].map((name) => api.get<KubeNode>(NODE, '', name)))
  return new Map(nodes.flatMap((node) => (node === null ? [] : [[node.metadata.name, node] as const])))
}
