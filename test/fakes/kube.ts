import type { Manifest, Resource, ResourceType } from '../../operator/api/resource.ts'
import { KubeError } from '../../operator/kube/api.ts'
import type { DeleteOptions, KubeApi, ListOptions, WatchEvent, WatchOptions } from '../../operator/kube/api.ts'

interface Watcher {
  readonly type: ResourceType
  readonly options: WatchOptions
  readonly onEvent: (event: WatchEvent) => void
  readonly end: (error?: Error) => void
}

type Fields = Record<string, unknown>

/** Jest looks globals up by a detour, which is most of what copying costs. */
const { isArray } = Array
const { keys } = Object

/**
 * An API server in memory: resource versions, generations, uids, finalizers, watches from a version, apply (the fields of one manager, which
 * go when it leaves them out), garbage collection of what is owned. No admission, no schema.
 */
export class FakeKube implements KubeApi {
  /** Every write that got through, as `verb Kind namespace/name`. */
  readonly writes: string[] = []
  /** Called before each call with `verb Kind`; what it throws is what the call rejects with. */
  intercept: (call: string) => void = () => {}
  readonly #objects = new Map<string, Resource>()
  readonly #applied = new Map<string, Fields>()
  #history: { version: number; type: ResourceType; event: WatchEvent }[] = []
  #watchers = new Set<Watcher>()
  #version = 0
  #oldestVersion = 0
  #nowMs = Date.parse('2026-01-01T00:00:00Z')

