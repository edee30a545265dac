import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Manifest, ResourceType } from '../../operator/api/resource.ts'
import { KubeError } from '../../operator/kube/api.ts'
import { FakeKube } from '../fakes/kube.ts'

/** Kinds by their plural, as paths have them. */
type Kinds = ReadonlyMap<string, ResourceType>

const BOOKMARK_MS = 60_000

/** `FakeKube` over HTTP, so that a process of its own can be its client. Of types that it was not told of there is nothing. */
export class FakeApiServer implements AsyncDisposable {
  readonly kube = new FakeKube()
  readonly #kinds: Kinds
  readonly #server: Server

  private constructor(types: readonly ResourceType[]) {
    this.#kinds = new Map(types.map((type) => [type.plural, type]))
    this.#server = createServer((request, response) => void this.#serve(request, response))
  }

  static async start(types: readonly ResourceType[]): Promise<FakeApiServer> {
    const api = new FakeApiServer(types)
    await new Promise<void>((done) => api.#server.listen(0, '127.0.0.1', done))
    return api
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((done) => this.#server.close(done))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const url = new URL(request.url ?? '', this.url)
      const { type, namespace, name, subresource } = this.#resource(url.pathname)
      if (url.searchParams.has('watch')) return await this.#watch(type, namespace, url, response)
      const text = await readAll(request)
      const body = JSON.parse(text === '' ? '{}' : text) as Manifest
      const answer = await this.#answer(request, { type, namespace, name, subresource, body, url })
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    } catch (error) {
      const { status = 500, code = 'InternalError', message } = error as Partial<KubeError> & Error
      response.writeHead(status === 0 ? 500 : status).end(JSON.stringify({ reason: code, message }))
    }
  }

  async #answer(request: IncomingMessage, call: Call): Promise<unknown> {
    const { kube } = this
    const { type, namespace, name, body } = call
    if (request.method === 'POST') return kube.create(type, { ...body, ...type })
    if (request.method === 'DELETE') {
      const { uid = '' } = (await kube.get(type, namespace ?? '', name ?? ''))?.metadata ?? {}
      return kube.delete(type, namespace ?? '', name ?? '', { uid })
    }
    if (request.method === 'PATCH') {
      const isApply = request.headers['content-type']?.startsWith('application/apply-patch') === true
      if (!isApply) return kube.patch(type, namespace ?? '', name ?? '', body)
      return call.subresource === 'status' ? kube.applyStatus(type, body) : kube.apply(type, body)
    }
    if (name !== null) {
      const found = await kube.get(type, namespace ?? '', name)
      if (found === null) throw new KubeError(404, 'NotFound', `${name} not found`)
      return found
    }
    const { items, resourceVersion } = await kube.list(type, selectionOf(namespace, call.url))
    const from = Number(call.url.searchParams.get('continue') ?? 0)
    const to = from + Number(call.url.searchParams.get('limit') ?? items.length)
    const next = to < items.length ? { continue: String(to) } : {}
    return { items: items.slice(from, to), metadata: { resourceVersion, ...next } }
  }

  async #watch(type: ResourceType, namespace: string | null, url: URL, response: ServerResponse): Promise<void> {
    const stop = new AbortController()
    const bookmark = { type: 'BOOKMARK', object: { ...type, metadata: {} } }
    const bookmarks = setInterval(() => response.write(`${JSON.stringify(bookmark)}\n`), BOOKMARK_MS)
    response.on('close', () => {
      clearInterval(bookmarks)
      stop.abort()
    })
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
    const resourceVersion = url.searchParams.get('resourceVersion') ?? '0'
    const options = { ...selectionOf(namespace, url), resourceVersion }
    await this.kube
      .watch(type, options, (event) => response.write(`${JSON.stringify(event)}\n`), stop.signal)
      .catch(() => undefined)
  }

  /** `/apis/GROUP/VERSION/namespaces/NAMESPACE/PLURAL/NAME/SUBRESOURCE`, of which the end may be missing. */
  #resource(path: string): Pick<Call, 'type' | 'namespace' | 'name' | 'subresource'> {
    const parts = path
      .split('/')
      .slice(path.startsWith('/apis/') ? 4 : 3)
      .map(decodeURIComponent)
    const namespace = parts[0] === 'namespaces' && parts.length > 2 ? (parts[1] ?? null) : null
    const [plural = '', name = null, subresource = null] = namespace === null ? parts : parts.slice(2)
    const type = this.#kinds.get(plural) ?? { apiVersion: 'v1', kind: plural, plural }
    return { type, namespace, name, subresource }
  }
}

interface Call {
  readonly type: ResourceType
  readonly namespace: string | null
  readonly name: string | null
  readonly subresource: string | null
  readonly body: Manifest
  readonly url: URL
}

function selectionOf(namespace: string | null, url: URL): { namespace: string | null; labelSelector?: string } {
  const labelSelector = url.searchParams.get('labelSelector')
  return { namespace, ...(labelSelector === null ? {} : { labelSelector }) }
}

async function readAll(request: IncomingMessage): Promise<string> {
  request.setEncoding('utf8')
  let text = ''
  for await (const chunk of request) text += chunk as string
  return text
}
