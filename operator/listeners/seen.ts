import type { Resource, ResourceType } from '../api/resource.ts'
import type { KubeApi } from '../kube/api.ts'

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

export async function readNodes(api: KubeApi, names: ReadonlySet<string>): Promise<Map<string, KubeNode>> {
  const nodes = await Promise.all([...names].map((name) => api.get<KubeNode>(NODE, '', name)))
  return new Map(nodes.flatMap((node) => (node === null ? [] : [[node.metadata.name, node] as const])))
}
