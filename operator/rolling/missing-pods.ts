import { keyOf } from '../api/resource.ts'
import type { Key } from '../api/resource.ts'
import type { ClusterView } from '../cluster/step.ts'
import { nodesOf } from '../specs/nodes.ts'

/**
 * Since when pods have been missing: of what is not there Kubernetes keeps no time. It is how long somebody has waited, no progress: an
 * operator that has just begun waits anew.
 */
export class MissingPods {
  readonly #since = new Map<Key, ReadonlyMap<string, number>>()

  /** By name, in ms since 1970. */
  see({ cluster, observed, nowMs }: Pick<ClusterView, 'cluster' | 'observed' | 'nowMs'>): ReadonlyMap<string, number> {
    const key = keyOf(cluster)
    const there = new Set(observed.pods.map(({ metadata }) => metadata.name))
    const missing = nodesOf(cluster).filter(({ podName }) => !there.has(podName))
    const before = this.#since.get(key)
    const since = new Map(missing.map(({ podName }) => [podName, before?.get(podName) ?? nowMs]))
    this.#since.set(key, since)
    return since
  }

  forget(key: Key): void {
    this.#since.delete(key)
  }
}
