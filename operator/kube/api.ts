import type { Manifest, Resource, ResourceType } from '../api/resource.ts'

/** An answer of the API server that is not a success; `code` is the `reason` of its Status (NotFound, Conflict, Gone, Invalid, …). */
export class KubeError extends Error {
  readonly code: string
  /** HTTP status; 0 where there was no answer. */
  readonly status: number

  constructor(status: number, code: string, message: string, cause?: unknown) {
    super(message, { cause })
    this.status = status
    this.code = code
  }
}

/** Whether `error` says that the object is not there, or not any more. */
export function isNotFound(error: unknown): boolean {
  return error instanceof KubeError && error.status === 404
}

/** What server-side apply says, with status 500, of a field that the schema does not have. */
const UNTYPED = 'failed to create typed patch object'

/** The server understood and refused; the same request is refused again. */
export function isRefusal(error: unknown): error is KubeError {
  if (!(error instanceof KubeError)) return false
  return [400, 403, 422].includes(error.status) || (error.status === 500 && error.message.startsWith(UNTYPED))
}

/** `Kubernetes refuses …` or, where it may pass, `Kubernetes fails at …`. */
export function troubleWith(what: string, error: KubeError): string {
  return `Kubernetes ${isRefusal(error) ? 'refuses' : 'fails at'} ${what}: ${error.message}`
}

export function isConflict(error: unknown): boolean {
  return error instanceof KubeError && error.status === 409
}

/** The object of a patch with a `metadata.uid` is another one now: to the server that is a field that nobody may change. */
export function isAnother(error: unknown): boolean {
  return error instanceof KubeError && error.status === 422 && error.message.includes('metadata.uid')
}

export interface ListOptions {
  /** Null: all namespaces. */
  readonly namespace: string | null
  readonly labelSelector?: string
}

export interface WatchOptions extends ListOptions {
  /** Events after this version. */
  readonly resourceVersion: string
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'
  readonly object: Resource
}

export interface DeleteOptions {
  /** Deletes only this very object: one made anew under its name survives (409 Conflict). */
  readonly uid: string
  /** And only if nothing has changed it since (409 Conflict). */
  readonly resourceVersion?: string
  /** orphan: what it owns stays; without it that goes by garbage collection. */
  readonly dependents?: 'orphan'
}

/**
 * What the operator asks of a Kubernetes API server. Every call rejects with KubeError; where the signal that the implementation was made
 * with is aborted, with that signal's reason, before anything is sent.
 */
export interface KubeApi {
  /** Null where it is not there. */
  get<T extends Resource>(type: ResourceType, namespace: string, name: string): Promise<T | null>
  /** All pages; `resourceVersion` is where a watch goes on. */
  list<T extends Resource>(type: ResourceType, options: ListOptions): Promise<{ items: T[]; resourceVersion: string }>
  /** Resolves when the server ends the watch, as it does every few minutes. Rejects with status 410 when the version is too old. */
  watch(
    type: ResourceType,
    options: WatchOptions,
    onEvent: (event: WatchEvent) => void,
    signal: AbortSignal,
  ): Promise<void>
  create<T extends Resource>(type: ResourceType, manifest: T & Manifest): Promise<T>
  /** Replaces; 409 where `metadata.resourceVersion` is not the current one. */
  update<T extends Resource>(type: ResourceType, manifest: T & Manifest): Promise<T>
  /** Server-side apply as field manager `ottla-operator`, taking over fields that others have set. */
  apply<T extends Resource>(type: ResourceType, manifest: T & Manifest): Promise<T>
  /** Server-side apply of the status subresource. */
  applyStatus<T extends Resource>(type: ResourceType, manifest: T & Manifest): Promise<T>
  /**
   * JSON merge patch (RFC 7386). Put `metadata.resourceVersion` into it to have it refused (409) where the object has changed, `metadata.uid` where
   * it is another one (422, see `isAnother`).
   */
  patch<T extends Resource>(type: ResourceType, namespace: string, name: string, patch: object): Promise<T>
  /** Resolves before its dependents are gone, or let go of. Nothing there is no error. */
  delete(type: ResourceType, namespace: string, name: string, options: DeleteOptions): Promise<void>
}
