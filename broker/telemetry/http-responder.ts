import type { HttpResponse } from '../env/http.ts'
import type { Metrics } from './metrics.ts'

export interface Health {
  /** Why the process should be restarted; null: it lives. */
  unhealthy(): string | null
  /** Why clients should not be sent here yet; null: they may. */
  notReady(): string | null
}

/** Answers GET /metrics (Prometheus text), /healthz and /readyz (200 or 503 with the reason), for the Http port. */
export function httpResponder(deps: { metrics: Metrics; health: Health }): (path: string) => Promise<HttpResponse> {
  return async (path) => {
    switch (path) {
      case '/metrics':
        return { status: 200, contentType: deps.metrics.contentType, body: await deps.metrics.exposition() }
      case '/healthz':
        return verdict(deps.health.unhealthy())
      case '/readyz':
        return verdict(deps.health.notReady() ?? deps.health.unhealthy())
      default:
        return plain(404, 'not found; there are /metrics, /healthz and /readyz')
    }
  }
}

function verdict(reason: string | null): HttpResponse {
  return reason === null ? plain(200, 'ok') : plain(503, reason)
}

function plain(status: number, text: string): HttpResponse {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${text}\n` }
}
