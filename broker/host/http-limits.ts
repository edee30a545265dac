import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** A few scrapers and probes, many times over. */
const CONNECTIONS_MAX = 64
/** In which a request has to be there whole. */
const REQUEST_MS = 10_000
/** After which a client that neither sends nor takes anything is let go. */
const SILENCE_MS = 60_000

/**
 * Whoever reaches a port of metrics and probes can hold some dozens of connections, and no more. The oldest makes way for a new one, rather
 * than that a probe is turned away: then the process would be restarted for it.
 */
export function limitConnections(server: Server): void {
  server.headersTimeout = REQUEST_MS
  server.requestTimeout = REQUEST_MS
  server.timeout = SILENCE_MS
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    const [oldest] = sockets
    if (sockets.size > CONNECTIONS_MAX) oldest?.destroy()
  })
}
