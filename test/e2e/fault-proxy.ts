import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Credentials } from '../../operator/kube/credentials.ts'

/** What becomes of one write: it never arrives, or it is done and its answer is lost. */
export interface ProxyFault {
  /** From 1 on. */
  readonly at: number
  readonly kind: 'before' | 'after'
}

/** Between the operator and a real API server: passes everything on, but for one write. */
export class FaultProxy implements AsyncDisposable {
  /** `METHOD path` of every write, but of leases and Events. */
  readonly writes: string[] = []
  /** Resolves when the write has met its fault. */
  readonly struck: Promise<void>
  readonly #target: Credentials
  readonly #fault: ProxyFault | null
  readonly #server: Server
  readonly #strike: () => void
  #isDead = false

  private constructor(target: Credentials, fault: ProxyFault | null) {
    this.#target = target
    this.#fault = fault
    const { promise, resolve } = Promise.withResolvers<void>()
    this.struck = promise
    this.#strike = resolve
    this.#server = createServer((incoming, outgoing) => void this.#pass(incoming, outgoing))
  }

  static async start(target: Credentials, fault: ProxyFault | null): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, fault)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  /** For whoever is to go through it. */
  get credentials(): Credentials {
    const { port } = this.#server.address() as AddressInfo
    return { server: `http://127.0.0.1:${port}`, options: async () => ({ headers: {} }) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const isStruck = this.#isStruck(incoming)
    if (isStruck) this.#die()
    // Whoever is dead asks nothing more.
    if ((isStruck && this.#fault?.kind === 'before') || (this.#isDead && !isStruck)) {
      outgoing.destroy()
      if (isStruck) this.#strike()
      return
    }
    const { headers, method = 'GET', url = '/' } = incoming
    const options = await this.#target.options()
    const forwarded = request(`${this.#target.server ?? ''}${url}`, {
      ...options,
      method,
      headers: {
        ...headers,
        ...(options.headers as Record<string, string>),
        host: new URL(this.#target.server ?? '').host,
      },
    })
    forwarded.on('error', () => outgoing.destroy())
    outgoing.on('close', () => forwarded.destroy())
    forwarded.on('response', (answer) => {
      if (!isStruck) {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
        return
      }
      answer.resume()
      answer.on('end', () => {
        outgoing.destroy()
        this.#strike()
      })
    })
    incoming.pipe(forwarded)
  }

  #isStruck({ method, url = '' }: IncomingMessage): boolean {
    if (method === 'GET' || this.#isDead || /\/(leases|events)(\/|\?|$)/.test(url)) return false
    this.writes.push(`${method} ${url.split('?')[0] ?? ''}`)
    return this.writes.length === this.#fault?.at
  }

  #die(): void {
    this.#isDead = true
  }
}
