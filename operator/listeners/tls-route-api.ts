import type { Clock } from '../../broker/env/clock.ts'
import type { KafkaCluster, ResourceType } from '../api/resource.ts'
import { isNotFound, KubeError } from '../kube/api.ts'
import type { KubeApi } from '../kube/api.ts'
import { tlsRouteType } from '../specs/routes.ts'
import { knownObjects } from './objects.ts'
import type { Known } from './objects.ts'
import type { TlsRoute } from './verdict.ts'

/** In which TLSRoutes have been served, the newest first: what is written is the same in each. */
const VERSIONS = ['v1', 'v1alpha3', 'v1alpha2']
/** How long it is taken for granted that nobody has installed the Gateway API, where nothing needs it. */
const ABSENT_MS = 5 * 60_000

export interface KnownRoutes {
  readonly type: ResourceType
  readonly known: Known<TlsRoute>
}

/** The TLSRoutes of a Kubernetes that may have the Gateway API, or not, in this version or in that one. */
export class TlsRouteApi {
  readonly #deps: { readonly api: Pick<KubeApi, 'list'>; readonly clock: Clock }
  #served: ResourceType | null = null
  #absentSinceMs = -Infinity

  constructor(deps: { readonly api: Pick<KubeApi, 'list'>; readonly clock: Clock }) {
    this.#deps = deps
  }

  /** Those of `cluster`; null: this Kubernetes has no TLSRoutes, or, where none `isNeeded`, may have none. Rejects with KubeError. */
  async routesOf(cluster: KafkaCluster, isNeeded: boolean): Promise<KnownRoutes | null> {
    const nowMs = this.#deps.clock.monotonicMs()
    if (!isNeeded && nowMs - this.#absentSinceMs < ABSENT_MS) return null
    const types = this.#served === null ? [] : [this.#served]
    for (const type of [...types, ...VERSIONS.map(tlsRouteType)]) {
      try {
        const known = await knownObjects<TlsRoute>(this.#deps.api, type, cluster)
        this.#served = type
        this.#absentSinceMs = -Infinity
        return { type, known }
      } catch (error) {
        if (isNotFound(error)) continue
        if (isNeeded || !(error instanceof KubeError)) throw error
        break
      }
    }
    this.#served = null
    this.#absentSinceMs = nowMs
    return null
  }
}
