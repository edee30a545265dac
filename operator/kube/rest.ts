import type { Manifest, Resource, ResourceType } from '../api/resource.ts'
import { MANAGED_BY } from '../api/resource.ts'
import { isNotFound, KubeError } from './api.ts'
import type { DeleteOptions, KubeApi, ListOptions, WatchEvent, WatchOptions } from './api.ts'
import { parseJson } from './json.ts'
import type { KubeTransport } from './transport.ts'

const REQUEST_TIMEOUT_MS = 30_000
/** The server ends a watch after this; bookmarks come about once a minute. */
const WATCH_SECONDS = 290
const WATCH_SILENCE_MAX_MS = 150_000
const PAGE_SIZE = 500

type List<T> = { items: T[]; metadata: { resourceVersion: string; continue?: string } }

/** The Kubernetes API over HTTP. Once `signal` aborts nothing is sent any more: that is how work stops with a lost lease. */
export class KubeRest implements KubeApi {
  readonly #transport: KubeTransport
  readonly #signal: AbortSignal

  constructor(options: { signal: AbortSignal }, deps: { transport: KubeTransport }) {
    this.#signal = options.signal
    this.#transport = deps.transport
  }

  async get<T extends Resource>(type: ResourceType, namespace: string, name: string): Promise<T | null> {
    try {
      return await this.#json<T>('GET', pathOf(type, namespace, name))
    } catch (error) {
      if (isNotFound(error)) return null
      throw error
    }
  }

  async list<T extends Resource>(
    type: ResourceType,
    options: ListOptions,
  ): Promise<{ items: T[]; resourceVersion: string }> {
    const items: T[] = []
    let next: string | undefined
    for (;;) {
      const page = await this.#json<List<T>>(
        'GET',
        pathOf(type, options.namespace, null, {
          labelSelector: options.labelSelector,
          limit: PAGE_SIZE,
          continue: next,
        }),
      )
      // A list's items come without their type.
      for (const item of page.items) items.push({ ...item, apiVersion: type.apiVersion, kind: type.kind })
      next = page.metadata.continue
      if (next === undefined || next === '') return { items, resourceVersion: page.metadata.resourceVersion }
    }
  }

  async watch(
    type: ResourceType,
    options: WatchOptions,
    onEvent: (event: WatchEvent) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const response = await this.#transport.send({
      method: 'GET',
      path: pathOf(type, options.namespace, null, {
        watch: true,
        allowWatchBookmarks: true,
        timeoutSeconds: WATCH_SECONDS,
        resourceVersion: options.resourceVersion,
        labelSelector: options.labelSelector,
      }),
      signal: AbortSignal.any([this.#signal, signal]),
      timeoutMs: WATCH_SILENCE_MAX_MS,
    })
    response.setEncoding('utf8')
    let rest = ''
    for await (const chunk of response) {
      const lines = (rest + (chunk as string)).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line !== '') onEvent(eventOf(line))
    }
  }

  create<T extends Resource>(type: ResourceType, manifest: T & Manifest): Promise<T> {
    return this.#json<T>('POST', pathOf(type, manifest.metadata.namespace ?? '', null), 'application/json', manifest)
  }

  update<T extends Resource>(type: ResourceType, manifest: T & Manifest): Promise<T> {
    const path = pathOf(type, manifest.metadata.namespace ?? '', manifest.metadata.name)
    return this.#json<T>('PUT', path, 'application/json', manifest)
  }

  apply<T extends Resource>(type: ResourceType, manifest: T & Manifest): Promise<T> {
    return this.#apply<T>(type, manifest, '')
  }

  applyStatus<T extends Resource>(type: ResourceType, manifest: T & Manifest): Promise<T> {
    return this.#apply<T>(type, manifest, '/status')
  }

  patch<T extends Resource>(type: ResourceType, namespace: string, name: string, patch: object): Promise<T> {
    return this.#json<T>('PATCH', pathOf(type, namespace, name), 'application/merge-patch+json', patch)
  }

  async delete(type: ResourceType, namespace: string, name: string, options: DeleteOptions): Promise<void> {
    const { dependents, ...preconditions } = options
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions,
      propagationPolicy: dependents === 'orphan' ? 'Orphan' : 'Background',
    }
    try {
      await this.#json('DELETE', pathOf(type, namespace, name), 'application/json', body)
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }

  #apply<T extends Resource>(type: ResourceType, manifest: Manifest, subresource: '' | '/status'): Promise<T> {
    const path = pathOf(type, manifest.metadata.namespace ?? '', `${manifest.metadata.name}${subresource}`, {
      fieldManager: MANAGED_BY,
      force: true,
    })
    return this.#json<T>('PATCH', path, 'application/apply-patch+yaml', manifest)
  }

  #json<T>(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    contentType?: string,
    body?: unknown,
  ): Promise<T> {
    return this.#transport.json<T>({
      method,
      path,
      ...(contentType === undefined ? {} : { contentType, body }),
      signal: this.#signal,
      timeoutMs: REQUEST_TIMEOUT_MS,
    })
  }
}

/** The path of a collection (`name` null; `namespace` null: of all namespaces) or of one object; '' is the namespace of what has none. */
function pathOf(
  { apiVersion, plural }: ResourceType,
  namespace: string | null,
  name: string | null,
  query: Record<string, string | number | boolean | undefined> = {},
): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const scope = namespace === null || namespace === '' ? '' : `/namespaces/${encodeURIComponent(namespace)}`
  const parameters = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) if (value !== undefined) parameters.set(key, String(value))
  const search = parameters.size === 0 ? '' : `?${parameters.toString()}`
  return `${root}${scope}/${plural}${name === null ? '' : `/${name.split('/').map(encodeURIComponent).join('/')}`}${search}`
}

function eventOf(line: string): WatchEvent {
  const event = parseJson(line) as {
    type: string
    object: Resource & { code?: number; reason?: string; message?: string }
  }
  if (event.type !== 'ERROR') return event as WatchEvent
  const { code = 0, reason = 'Unknown', message = 'watch failed' } = event.object
  throw new KubeError(code, reason, message)
}
