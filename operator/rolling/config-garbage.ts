import { STATEFUL_SET } from '../api/resource.ts'
import type { ConfigMap } from '../cluster/kubernetes.ts'
import type { ClusterView } from '../cluster/step.ts'
import { configMapPrefix } from '../specs/config-map.ts'
import { configMapOf } from './reasons.ts'

/**
 * ConfigMaps of former configurations that no pod has any more. None as long as Kubernetes may still be making pods of a former StatefulSet.
 * Pure.
 */
export function configGarbage({ cluster, observed, plan }: ClusterView): ConfigMap[] {
  const sets = [...observed.statefulSets.values()]
  const isBehind = sets.some(({ metadata, status }) => (status?.observedGeneration ?? 0) < (metadata.generation ?? 0))
  if (isBehind || plan.manifests.every(({ type }) => type !== STATEFUL_SET)) return []
  const used = new Set([
    ...plan.manifests.map(({ manifest }) => manifest.metadata.name),
    ...sets.map(({ spec }) => configMapOf(spec.template)),
    ...observed.pods.map(configMapOf),
  ])
  const prefixes = cluster.spec.pools.map((pool) => configMapPrefix(cluster, pool))
  return observed.configMaps.filter(
    ({ metadata }) => prefixes.some((prefix) => metadata.name.startsWith(prefix)) && !used.has(metadata.name),
  )
}
