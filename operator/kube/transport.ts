import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import type { RequestOptions } from 'node:https'
import { KubeError } from './api.ts'
import { credentialsOf } from './credentials.ts'
import type { Credentials } from './credentials.ts'
import { parseJson } from './json.ts'

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Path and query. */
  readonly path: string
  readonly contentType?: string
  readonly body?: unknown
  readonly signal: AbortSignal
  /** Longest silence on the connection, in ms. */
  readonly timeoutMs: number
}

/** Of requests that are answered at once; more of them only wait at the server. */
const CONNECTIONS_MAX = 16
/** What must not wait behind them: a lease that is not renewed in time is lost. */
const LEASES = '/apis/coordination.k8s.io/'

type PoolName = 'calls' | 'leases' | 'streams'

/** HTTP to one API server, with the credentials of a kubeconfig or of the pod that it runs in. */
export class KubeTransport {
  readonly #credentials: Credentials
  readonly #agents = new Map<PoolName, { agent: Agent | HttpAgent; identity: string }>()

  /** $KUBECONFIG, ~/.kube/config, or the pod's service account, in this order. */
  static async fromEnvironment(): Promise<KubeTransport> {
    return new KubeTransport(await credentialsOf(process.env))
  }

  constructor(credentials: Credentials) {
    this.#credentials = credentials
  }

  /**
   * Sends `request`; resolves with the answer's head, the body still to be read, which may go on for as long as it likes. Rejects with KubeError
   * where the server refuses.
   */
  send(request: ApiRequest): Promise<IncomingMessage> {
    return this.#send(request, 'streams')
  }

  async #send(request: ApiRequest, pool: PoolName): Promise<IncomingMessage> {
    const response = await this.#exchange(request, pool)
    const status = response.statusCode ?? 0
    if (status >= 200 && status < 300) return response
    throw refusal(status, await readAll(response))
  }

  /** As `send`, and reads the JSON of the answer. */
  async json<T>(request: ApiRequest): Promise<T> {
    const pool = request.path.startsWith(LEASES) ? 'leases' : 'calls'
    return parseJson(await readAll(await this.#send(request, pool))) as T
  }

  async #exchange(request: ApiRequest, pool: PoolName): Promise<IncomingMessage> {
    request.signal.throwIfAborted()
    const { server } = this.#credentials
    if (server === null) throw new KubeError(0, 'NoCluster', 'no Kubernetes cluster: neither a kubeconfig nor a pod')
    const url = new URL(server + request.path)
    const body = request.body === undefined ? '' : JSON.stringify(request.body)
    const options = await this.#options(request, pool, Buffer.byteLength(body))
    return new Promise((resolve, reject) => {
      const send = url.protocol === 'http:' ? httpRequest : httpsRequest
      const outgoing = send(url, options, resolve)
      outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer for ${request.timeoutMs} ms`)))
      outgoing.on('error', (error) => {
        if (request.signal.aborted) reject(request.signal.reason)
        else reject(new KubeError(0, 'Unreachable', `Kubernetes API at ${url.host}: ${error.message}`, error))
      })
      outgoing.end(body)
    })
  }

  async #options(request: ApiRequest, pool: PoolName, bodyLength: number): Promise<RequestOptions> {
    const options = await this.#credentials.options()
    return {
      method: request.method,
      headers: {
        ...(options.headers as Record<string, string>),
        accept: 'application/json',
        'user-agent': 'ottla-operator',
        // Node frames the body of a DELETE only where it is told its length.
        'content-length': bodyLength,
        ...(request.contentType === undefined ? {} : { 'content-type': request.contentType }),
      },
      ...(typeof options.auth === 'string' ? { auth: options.auth } : {}),
      agent: this.#agentFor(pool, options),
      signal: request.signal,
      timeout: request.timeoutMs,
    }
  }

  /** The same agent as long as the credentials are the same: connections are reused. */
  #agentFor(pool: PoolName, { ca, cert, key, rejectUnauthorized, servername }: RequestOptions): Agent | HttpAgent {
    const identity = [ca, cert, key, rejectUnauthorized, servername].map(String).join('\n')
    const known = this.#agents.get(pool)
    if (known?.identity === identity) return known.agent
    known?.agent.destroy()
    const tls = Object.fromEntries(
      Object.entries({ ca, cert, key, rejectUnauthorized, servername }).filter(([, value]) => value !== undefined),
    )
    const maxSockets = pool === 'streams' ? Infinity : CONNECTIONS_MAX
    const isPlain = this.#credentials.server?.startsWith('http:') === true
    const agent = new (isPlain ? HttpAgent : Agent)({ keepAlive: true, maxSockets, ...tls })
    this.#agents.set(pool, { agent, identity })
    return agent
  }
}

async function readAll(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8')
  let text = ''
  try {
    for await (const chunk of response) text += chunk as string
  } catch (error) {
    throw new KubeError(0, 'Unreachable', `Kubernetes API: the answer broke off: ${(error as Error).message}`, error)
  }
  return text
}

function refusal(status: number, body: string): KubeError {
  try {
    const { reason, message } = JSON.parse(body) as { reason?: string; message?: string }
    return new KubeError(status, reason ?? String(status), message ?? body)
  } catch {
    return new KubeError(status, String(status), body.slice(0, 1000))
  }
}
