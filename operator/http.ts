import express from 'express'
import type { Registry } from 'prom-client'
import { limitConnections } from '../broker/host/http-limits.ts'
import { shared } from '../broker/lib/shared.ts'

type Server = ReturnType<ReturnType<typeof express>['listen']>

export interface HttpOptions {
  readonly host: string
  readonly port: number
}

/**
 * Serves /metrics, /healthz (the process runs) and /readyz (it can do its work: it leads, or waits to). Rejects with the system's error where
 * the port is taken.
 */
export function serveHttp(
  { host, port }: HttpOptions,
  deps: { registry: Registry; isReady: () => boolean },
): Promise<AsyncDisposable> {
  const app = express()
  app.disable('x-powered-by')
  app.get('/healthz', (_, response) => {
    response.type('text').send('ok\n')
  })
  app.get('/readyz', (_, response) => {
    const ready = deps.isReady()
    response
      .status(ready ? 200 : 503)
      .type('text')
      .send(ready ? 'ok\n' : 'starting\n')
  })
  const metrics = shared(() => deps.registry.metrics())
  app.get('/metrics', async (_, response) => {
    response.type(deps.registry.contentType).send(await metrics())
  })
  return listen(app, { host, port }, limitConnections)
}

/** Serves `app`, with a server that `prepare` has set, until it is disposed of. Rejects with the system's error where the port is taken. */
export function listen(
  app: express.Express,
  { host, port }: HttpOptions,
  prepare: (server: Server) => void = () => {},
): Promise<AsyncDisposable> {
  return new Promise((resolve, reject) => {
    const server = app.listen(port, host, (error?: Error) => {
      if (error === undefined) resolve({ [Symbol.asyncDispose]: () => close(server) })
      else reject(error)
    })
    prepare(server)
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
