import express from 'express'
import type { Request, Response } from 'express'
import type { Asset } from './assets.ts'
import type { Feed, View } from './feed.ts'

/** How soon a browser that has lost the stream asks for it again. */
const RETRY_MS = 2000

/** Nothing is loaded from anywhere else, and nobody puts the page into a frame. */
const HEADERS = {
  'Content-Security-Policy': "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-cache',
}

/** The page, and its stream of what is to be seen on it: GET only, since it changes nothing. */
export function consoleRoutes(assets: ReadonlyMap<string, Asset>, feed: Feed): express.Router {
  const router = express.Router()
  router.use((_, response, next) => {
    response.set(HEADERS)
    next()
  })
  for (const [path, { type, body }] of assets) {
    router.get(path, (_, response) => void response.type(type).send(body))
  }
  router.get('/events', (request, response) => stream(feed, request, response))
  return router
}

/** More than this that a viewer has not taken: it has gone, or never will. */
const BACKLOG_MAX_BYTES = 32 * 1024 * 1024

/** Server-sent events (HTML Living Standard, 9.2) until the viewer goes. */
function stream(feed: Feed, request: Request, response: Response): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream' })
  response.write(`retry: ${RETRY_MS}\n\n`)
  const stop = feed.subscribe(viewOf(request), (event, json) => {
    response.write(`event: ${event}\ndata: ${json}\n\n`)
    if (response.writableLength > BACKLOG_MAX_BYTES) response.destroy()
  })
  response.on('close', stop)
}

function viewOf({ query }: Request): View {
  const { cluster, topic } = query
  return { cluster: typeof cluster === 'string' ? cluster : null, topic: typeof topic === 'string' ? topic : null }
}
