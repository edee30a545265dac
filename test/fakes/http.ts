import type { Http, HttpResponse } from '../../broker/env/http.ts'
import type { Address, Listener } from '../../broker/env/network.ts'

/** What a client reads, of one piece or of many. */
export function textOf(body: HttpResponse['body']): string {
  return typeof body === 'string' ? body : Buffer.concat(body).toString()
}

/** An HTTP server that tests ask directly. */
export class FakeHttp implements Http {
  readonly #servers = new Map<number, (path: string) => Promise<HttpResponse>>()

  serve(address: Address, respond: (path: string) => Promise<HttpResponse>): Promise<Listener> {
    this.#servers.set(address.port, respond)
    const close = () => {
      this.#servers.delete(address.port)
      return Promise.resolve()
    }
    return Promise.resolve({ address, close })
  }

  /** Rejects where nothing listens on the port. */
  get(port: number, path: string): Promise<HttpResponse> {
    const respond = this.#servers.get(port)
    if (respond === undefined) return Promise.reject(new Error(`nothing listens on port ${port}`))
    return respond(path)
  }
}
