import type { Clock } from '../../broker/env/clock.ts'
import type { KafkaCluster, Key, Manifest, Resource, ResourceType } from '../api/resource.ts'
import { keyOf } from '../api/resource.ts'
import { isConflict, isNotFound, KubeError, troubleWith } from '../kube/api.ts'
import type { KubeApi } from '../kube/api.ts'
import { programsOf } from '../specs/programs.ts'
import { POD_MONITOR, podMonitor } from './pod-monitor.ts'
import { PROMETHEUS_RULE, prometheusRule } from './prometheus-rules.ts'

interface Deps {
  readonly api: KubeApi
  readonly clock: Clock
}

/** What nobody watches is looked at again after so long: somebody may have changed it, or installed the Prometheus Operator. */
const AGAIN_MS = 5 * 60_000

interface Done {
  readonly wanted: string
  readonly atMs: number
}

/** A cluster's objects for the Prometheus Operator, where that is installed. */
export class Monitoring {
  readonly #deps: Deps
  /** Saves calls, and is no more than that. */
  readonly #done = new Map<string, Done>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Makes the objects what spec.monitoring says. Gives what Kubernetes refuses or fails at, in words, or null. */
  async apply(cluster: KafkaCluster): Promise<string | null> {
    const { podMonitor: withMonitor = true, rules: withRules = true } = cluster.spec.monitoring ?? {}
    const problems = [
      await this.#make(cluster, POD_MONITOR, podMonitor(cluster), withMonitor && programsOf(cluster).hasMetrics),
      await this.#make(cluster, PROMETHEUS_RULE, prometheusRule(cluster), withRules),
    ]
    return problems.find((problem) => problem !== null) ?? null
  }

  /** The cluster is gone. */
  forget(key: Key): void {
    for (const { kind } of [POD_MONITOR, PROMETHEUS_RULE]) this.#done.delete(`${kind} ${key}`)
  }

  async #make(cluster: KafkaCluster, type: ResourceType, manifest: Manifest, isOn: boolean): Promise<string | null> {
    const key = `${type.kind} ${keyOf(cluster)}`
    const wanted = JSON.stringify([isOn, manifest])
    const done = this.#done.get(key)
    const nowMs = this.#deps.clock.monotonicMs()
    if (done?.wanted === wanted && nowMs - done.atMs < AGAIN_MS) return null
    const problem = await this.#bring(type, manifest, isOn)
    if (problem === null) this.#done.set(key, { wanted, atMs: nowMs })
    return problem
  }

  async #bring(type: ResourceType, manifest: Manifest, isOn: boolean): Promise<string | null> {
    const { name, namespace = '' } = manifest.metadata
    try {
      const there = await this.#deps.api.get<Resource>(type, namespace, name)
      if (there !== null && !isSameOwner(there, manifest)) {
        return isOn ? `${type.kind} ${name} is there already, and not of this KafkaCluster` : null
      }
      if (isOn) await this.#deps.api.apply(type, manifest)
      else if (there !== null) await this.#deps.api.delete(type, namespace, name, { uid: there.metadata.uid ?? '' })
    } catch (error) {
      // Not found: a kind that this Kubernetes does not have.
      if (isNotFound(error) || isConflict(error)) return null
      if (error instanceof KubeError) return troubleWith(`${type.kind} ${name}`, error)
      throw error
    }
    return null
  }
}

function isSameOwner(there: Resource, manifest: Manifest): boolean {
  const uidOf = ({ metadata }: Resource): string | undefined =>
    metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid
  return uidOf(there) === uidOf(manifest)
}
