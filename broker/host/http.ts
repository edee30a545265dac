import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http, HttpResponse } from '../env/http.ts'
import type { Address, Listener } from '../env/network.ts'
import { limitConnections } from './http-limits.ts'

// An import of node:http reads all of its names, one of which loads undici: 60 ms and 15 MiB.
const { createServer } = process.getBuiltinModule('node:http')

type Respond = (path: string) => Promise<HttpResponse>

/** HTTP/1.1 by Node. */
export class NodeHttp implements Http {
  serve(address: Address, respond: Respond): Promise<Listener> {
    return new Promise((resolve, reject) => {
      const server = createServer((request, response) => {
        void answer(request, response, respond)
      })
      limitConnections(server)
      server.once('error', reject)
      server.listen({ host: address.host, port: address.port }, () => {
        server.off('error', reject)
        server.on('error', () => {})
        const bound = server.address()
        const port = typeof bound === 'object' && bound !== null ? bound.port : address.port
        resolve({
          address: { host: address.host, port },
          close: () =>
            new Promise((closed) => {
              server.close(() => closed())
              server.closeAllConnections()
            }),
        })
      })
    })
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, respond: Respond): Promise<void> {
  const { status, contentType, body } = await responseTo(request, respond)
  const pieces = typeof body === 'string' ? [Buffer.from(body)] : body
  const length = pieces.reduce((total, piece) => total + piece.byteLength, 0)
  response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': length })
  if (request.method !== 'HEAD') for (const piece of pieces) response.write(piece)
  response.end()
}

async function responseTo(request: IncomingMessage, respond: Respond): Promise<HttpResponse> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405, 'only GET\n')
  const path = (request.url ?? '/').split('?')[0] ?? '/'
  try {
    return await respond(path)
  } catch (error) {
    return plain(500, `${error instanceof Error ? error.message : String(error)}\n`)
  }
}

function plain(status: number, body: string): HttpResponse {
  return { status, contentType: 'text/plain; charset=utf-8', body }
}