  /** Another one with the same objects, and no past. */
  copy(): FakeKube {
    const copy = new FakeKube()
    for (const [id, object] of this.#objects) copy.#objects.set(id, copyOf(object))
    for (const [id, fields] of this.#applied) copy.#applied.set(id, copyOf(fields))
    copy.#version = this.#version
    copy.#oldestVersion = this.#version
    copy.#nowMs = this.#nowMs
    return copy
  }

  async get<T extends Resource>(type: ResourceType, namespace: string, name: string): Promise<T | null> {
    this.intercept(`get ${type.kind}`)
    return this.peek<T>(type, namespace, name)
  }

  /** As `get`, unseen by `intercept`. */
  peek<T extends Resource>(type: ResourceType, namespace: string, name: string): T | null {
    const found = this.#objects.get(idOf(type, namespace, name))
    return found === undefined ? null : (copyOf(found) as T)
  }

  async list<T extends Resource>(
    type: ResourceType,
    options: ListOptions,
  ): Promise<{ items: T[]; resourceVersion: string }> {
    this.intercept(`list ${type.kind}`)
    const items = [...this.#objects.values()].filter((object) => object.kind === type.kind && selects(options, object))
    return { items: copyOf(items) as T[], resourceVersion: String(this.#version) }
  }

  watch(
    type: ResourceType,
    options: WatchOptions,
    onEvent: (event: WatchEvent) => void,
    signal: AbortSignal,
  ): Promise<void> {
    this.intercept(`watch ${type.kind}`)
    const since = Number(options.resourceVersion)
    if (since < this.#oldestVersion) return Promise.reject(new KubeError(410, 'Expired', 'too old resource version'))
    return new Promise((resolve, reject) => {
      const end = (error?: Error): void => {
        this.#watchers.delete(watcher)
        if (error === undefined) resolve()
        else reject(error)
      }
      const watcher: Watcher = { type, options, onEvent, end }
      this.#watchers.add(watcher)
      signal.addEventListener('abort', () => end(new Error('aborted')), { once: true })
      for (const { version, type: of, event } of this.#history) {
        if (version > since && of.kind === type.kind && selects(options, event.object)) onEvent(copyOf(event))
      }
    })
  }

  async create<T extends Resource>(type: ResourceType, manifest: T & Manifest): Promise<T> {
    this.intercept(`create ${type.kind}`)
    const { namespace = '', name } = manifest.metadata
    if (this.peek(type, namespace, name) !== null)
      throw new KubeError(409, 'AlreadyExists', `${type.kind} ${name} exists`)
    this.writes.push(`create ${type.kind} ${namespace}/${name}`)
    return this.#add(type, manifest) as T
  }

  async update<T extends Resource>(type: ResourceType, manifest: T & Manifest): Promise<T> {
    this.intercept(`update ${type.kind}`)
    const { namespace = '', name, resourceVersion } = manifest.metadata
    const before = this.#mustGet(type, namespace, name)
    if (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion) throw conflict(type, name)
    this.writes.push(`update ${type.kind} ${namespace}/${name}`)
    return this.#replace(type, before, copyOf(manifest)) as T
  }

  async apply<T extends Resource>(type: ResourceType, manifest: T & Manifest): Promise<T> {
    this.intercept(`apply ${type.kind}`)
    const { namespace = '', name } = manifest.metadata
    this.writes.push(`apply ${type.kind} ${namespace}/${name}`)
    const before = this.peek(type, namespace, name)
    const last = this.#applied.get(idOf(type, namespace, name)) ?? {}
    this.#applied.set(idOf(type, namespace, name), copyOf(manifest))
    if (before === null) return this.#add(type, manifest) as T
    return this.#replace(type, before, applied(before as unknown as Fields, last, manifest) as unknown as Resource) as T
  }

  async applyStatus<T extends Resource>(type: ResourceType, manifest: T & Manifest): Promise<T> {
    this.intercept(`applyStatus ${type.kind}`)
    const { namespace = '', name, resourceVersion } = manifest.metadata
    const before = this.#mustGet(type, namespace, name)
    if (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion) throw conflict(type, name)
    this.writes.push(`applyStatus ${type.kind} ${namespace}/${name}`)
    return this.#replace(type, before, { ...before, status: copyOf(manifest.status) } as Resource) as T
  }

  async patch<T extends Resource>(type: ResourceType, namespace: string, name: string, patch: object): Promise<T> {
    this.intercept(`patch ${type.kind}`)
    const before = this.#mustGet(type, namespace, name)
    const { resourceVersion, uid } = (patch as { metadata?: Partial<Resource['metadata']> }).metadata ?? {}
    if (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion) throw conflict(type, name)
    if (uid !== undefined && uid !== before.metadata.uid)
      throw new KubeError(422, 'Invalid', `${type.kind} ${name} is invalid: metadata.uid: field is immutable`)
    this.writes.push(`patch ${type.kind} ${namespace}/${name}`)
    return this.#replace(type, before, merged(before, patch) as Resource) as T
  }

  async delete(type: ResourceType, namespace: string, name: string, only: DeleteOptions): Promise<void> {
    this.intercept(`delete ${type.kind}`)
    const before = this.peek(type, namespace, name)
    if (before === null) return
    const { uid, resourceVersion } = before.metadata
    if (uid !== only.uid || (only.resourceVersion ?? resourceVersion) !== resourceVersion) throw conflict(type, name)
    this.writes.push(`delete ${type.kind} ${namespace}/${name}`)
    if (only.dependents === 'orphan') this.#orphan(uid)
    this.remove(type, namespace, name)
  }

  #orphan(owner: string | undefined): void {
    for (const object of this.#objects.values()) {
      const owners = object.metadata.ownerReferences
      if (owners?.some(({ uid }) => uid === owner)) {
        object.metadata.ownerReferences = owners.filter(({ uid }) => uid !== owner)
      }
    }
  }

  /** The object itself: not to be changed. */
  find(type: ResourceType, namespace: string, name: string): Resource | null {
    return this.#objects.get(idOf(type, namespace, name)) ?? null
  }

  /** What a user does: creates or replaces the spec; status and metadata that the server keeps stay. */
  put<T extends Resource>(type: ResourceType, object: T): T {
    const { namespace = '', name } = object.metadata
    const before = this.peek<T>(type, namespace, name)
    if (before === null) return this.#add(type, object) as T
    return this.#replace(type, before, {
      ...before,
      ...copyOf(object),
      metadata: { ...before.metadata, ...object.metadata },
    }) as T
  }

  /** What a user's delete does: waits for finalizers. */
  remove(type: ResourceType, namespace: string, name: string): void {
    const before = this.#mustGet(type, namespace, name)
    if ((before.metadata.finalizers ?? []).length === 0) this.#erase(type, before)
    else this.#replace(type, before, { ...before, metadata: { ...before.metadata, deletionTimestamp: this.#time() } })
  }

  /** The server ends every watch. */
  endWatches(): void {
    for (const watcher of this.#watchers) watcher.end()
  }

  /** The server forgets the past: a watch from before now gets 410. */
  compact(): void {
    this.#oldestVersion = this.#version
    this.#history = []
  }

  all(type: ResourceType): Resource[] {
    return [...this.#objects.values()].filter(({ kind }) => kind === type.kind)
  }

  #add(type: ResourceType, manifest: Resource): Resource {
    const object = copyOf(manifest)
    object.metadata = {
      uid: `uid-${this.#version + 1}`,
      creationTimestamp: this.#time(),
      generation: 1,
      ...object.metadata,
    }
    return this.#store(type, 'ADDED', object)
  }

  #replace(type: ResourceType, before: Resource, after: Resource): Resource {
    if (isSame(before, after)) return copyOf(before)
    const spec = (object: Resource): unknown => (object as unknown as Fields).spec
    const { generation = 1, uid, creationTimestamp, deletionTimestamp } = before.metadata
    const kept = { uid: uid ?? '', creationTimestamp: creationTimestamp ?? '' }
    const deleting = deletionTimestamp === undefined ? {} : { deletionTimestamp }
    after.metadata = {
      ...after.metadata,
      ...kept,
      ...deleting,
      generation: isSame(spec(before), spec(after)) ? generation : generation + 1,
    }
    const isGone = after.metadata.deletionTimestamp !== undefined && (after.metadata.finalizers ?? []).length === 0
    return isGone ? this.#erase(type, after) : this.#store(type, 'MODIFIED', after)
  }

  #store(type: ResourceType, event: 'ADDED' | 'MODIFIED', object: Resource): Resource {
    this.#version += 1
    object.metadata.resourceVersion = String(this.#version)
    this.#objects.set(idOf(type, object.metadata.namespace ?? '', object.metadata.name), copyOf(object))
    this.#emit(type, { type: event, object })
    return copyOf(object)
  }

  #erase(type: ResourceType, object: Resource): Resource {
    this.#version += 1
    const { namespace = '', name, uid } = object.metadata
    this.#objects.delete(idOf(type, namespace, name))
    this.#applied.delete(idOf(type, namespace, name))
    this.#emit(type, { type: 'DELETED', object })
    for (const other of this.#objects.values()) {
      if (!other.metadata.ownerReferences?.some((owner) => owner.uid === uid)) continue
      this.#erase({ apiVersion: other.apiVersion, kind: other.kind, plural: '' }, other)
    }
    return copyOf(object)
  }

  #emit(type: ResourceType, event: WatchEvent): void {
    const told = copyOf(event)
    this.#history.push({ version: this.#version, type, event: told })
    for (const watcher of this.#watchers) {
      if (watcher.type.kind === type.kind && selects(watcher.options, event.object)) watcher.onEvent(told)
    }
  }

  #mustGet(type: ResourceType, namespace: string, name: string): Resource {
    const found = this.peek(type, namespace, name)
    if (found === null) throw new KubeError(404, 'NotFound', `${type.kind} ${namespace}/${name} not found`)
    return found
  }

