import type { Clock } from '../../broker/env/clock.ts'
import type { ClusterStep, ClusterView, StepResult } from '../cluster/step.ts'
import { KubeError, troubleWith } from '../kube/api.ts'
import type { KubeApi } from '../kube/api.ts'
import { INGRESS, ingresses, tlsRoutes } from '../specs/routes.ts'
import { bringObjects, knownObjects } from './objects.ts'
import { TlsRouteApi } from './tls-route-api.ts'
import { verdictOf } from './verdict.ts'
import type { Ingress, RoutesSeen } from './verdict.ts'

interface Deps {
  readonly api: KubeApi
  readonly clock: Clock
}

/** TLSRoutes are not watched: there may be none of their kind. */
const LOOK_MS = 10_000

type Made<T extends 'ingresses' | 'tlsRoutes'> = Pick<RoutesSeen, T | 'refused'>

/**
 * Ingresses and TLSRoutes of the listeners whose clients are led to brokers by server names. Nothing waits for them: what is not as it should be is a
 * condition, and no more.
 */
export class RouteStep implements ClusterStep {
  readonly #deps: Deps
  readonly #tlsRoutes: TlsRouteApi

  constructor(deps: Deps) {
    this.#deps = deps
    this.#tlsRoutes = new TlsRouteApi(deps)
  }

  async run(view: ClusterView): Promise<StepResult> {
    const byIngress = await this.#bringIngresses(view)
    const byRoute = await this.#bringTlsRoutes(view)
    const verdict = verdictOf({ ...byIngress, ...byRoute, refused: [...byIngress.refused, ...byRoute.refused] })
    if (verdict === null) return {}
    return { conditions: [verdict], ...(verdict.status === 'True' ? {} : { requeueAfterMs: LOOK_MS }) }
  }

  async #bringIngresses(view: ClusterView): Promise<Made<'ingresses'>> {
    const { api } = this.#deps
    const wanted = ingresses(view.cluster)
    try {
      const known = await knownObjects<Ingress>(api, INGRESS, view.cluster)
      const refused = await bringObjects(api, INGRESS, view, wanted, known)
      return { ingresses: [...known.values()], refused }
    } catch (error) {
      if (!(error instanceof KubeError)) throw error
      // Rights of an older chart: clusters that have no Ingress need none.
      return { ingresses: [], refused: wanted.length === 0 ? [] : [troubleWith('Ingresses', error)] }
    }
  }

  async #bringTlsRoutes(view: ClusterView): Promise<Made<'tlsRoutes'> & Pick<RoutesSeen, 'without'>> {
    const { api } = this.#deps
    const needing = view.cluster.spec.listeners.filter(({ type }) => type === 'tlsroute').map(({ name }) => name)
    try {
      const there = await this.#tlsRoutes.routesOf(view.cluster, needing.length > 0)
      if (there === null) return { tlsRoutes: [], refused: [], without: needing }
      const { type, known } = there
      const refused = await bringObjects(api, type, view, tlsRoutes(view.cluster, type), known)
      return { tlsRoutes: [...known.values()], refused, without: [] }
    } catch (error) {
      if (!(error instanceof KubeError)) throw error
      return { tlsRoutes: [], refused: [troubleWith('TLSRoutes', error)], without: [] }
    }
  }
}
