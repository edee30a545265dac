import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestOf, ResponseInputOf } from '../protocol/apis.ts'
import type { RequestContext } from '../security/request-context.ts'

/** An answer, no answer at all (Produce with acks=0), or the end of the connection. */
export type Answer<K extends ApiKey> = ResponseInputOf<K> | 'none' | 'close'

/** How this broker serves one API. */
export interface Handler<K extends ApiKey> {
  readonly key: K
  /** True where the next request of a connection may start while this one still waits. */
  readonly overlaps?: boolean
  /** True where it is served without being told in ApiVersions. */
  readonly isHidden?: boolean
  /** The name under which metrics count a request of `version`; the API's where this is left out. */
  countedAs?(request: RequestOf<K>, version: number): string
  handle(request: RequestOf<K>, context: RequestContext): Answer<K> | Promise<Answer<K>>
}

/** A handler without peculiarities. */
export function handler<K extends ApiKey>(
  key: K,
  handle: (request: RequestOf<K>, context: RequestContext) => Answer<K> | Promise<Answer<K>>,
): Handler<K> {
  return { key, handle }
}