  /** A second later each time, so that ages differ. */
  #time(): string {
    this.#nowMs += 1000
    return new Date(this.#nowMs).toISOString().replace('.000Z', 'Z')
  }
}

function idOf({ kind }: ResourceType, namespace: string, name: string): string {
  return `${kind} ${namespace}/${name}`
}

function conflict({ kind }: ResourceType, name: string): KubeError {
  return new KubeError(409, 'Conflict', `${kind} ${name}: the object has been modified`)
}

function selects({ namespace, labelSelector }: ListOptions, { metadata }: Resource): boolean {
  const [label = '', value] = (labelSelector ?? '').split('=')
  return (
    (namespace === null || metadata.namespace === namespace) && (label === '' || metadata.labels?.[label] === value)
  )
}

/** Server-side apply of maps: what is applied is set, what was applied before and is not any more goes, lists are atomic. */
function applied(live: Fields, before: Fields, wanted: Fields): Fields {
  const result: Fields = { ...live }
  for (const key of Object.keys(before)) if (!(key in wanted)) delete result[key]
  for (const [key, value] of Object.entries(wanted)) {
    const [old, last] = [live[key], before[key]]
    result[key] = isFields(value) && isFields(old) ? applied(old, isFields(last) ? last : {}, value) : copyOf(value)
  }
  return result
}

/** RFC 7386. */
function merged(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return copyOf(patch)
  const result: Fields = isFields(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = merged(result[key], value)
  }
  return result
}

/** Of JSON; structuredClone takes ten times as long. */
function copyOf<T>(value: T): T {
  if (isArray(value)) return value.map((part: unknown) => copyOf(part)) as T
  if (!isFields(value)) return value
  const copy: Fields = {}
  for (const key of keys(value)) copy[key] = copyOf(value[key])
  return copy as T
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !isArray(value)
}

/** Of JSON; the order of keys does not count, and a key that is undefined is none. */
function isSame(a: unknown, b: unknown): boolean {
  if (isArray(a) && isArray(b)) return a.length === b.length && a.every((part, index) => isSame(part, b[index]))
  if (!isFields(a) || !isFields(b)) return a === b
  return [...new Set([...keys(a), ...keys(b)])].every((key) => isSame(a[key], b[key]))
}
