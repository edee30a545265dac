import { LABEL_CLUSTER } from '../api/resource.ts'
import type { KafkaCluster, Manifest, Resource, ResourceType } from '../api/resource.ts'
import type { ClusterView } from '../cluster/step.ts'
import { isRefusal } from '../kube/api.ts'
import type { KubeApi } from '../kube/api.ts'
import { LABEL_LISTENER } from '../specs/external-services.ts'

/** Objects of one kind that listeners need to be reached from outside, by name. */
export type Known<T extends Resource> = Map<string, T>

/** Those of `cluster` that there are. */
export async function knownObjects<T extends Resource>(
  api: Pick<KubeApi, 'list'>,
  type: ResourceType,
  { metadata: { namespace = '', name } }: KafkaCluster,
): Promise<Known<T>> {
  const { items } = await api.list<T>(type, { namespace, labelSelector: `${LABEL_CLUSTER}=${name}` })
  const ours = items.filter(({ metadata }) => metadata.labels?.[LABEL_LISTENER] !== undefined)
  return new Map(ours.map((one) => [one.metadata.name, one]))
}

/**
 * Makes `wanted` of what is there, and removes the rest; `known` is then what there is. Returns why some could not be made, in words; rejects with
 * KubeError where that may pass.
 */
export async function bringObjects<T extends Resource>(
  api: KubeApi,
  type: ResourceType,
  view: Pick<ClusterView, 'cluster' | 'applier'>,
  wanted: readonly Manifest[],
  known: Known<T>,
): Promise<string[]> {
  const problems = await Promise.all(wanted.map((manifest) => bring(api, type, view, manifest, known)))
  const names = new Set(wanted.map(({ metadata }) => metadata.name))
  for (const [name, { metadata }] of known) {
    if (names.has(name)) continue
    known.delete(name)
    await api.delete(type, metadata.namespace ?? '', name, { uid: metadata.uid ?? '' })
  }
  return problems.filter((problem) => problem !== null)
}

async function bring<T extends Resource>(
  api: KubeApi,
  type: ResourceType,
  { cluster, applier }: Pick<ClusterView, 'cluster' | 'applier'>,
  manifest: Manifest,
  known: Known<T>,
): Promise<string | null> {
  const { name, namespace = '' } = manifest.metadata
  try {
    if (!known.has(name)) {
      const there = await api.get<T>(type, namespace, name)
      if (there !== null && !isOf(there, cluster))
        return `${type.kind} ${name} is there already, and not of this KafkaCluster`
    }
    known.set(name, await applier.apply<T>(type, manifest as T & Manifest, known.get(name)))
    return null
  } catch (error) {
    if (!isRefusal(error)) throw error
    return `Kubernetes refuses ${type.kind} ${name}: ${error.message}`
  }
}

function isOf({ metadata }: Resource, { metadata: { uid } }: KafkaCluster): boolean {
  return metadata.ownerReferences?.some((owner) => owner.uid === uid) ?? false
}
